using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace VoiceGrains.Grains.Calls;

/// <summary>The unguessable part of a join URL: 256 random bits. Only its SHA-256 is stored, so a stolen database joins nothing.</summary>
internal static class JoinToken
{
    private const int Bytes = 32;

    /// <summary>43 characters of base64url.</summary>
    public static string Create()
    {
        Span<byte> random = stackalloc byte[Bytes];
        RandomNumberGenerator.Fill(random);
        return Base64Url.EncodeToString(random);
    }

    public static byte[] Hash(string token) => SHA256.HashData(Encoding.UTF8.GetBytes(token));

    /// <summary>Takes the same time wherever the two differ.</summary>
    public static bool Matches(string token, byte[] hash) => CryptographicOperations.FixedTimeEquals(Hash(token), hash);
}
