using System.Security.Cryptography;
using System.Text;

namespace VoiceGrains.Grains.Accounts;

/// <summary>An API key as clients hold it: 8 letters or digits that name it, a point, and 32 that are its secret.</summary>
/// <param name="Prefix">Public; tells keys apart in lists.</param>
/// <param name="Text">The whole key. A secret: never logged, never stored.</param>
public sealed record ApiKey(string Prefix, string Text)
{
    private const string Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    private const int PrefixLength = 8, SecretLength = 32;

    public static ApiKey Create()
    {
        var prefix = RandomNumberGenerator.GetString(Alphabet, PrefixLength);
        return new(prefix, $"{prefix}.{RandomNumberGenerator.GetString(Alphabet, SecretLength)}");
    }

    /// <summary>Null for text that is no key at all.</summary>
    public static ApiKey? Parse(string? text)
        => text is { Length: PrefixLength + 1 + SecretLength } && text[PrefixLength] == '.'
           && text.Where((_, i) => i != PrefixLength).All(char.IsAsciiLetterOrDigit)
            ? new(text[..PrefixLength], text) : null;

    /// <summary>SHA-256 of the whole key; the only form that is stored.</summary>
    public byte[] Hash() => SHA256.HashData(Encoding.ASCII.GetBytes(Text));

    public override string ToString() => Prefix;
}
