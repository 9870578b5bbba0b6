using System.Text;

namespace VoiceGrains.Providers.Synthesis.External;

/// <summary>
/// A stretch of text that is timed as one: a word with the punctuation at it, or one character of a script that is written without spaces.
/// </summary>
/// <param name="Start">Offset of the first character.</param>
/// <param name="End">Offset after the last one.</param>
/// <param name="Key">Its letters and digits in lower case, to find it again however a provider writes it; empty for mere punctuation.</param>
internal readonly record struct SpokenToken(int Start, int End, string Key)
{
    /// <summary>Splits a text. Offsets begin at <paramref name="offset"/>.</summary>
    public static void Split(ReadOnlySpan<char> text, int offset, List<SpokenToken> tokens)
    {
        var start = -1;
        for (var at = 0; at < text.Length;)
        {
            Rune.DecodeFromUtf16(text[at..], out var rune, out var length);
            var isSpace = Rune.IsWhiteSpace(rune);
            if (start >= 0 && (isSpace || StandsAlone(rune)))
            {
                tokens.Add(Create(text, start, at, offset));
                start = -1;
            }
            if (start < 0 && !isSpace) start = at;
            at += length;
        }
        if (start >= 0) tokens.Add(Create(text, start, text.Length, offset));
    }

    /// <summary>Whether a new token begins with this character although no space comes before it.</summary>
    public static bool StandsAlone(Rune rune) => rune.Value is
        (>= 0x0E01 and <= 0x0E30) or (>= 0x0E40 and <= 0x0E46)          // Thai letters, without the marks above and below them
        or (>= 0x0E81 and <= 0x0EB0) or (>= 0x0EC0 and <= 0x0EC6)       // Lao
        or (>= 0x1000 and <= 0x102A) or (>= 0x1780 and <= 0x17B3)       // Myanmar, Khmer
        or (>= 0x3041 and <= 0x3096) or (>= 0x30A1 and <= 0x30FA)       // Hiragana, Katakana
        or (>= 0x3400 and <= 0x4DBF) or (>= 0x4E00 and <= 0x9FFF) or (>= 0xF900 and <= 0xFAFF) or (>= 0x20000 and <= 0x323AF);   // Han

    private static SpokenToken Create(ReadOnlySpan<char> text, int start, int end, int offset)
    {
        var key = new StringBuilder(end - start);
        foreach (var rune in text[start..end].EnumerateRunes())
        {
            if (Rune.IsLetterOrDigit(rune)) key.Append(Rune.ToLowerInvariant(rune).ToString());
        }
        return new(offset + start, offset + end, key.ToString());
    }
}
