namespace VoiceGrains.WebRtc.Srtp;

/// <summary>The protection profiles that are offered in DTLS (RFC 5764 §4.1.2, RFC 7714 §14.2). The numbers are those on the wire.</summary>
/// <remarks>SRTP_AES128_CM_SHA1_32 is left out: its tag of 32 bits only saves six bytes a packet. The NULL profiles protect nothing.</remarks>
public enum SrtpProfile : ushort
{
    /// <summary>SRTP_AES128_CM_SHA1_80: the one that everybody has.</summary>
    Aes128CmSha1_80 = 1,

    /// <summary>SRTP_AEAD_AES_128_GCM.</summary>
    AeadAes128Gcm = 7,

    /// <summary>SRTP_AEAD_AES_256_GCM.</summary>
    AeadAes256Gcm = 8,
}

internal static class SrtpProfiles
{
    /// <summary>Our preference, best first, in the names that OpenSSL takes.</summary>
    internal const string Offer = "SRTP_AEAD_AES_128_GCM:SRTP_AEAD_AES_256_GCM:SRTP_AES128_CM_SHA1_80";

    internal const string OfferWithoutGcm = "SRTP_AES128_CM_SHA1_80";

    /// <summary>Length in bytes of a master key.</summary>
    internal static int KeyLength(this SrtpProfile profile) => profile == SrtpProfile.AeadAes256Gcm ? 32 : 16;

    /// <summary>Length in bytes of a master salt.</summary>
    internal static int SaltLength(this SrtpProfile profile) => profile == SrtpProfile.Aes128CmSha1_80 ? 14 : 12;
}
