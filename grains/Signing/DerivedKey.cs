using System.Security.Cryptography;
using System.Text;
using VoiceGrains.Grains.Secrets;

namespace VoiceGrains.Grains.Signing;

/// <summary>Keys of their own for each purpose, from the installation's one secret (HKDF, RFC 5869): what is signed for one proves nothing for another.</summary>
internal static class DerivedKey
{
    /// <summary>32 bytes, the same on every server of the installation.</summary>
    public static byte[] For(SecretKey secret, string purpose)
    {
        var key = new byte[32];
        HKDF.DeriveKey(HashAlgorithmName.SHA256, secret.Bytes, key, salt: "voicegrains"u8, info: Encoding.UTF8.GetBytes(purpose));
        return key;
    }
}
