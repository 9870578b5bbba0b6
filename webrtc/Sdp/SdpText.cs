using System.Buffers;

namespace VoiceGrains.WebRtc.Sdp;

/// <summary>The small words that SDP lines are made of (RFC 8866 §9).</summary>
internal static class SdpText
{
    /// <summary>token-char: what mids and other names may hold.</summary>
    private static readonly SearchValues<char> TokenChars =
        SearchValues.Create("!#$%&'*+-.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ^_`abcdefghijklmnopqrstuvwxyz{|}~");

    /// <summary>ice-char of RFC 8839 §5.4.</summary>
    private static readonly SearchValues<char> IceChars = SearchValues.Create("+/0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

    public static bool IsToken(ReadOnlySpan<char> text) => !text.IsEmpty && !text.ContainsAnyExcept(TokenChars);

    public static bool IsIceText(ReadOnlySpan<char> text) => !text.ContainsAnyExcept(IceChars);

    /// <summary>Takes the text up to the next space, skipping spaces before it; empty at the end.</summary>
    public static ReadOnlySpan<char> NextWord(ref ReadOnlySpan<char> text)
    {
        text = text.TrimStart(' ');
        var end = text.IndexOf(' ');
        var word = end < 0 ? text : text[..end];
        text = end < 0 ? default : text[(end + 1)..];
        return word;
    }

    /// <summary>Digits only: no sign, no space, nothing above <paramref name="max"/>.</summary>
    public static bool TryNumber(ReadOnlySpan<char> text, int max, out int number)
    {
        var isNumber = TryNumber(text, (long)max, out var value);
        number = (int)value;
        return isNumber;
    }

    public static bool TryNumber(ReadOnlySpan<char> text, long max, out long number)
    {
        number = 0;
        if (text.IsEmpty || text.Length > 19)
            return false;
        foreach (var digit in text)
        {
            if (!char.IsAsciiDigit(digit) || number > (max - (digit - '0')) / 10)
            {
                number = 0;
                return false;
            }
            number = number * 10 + (digit - '0');
        }
        return true;
    }
}
