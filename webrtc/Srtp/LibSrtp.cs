using System.Runtime.InteropServices;

namespace VoiceGrains.WebRtc.Srtp;

/// <summary>The part of libsrtp2 (srtp.h) that <see cref="SrtpSession"/> uses. Results are srtp_err_status_t.</summary>
internal static unsafe partial class LibSrtp
{
    internal const int Ok = 0;
    internal const int ReplayFail = 9;
    internal const int ReplayOld = 10;
    internal const int AnyInbound = 2;
    internal const int AnyOutbound = 3;

    private const string Library = "libsrtp2.so.1";

    /// <summary>srtp_init, once for the process, before anything else is called. Never shut down: sessions may live until the end.</summary>
    private static readonly int Initialized = Init();

    /// <summary>Whether this build of the library has AES-GCM: one without a cryptographic library behind it has not.</summary>
    internal static bool HasGcm { get; } = ProbeGcm();

    /// <exception cref="InvalidOperationException">The library refuses the policy, or failed its own start-up tests.</exception>
    internal static SessionHandle Create(SrtpProfile profile, int direction, ReadOnlySpan<byte> keyAndSalt, int window)
    {
        var status = TryCreate(profile, direction, keyAndSalt, window, out var session);
        return status == Ok ? session : throw new InvalidOperationException($"libsrtp2 made no session for {profile} (status {status}).");
    }

    private static int TryCreate(SrtpProfile profile, int direction, ReadOnlySpan<byte> keyAndSalt, int window, out SessionHandle session)
    {
        session = new SessionHandle();
        if (Initialized != Ok)
            return Initialized;
        var policy = new Policy { SsrcType = direction, WindowSize = (nuint)window, AllowRepeatTx = 0 };
        SetRtpPolicy(ref policy.Rtp, (int)profile);
        SetRtcpPolicy(ref policy.Rtcp, (int)profile);
        fixed (byte* key = keyAndSalt)
        {
            policy.Key = key;
            var status = CreateSession(out var pointer, in policy);
            session.Take(pointer);
            return status;
        }
    }

    private static bool ProbeGcm()
    {
        var status = TryCreate(SrtpProfile.AeadAes128Gcm, AnyOutbound, stackalloc byte[28], 128, out var session);
        session.Dispose();
        return status == Ok;
    }

    [LibraryImport(Library, EntryPoint = "srtp_init")]
    private static partial int Init();

    [LibraryImport(Library, EntryPoint = "srtp_crypto_policy_set_from_profile_for_rtp")]
    private static partial int SetRtpPolicy(ref CryptoPolicy policy, int profile);

    [LibraryImport(Library, EntryPoint = "srtp_crypto_policy_set_from_profile_for_rtcp")]
    private static partial int SetRtcpPolicy(ref CryptoPolicy policy, int profile);

    [LibraryImport(Library, EntryPoint = "srtp_create")]
    private static partial int CreateSession(out nint session, in Policy policy);

    [LibraryImport(Library, EntryPoint = "srtp_dealloc")]
    private static partial int Deallocate(nint session);

    [LibraryImport(Library, EntryPoint = "srtp_protect")]
    internal static partial int Protect(SessionHandle session, byte* packet, ref int length);

    [LibraryImport(Library, EntryPoint = "srtp_protect_rtcp")]
    internal static partial int ProtectRtcp(SessionHandle session, byte* packet, ref int length);

    [LibraryImport(Library, EntryPoint = "srtp_unprotect")]
    internal static partial int Unprotect(SessionHandle session, byte* packet, ref int length);

    [LibraryImport(Library, EntryPoint = "srtp_unprotect_rtcp")]
    internal static partial int UnprotectRtcp(SessionHandle session, byte* packet, ref int length);

    /// <summary>srtp_t. The library zeroes the keys in it when it is freed.</summary>
    internal sealed class SessionHandle() : SafeHandle(0, ownsHandle: true)
    {
        public override bool IsInvalid => handle == 0;

        internal void Take(nint session) => SetHandle(session);

        protected override bool ReleaseHandle() => Deallocate(handle) == Ok;
    }

    /// <summary>srtp_crypto_policy_t.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct CryptoPolicy
    {
        internal uint CipherType;
        internal int CipherKeyLength;
        internal uint AuthType;
        internal int AuthKeyLength;
        internal int AuthTagLength;
        internal int Services;
    }

    /// <summary>srtp_policy_t of version 2.x.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct Policy
    {
        internal int SsrcType;
        internal uint Ssrc;
        internal CryptoPolicy Rtp;
        internal CryptoPolicy Rtcp;
        internal byte* Key;
        internal void* Keys;
        internal nuint KeyCount;
        internal void* DeprecatedEkt;
        internal nuint WindowSize;
        internal int AllowRepeatTx;
        internal int* EncryptedExtensions;
        internal int EncryptedExtensionCount;
        internal Policy* Next;
    }
}
