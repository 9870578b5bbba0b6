using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using VoiceGrains.WebRtc.Srtp;
using static VoiceGrains.WebRtc.Dtls.OpenSsl;

namespace VoiceGrains.WebRtc.Dtls;

/// <summary>What every handshake is held to (RFC 8827 §6.5), and the callbacks by which OpenSSL reaches the transport concerned.</summary>
internal static unsafe class DtlsContext
{
    /// <summary>Longest datagram in bytes that a handshake sends: any path that carries WebRTC carries this (RFC 8261 §5).</summary>
    internal const int Mtu = 1200;

    // Ephemeral keys and authenticated encryption only. Ours is an ECDSA certificate; that of a server we call may still be an RSA one.
    private const string Suites =
        "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:" +
        "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";

    private const int Dtls12 = 0xFEFD;
    private const int KeyTypeEc = 408;                 // EVP_PKEY_EC
    private const int MaxCertificateChain = 16 * 1024; // bounds what OpenSSL keeps of a message in fragments
    private const ulong NoQueryMtu = 1UL << 12, NoTicket = 1UL << 14, NoCompression = 1UL << 17, ServerPreference = 1UL << 22, NoRenegotiation = 1UL << 30;
    private const int ReadAlert = 0x4004, WriteAlert = 0x4008;
    private const int ApplicationVerification = 50;    // X509_V_ERR_APPLICATION_VERIFICATION

    /// <exception cref="InvalidOperationException">OpenSSL refused a setting.</exception>
    internal static ContextHandle Create(ReadOnlySpan<byte> certificate, ReadOnlySpan<byte> privateKey)
    {
        ClearErrors();
        var context = ContextNew(DtlsMethod());
        Require(!context.IsInvalid);
        Require(ContextControl(context, ControlMinVersion, Dtls12, null) == 1);
        Require(ContextControl(context, ControlMaxVersion, Dtls12, null) == 1);
        ContextSetSecurityLevel(context, 2);           // whatever the machine's openssl.cnf says
        ContextSetOptions(context, NoQueryMtu | NoTicket | NoCompression | ServerPreference | NoRenegotiation);
        ContextControl(context, ControlSessionCacheMode, 0, null);
        ContextControl(context, ControlMaxCertList, MaxCertificateChain, null);
        Require(ContextSetCipherList(context, Suites) == 1);
        fixed (byte* groups = "X25519:P-256:P-384\0"u8)
            Require(ContextControl(context, ControlGroupsList, 0, groups) == 1);
        Require(ContextSetUseSrtp(context, SrtpSession.SupportsGcm ? SrtpProfiles.Offer : SrtpProfiles.OfferWithoutGcm) == 0);
        fixed (byte* der = certificate)
            Require(ContextUseCertificate(context, certificate.Length, der) == 1);
        fixed (byte* der = privateKey)
            Require(ContextUsePrivateKey(KeyTypeEc, context, der, privateKey.Length) == 1);
        // Nobody's certificate is signed by anyone we know: the callback stands in for the whole check of the chain, and the fingerprint decides.
        ContextSetVerify(context, VerifyPeer | VerifyFailIfNoPeerCert, 0);
        ContextSetCertificateVerifyCallback(context, &OnVerify, 0);
        ContextSetInfoCallback(context, &OnInfo);
        return context;
    }

    private static void Require(bool done, [CallerArgumentExpression(nameof(done))] string what = "")
    {
        if (!done)
            throw new InvalidOperationException($"OpenSSL refused ({what}): {ErrorText()}.");
    }

    private static DtlsTransport? TransportOf(nint ssl) => GCHandle.FromIntPtr(GetExData(ssl, 0)).Target as DtlsTransport;

    [UnmanagedCallersOnly]
    private static int OnVerify(nint store, nint argument)
    {
        var transport = TransportOf(GetStoreExData(store, VerifiedConnectionIndex()));
        var certificate = GetStoreCertificate(store);
        var length = EncodeCertificate(certificate, null);
        if (transport is not null && length is > 0 and <= MaxCertificateChain)
        {
            Span<byte> der = stackalloc byte[length];
            fixed (byte* start = der)
            {
                var end = start;
                EncodeCertificate(certificate, &end);
            }
            if (transport.AcceptsCertificate(der))
                return 1;
        }
        SetStoreError(store, ApplicationVerification);
        return 0;
    }

    [UnmanagedCallersOnly]
    private static void OnInfo(nint ssl, int where, int value)
    {
        if (where is ReadAlert or WriteAlert)
            TransportOf(ssl)?.OnAlert(sent: where == WriteAlert, value);
    }

    [UnmanagedCallersOnly]
    internal static uint OnTimer(nint ssl, uint previousMicroseconds) => TransportOf(ssl)?.NextTimeout(previousMicroseconds) ?? 1_000_000;
}
