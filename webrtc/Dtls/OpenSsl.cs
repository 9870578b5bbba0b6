using System.Runtime.InteropServices;

namespace VoiceGrains.WebRtc.Dtls;

/// <summary>The part of OpenSSL 3 (ssl.h, bio.h, err.h) that DTLS needs. Macros of the headers are spelt out by their control numbers.</summary>
internal static unsafe partial class OpenSsl
{
    internal const int ErrorNone = 0;
    internal const int ErrorWantRead = 2;
    internal const int ErrorZeroReturn = 6;

    internal const int ControlSetMtu = 17;
    internal const int ControlSessionCacheMode = 44;
    internal const int ControlMaxCertList = 51;
    internal const int ControlDtlsTimeout = 73;
    internal const int ControlDtlsHandleTimeout = 74;
    internal const int ControlGroupsList = 92;
    internal const int ControlExtendedMasterSecret = 122;
    internal const int ControlMinVersion = 123;
    internal const int ControlMaxVersion = 124;

    internal const int VerifyPeer = 1;
    internal const int VerifyFailIfNoPeerCert = 2;

    private const string Ssl = "libssl.so.3";
    private const string Crypto = "libcrypto.so.3";

    [LibraryImport(Ssl, EntryPoint = "DTLS_method")]
    internal static partial nint DtlsMethod();

    [LibraryImport(Ssl, EntryPoint = "SSL_CTX_new")]
    internal static partial ContextHandle ContextNew(nint method);

    [LibraryImport(Ssl, EntryPoint = "SSL_CTX_free")]
    private static partial void ContextFree(nint context);

    [LibraryImport(Ssl, EntryPoint = "SSL_CTX_ctrl")]
    internal static partial long ContextControl(ContextHandle context, int command, long number, void* pointer);

    [LibraryImport(Ssl, EntryPoint = "SSL_CTX_set_options")]
    internal static partial ulong ContextSetOptions(ContextHandle context, ulong options);

    [LibraryImport(Ssl, EntryPoint = "SSL_CTX_set_security_level")]
    internal static partial void ContextSetSecurityLevel(ContextHandle context, int level);

    [LibraryImport(Ssl, EntryPoint = "SSL_CTX_set_cipher_list", StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int ContextSetCipherList(ContextHandle context, string suites);

    /// <summary>0 is success here.</summary>
    [LibraryImport(Ssl, EntryPoint = "SSL_CTX_set_tlsext_use_srtp", StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int ContextSetUseSrtp(ContextHandle context, string profiles);

    [LibraryImport(Ssl, EntryPoint = "SSL_CTX_use_certificate_ASN1")]
    internal static partial int ContextUseCertificate(ContextHandle context, int length, byte* der);

    [LibraryImport(Ssl, EntryPoint = "SSL_CTX_use_PrivateKey_ASN1")]
    internal static partial int ContextUsePrivateKey(int type, ContextHandle context, byte* der, long length);

    [LibraryImport(Ssl, EntryPoint = "SSL_CTX_set_verify")]
    internal static partial void ContextSetVerify(ContextHandle context, int mode, nint callback);

    [LibraryImport(Ssl, EntryPoint = "SSL_CTX_set_cert_verify_callback")]
    internal static partial void ContextSetCertificateVerifyCallback(ContextHandle context, delegate* unmanaged<nint, nint, int> callback, nint argument);

    [LibraryImport(Ssl, EntryPoint = "SSL_CTX_set_info_callback")]
    internal static partial void ContextSetInfoCallback(ContextHandle context, delegate* unmanaged<nint, int, int, void> callback);

    [LibraryImport(Ssl, EntryPoint = "SSL_new")]
    internal static partial ConnectionHandle ConnectionNew(ContextHandle context);

    [LibraryImport(Ssl, EntryPoint = "SSL_free")]
    private static partial void ConnectionFree(nint ssl);

    [LibraryImport(Ssl, EntryPoint = "SSL_set_bio")]
    internal static partial void SetBio(ConnectionHandle ssl, nint read, nint write);

    [LibraryImport(Ssl, EntryPoint = "SSL_set_ex_data")]
    internal static partial int SetExData(ConnectionHandle ssl, int index, nint data);

    [LibraryImport(Ssl, EntryPoint = "SSL_get_ex_data")]
    internal static partial nint GetExData(nint ssl, int index);

    [LibraryImport(Ssl, EntryPoint = "SSL_get_ex_data_X509_STORE_CTX_idx")]
    internal static partial int VerifiedConnectionIndex();

    [LibraryImport(Ssl, EntryPoint = "SSL_set_accept_state")]
    internal static partial void SetAcceptState(ConnectionHandle ssl);

    [LibraryImport(Ssl, EntryPoint = "SSL_set_connect_state")]
    internal static partial void SetConnectState(ConnectionHandle ssl);

    [LibraryImport(Ssl, EntryPoint = "DTLS_set_timer_cb")]
    internal static partial void SetTimerCallback(ConnectionHandle ssl, delegate* unmanaged<nint, uint, uint> callback);

    [LibraryImport(Ssl, EntryPoint = "SSL_ctrl")]
    internal static partial long Control(ConnectionHandle ssl, int command, long number, void* pointer);

    [LibraryImport(Ssl, EntryPoint = "SSL_do_handshake")]
    internal static partial int DoHandshake(ConnectionHandle ssl);

    [LibraryImport(Ssl, EntryPoint = "SSL_read")]
    internal static partial int Read(ConnectionHandle ssl, byte* buffer, int length);

    [LibraryImport(Ssl, EntryPoint = "SSL_write")]
    internal static partial int Write(ConnectionHandle ssl, byte* buffer, int length);

    [LibraryImport(Ssl, EntryPoint = "SSL_shutdown")]
    internal static partial int Shutdown(ConnectionHandle ssl);

    [LibraryImport(Ssl, EntryPoint = "SSL_get_error")]
    internal static partial int GetError(ConnectionHandle ssl, int result);

    /// <summary>SRTP_PROTECTION_PROFILE: a name, then the number as an unsigned long. Null when none was agreed on.</summary>
    [LibraryImport(Ssl, EntryPoint = "SSL_get_selected_srtp_profile")]
    internal static partial nint SelectedSrtpProfile(ConnectionHandle ssl);

    [LibraryImport(Ssl, EntryPoint = "SSL_export_keying_material", StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int ExportKeyingMaterial(
        ConnectionHandle ssl, byte* output, nuint length, string label, nuint labelLength, byte* context, nuint contextLength, int useContext);

    [LibraryImport(Ssl, EntryPoint = "SSL_alert_desc_string_long")]
    internal static partial nint AlertText(int value);

    [LibraryImport(Crypto, EntryPoint = "ERR_clear_error")]
    internal static partial void ClearErrors();

    [LibraryImport(Crypto, EntryPoint = "ERR_peek_error")]
    internal static partial ulong FirstError();

    [LibraryImport(Crypto, EntryPoint = "ERR_reason_error_string")]
    internal static partial nint ReasonText(ulong error);

    [LibraryImport(Crypto, EntryPoint = "X509_STORE_CTX_get_ex_data")]
    internal static partial nint GetStoreExData(nint store, int index);

    [LibraryImport(Crypto, EntryPoint = "X509_STORE_CTX_get0_cert")]
    internal static partial nint GetStoreCertificate(nint store);

    [LibraryImport(Crypto, EntryPoint = "X509_STORE_CTX_set_error")]
    internal static partial void SetStoreError(nint store, int error);

    /// <summary>Writes DER when <paramref name="output"/> points to a buffer (which it then moves behind); always returns its length.</summary>
    [LibraryImport(Crypto, EntryPoint = "i2d_X509")]
    internal static partial int EncodeCertificate(nint certificate, byte** output);

    [LibraryImport(Crypto, EntryPoint = "BIO_get_new_index")]
    internal static partial int BioNewIndex();

    [LibraryImport(Crypto, EntryPoint = "BIO_meth_new", StringMarshalling = StringMarshalling.Utf8)]
    internal static partial nint BioMethodNew(int type, string name);

    [LibraryImport(Crypto, EntryPoint = "BIO_meth_set_read")]
    internal static partial int BioMethodSetRead(nint method, delegate* unmanaged<nint, byte*, int, int> read);

    [LibraryImport(Crypto, EntryPoint = "BIO_meth_set_write")]
    internal static partial int BioMethodSetWrite(nint method, delegate* unmanaged<nint, byte*, int, int> write);

    [LibraryImport(Crypto, EntryPoint = "BIO_meth_set_ctrl")]
    internal static partial int BioMethodSetControl(nint method, delegate* unmanaged<nint, int, long, void*, long> control);

    [LibraryImport(Crypto, EntryPoint = "BIO_new")]
    internal static partial nint BioNew(nint method);

    [LibraryImport(Crypto, EntryPoint = "BIO_set_init")]
    internal static partial void BioSetInit(nint bio, int init);

    [LibraryImport(Crypto, EntryPoint = "BIO_set_data")]
    internal static partial void BioSetData(nint bio, nint data);

    [LibraryImport(Crypto, EntryPoint = "BIO_get_data")]
    internal static partial nint BioGetData(nint bio);

    [LibraryImport(Crypto, EntryPoint = "BIO_set_flags")]
    internal static partial void BioSetFlags(nint bio, int flags);

    [LibraryImport(Crypto, EntryPoint = "BIO_clear_flags")]
    internal static partial void BioClearFlags(nint bio, int flags);

    /// <summary>The first error of this thread in words, for a log.</summary>
    internal static string ErrorText() => Marshal.PtrToStringUTF8(ReasonText(FirstError())) ?? "unknown error";

    /// <summary>SSL_CTX. Counted by reference: each SSL holds one.</summary>
    internal sealed class ContextHandle() : SafeHandle(0, ownsHandle: true)
    {
        public override bool IsInvalid => handle == 0;

        protected override bool ReleaseHandle()
        {
            ContextFree(handle);
            return true;
        }
    }

    /// <summary>SSL, and with it the BIO that it was given. OpenSSL zeroes its secrets when it is freed.</summary>
    internal sealed class ConnectionHandle() : SafeHandle(0, ownsHandle: true)
    {
        private GCHandle _owner;

        public override bool IsInvalid => handle == 0;

        /// <summary>Ties the callbacks to their transport, which stays collectable when someone forgets to dispose of it.</summary>
        internal nint Bind(DtlsTransport owner)
        {
            _owner = GCHandle.Alloc(owner, GCHandleType.Weak);
            return GCHandle.ToIntPtr(_owner);
        }

        protected override bool ReleaseHandle()
        {
            ConnectionFree(handle);
            if (_owner.IsAllocated)
                _owner.Free();
            return true;
        }
    }

    /// <summary>struct timeval.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct TimeValue
    {
        internal long Seconds;
        internal long Microseconds;
    }
}
