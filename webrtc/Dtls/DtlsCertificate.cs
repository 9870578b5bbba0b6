using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace VoiceGrains.WebRtc.Dtls;

/// <summary>
/// Our self-signed certificate (ECDSA P-256), and the settings of every handshake that uses it. Made once for the process: the SDP of each call carries its
/// fingerprint, so nothing is gained by storing it, and a new one needs only a restart.
/// </summary>
public sealed class DtlsCertificate : IDisposable
{
    private DtlsCertificate(OpenSsl.ContextHandle context, string fingerprint) => (Context, Fingerprint) = (context, fingerprint);

    /// <summary>The value of our <c>a=fingerprint</c> line: <c>sha-256 AB:CD:...</c>.</summary>
    public string Fingerprint { get; }

    internal OpenSsl.ContextHandle Context { get; }

    /// <exception cref="InvalidOperationException">OpenSSL on this machine refuses a setting.</exception>
    public static DtlsCertificate Create()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=VoiceGrains", key, HashAlgorithmName.SHA256);
        // Peers go by the fingerprint and never look at the dates. These say "no well-defined expiration" (RFC 5280 §4.1.2.5).
        using var certificate = request.CreateSelfSigned(
            new DateTimeOffset(2020, 1, 1, 0, 0, 0, TimeSpan.Zero), new DateTimeOffset(9999, 12, 31, 23, 59, 59, TimeSpan.Zero));
        var privateKey = key.ExportECPrivateKey();
        try
        {
            return new DtlsCertificate(DtlsContext.Create(certificate.RawData, privateKey), DtlsFingerprint.Of(certificate.RawData).ToString());
        }
        finally
        {
            CryptographicOperations.ZeroMemory(privateKey);
        }
    }

    /// <summary>Transports that still use it keep their share of it until they are disposed.</summary>
    public void Dispose() => Context.Dispose();
}
