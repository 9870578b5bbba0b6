using System.Security.Cryptography;
using System.Text;

namespace VoiceGrains.Grains.Secrets;

/// <summary>Encrypts what is stored of tenants' secrets: AES-256-GCM, a random nonce each time, bound to the place where it is stored.</summary>
/// <remarks>Boxes are text: <c>box1:</c> and base64 of nonce (12 bytes), tag (16 bytes) and ciphertext.</remarks>
public sealed class SecretBox(SecretKey key)
{
    private const string Prefix = "box1:";
    private const int NonceSize = 12, TagSize = 16;

    /// <param name="plain">What to hide.</param>
    /// <param name="place">Names the field it is for. Another place cannot open the box.</param>
    public string Seal(ReadOnlySpan<byte> plain, string place)
    {
        var box = new byte[NonceSize + TagSize + plain.Length];
        var nonce = box.AsSpan(0, NonceSize);
        RandomNumberGenerator.Fill(nonce);
        using var aes = new AesGcm(key.Bytes, TagSize);
        aes.Encrypt(nonce, plain, ciphertext: box.AsSpan(NonceSize + TagSize), tag: box.AsSpan(NonceSize, TagSize), Encoding.UTF8.GetBytes(place));
        return Prefix + Convert.ToBase64String(box);
    }

    /// <exception cref="CryptographicException">It is no box, belongs to another place or key, or was tampered with.</exception>
    public byte[] Open(string box, string place)
    {
        var bytes = new byte[box.Length];
        if (!box.StartsWith(Prefix, StringComparison.Ordinal) || !Convert.TryFromBase64String(box[Prefix.Length..], bytes, out var length) || length < NonceSize + TagSize)
            throw new CryptographicException("The stored secret is damaged.");
        var cipher = bytes.AsSpan(NonceSize + TagSize, length - NonceSize - TagSize);
        var plain = new byte[cipher.Length];
        using var aes = new AesGcm(key.Bytes, TagSize);
        aes.Decrypt(bytes.AsSpan(0, NonceSize), cipher, bytes.AsSpan(NonceSize, TagSize), plain, Encoding.UTF8.GetBytes(place));
        return plain;
    }
}
