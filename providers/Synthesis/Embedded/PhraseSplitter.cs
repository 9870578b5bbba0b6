namespace VoiceGrains.Providers.Synthesis.Embedded;

/// <summary>How the voice rests after a phrase.</summary>
internal enum PhraseEnd : byte { Joined, Clause, Sentence }

/// <summary>A stretch of a <see cref="SpokenText"/> that is synthesized in one go.</summary>
internal readonly record struct PhraseRange(int Start, int End, PhraseEnd Ending);

/// <summary>Cuts long text where a reader would breathe, so that no request to an engine is long, and cancelling is quick.</summary>
internal static class PhraseSplitter
{
    public const int MaxLength = 300;

    public static IEnumerable<PhraseRange> Split(string text)
    {
        for (var start = 0; start < text.Length;)
        {
            var end = text.Length - start <= MaxLength ? text.Length : start + Cut(text.AsSpan(start, MaxLength));
            if (HasSpeech(text.AsSpan(start, end - start)))
                yield return new(start, end, Ending(text.AsSpan(start, end - start), end == text.Length));
            start = end;
        }
    }

    private static bool HasSpeech(ReadOnlySpan<char> text)
    {
        foreach (var c in text)
            if (char.IsLetterOrDigit(c) || char.IsSurrogate(c))
                return true;
        return false;
    }

    private static int Cut(ReadOnlySpan<char> window)
    {
        for (var at = window.Length - 1; at > window.Length / 4; at--)
            if (char.IsWhiteSpace(window[at]) && window[at - 1] is ('.' or '!' or '?'))
                return at + 1;
        for (var at = window.Length - 1; at > window.Length / 4; at--)
            if (char.IsWhiteSpace(window[at]) && window[at - 1] is (',' or ';' or ':'))
                return at + 1;
        var space = window.LastIndexOf(' ');
        return space > 0 ? space + 1 : window.Length - (char.IsHighSurrogate(window[^1]) ? 1 : 0);
    }

    private static PhraseEnd Ending(ReadOnlySpan<char> phrase, bool last)
    {
        var spoken = phrase.TrimEnd();
        if (spoken.Length > 1 && spoken[^1] is '"' or '\'' or ')')
            spoken = spoken[..^1];
        return spoken[^1] is '.' or '!' or '?' or '。' or '！' or '？' || phrase.Contains('\n') && last ? PhraseEnd.Sentence
            : last || spoken[^1] is ',' or ';' or ':' ? PhraseEnd.Clause
            : PhraseEnd.Joined;
    }
}
