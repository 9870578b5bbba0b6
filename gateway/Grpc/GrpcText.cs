using System.Text;

namespace VoiceGrains.Gateway.Grpc;

/// <summary>Text in headers and trailers.</summary>
internal static class GrpcText
{
    /// <summary>Longest encoded message, bytes: clients take some 8 KiB of trailers in all.</summary>
    public const int MaxLength = 1_024;

    /// <summary>Percent-encodes a <c>grpc-message</c>: UTF-8, where printable ASCII other than '%' stands for itself. Cut at <see cref="MaxLength"/>.</summary>
    public static string Encode(string text)
    {
        var encoded = new StringBuilder(Math.Min(text.Length, MaxLength));
        Span<byte> utf8 = stackalloc byte[4];
        foreach (var rune in text.EnumerateRunes())      // half a surrogate pair comes as U+FFFD
        {
            var length = rune.EncodeToUtf8(utf8);
            var isPlain = rune.Value is >= 0x20 and <= 0x7E and not '%';
            if (encoded.Length + (isPlain ? 1 : 3 * length) > MaxLength) break;
            if (isPlain) encoded.Append((char)rune.Value);
            else foreach (var b in utf8[..length]) encoded.Append('%').Append(b.ToString("X2"));
        }
        return encoded.ToString();
    }
}
