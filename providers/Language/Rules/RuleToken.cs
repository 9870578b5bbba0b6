namespace VoiceGrains.Providers.Language.Rules;

/// <summary>One word of heard or written text. A number, in digits or in words, is one token whose <see cref="Key"/> is its digits.</summary>
/// <param name="Key">What patterns compare: lower case, without punctuation.</param>
/// <param name="Start">Offset of the first character in the text.</param>
/// <param name="End">Offset after the last character.</param>
/// <param name="IsNumber">Whether <paramref name="Key"/> is a whole number in digits.</param>
internal readonly record struct RuleToken(string Key, int Start, int End, bool IsNumber)
{
    /// <summary>More words than this in one turn are ignored.</summary>
    public const int MaxTokens = 2_000;

    /// <summary>Splits text into words; punctuation separates, apostrophes are dropped ("what's" is "whats").</summary>
    public static List<RuleToken> Split(string text)
    {
        var words = new List<RuleToken>();
        var position = 0;
        while (position < text.Length && words.Count < MaxTokens)
        {
            if (!char.IsLetterOrDigit(text[position]))
            {
                position++;
                continue;
            }
            var start = position;
            while (position < text.Length && (char.IsLetterOrDigit(text[position]) || IsInsideWord(text, position)))
                position++;
            var key = text[start..position].ToLowerInvariant().Replace("'", "", StringComparison.Ordinal).Replace("’", "", StringComparison.Ordinal);
            words.Add(new(key, start, position, key.All(char.IsAsciiDigit)));
        }
        return NumberWords.Merge(words);
    }

    private static bool IsInsideWord(string text, int position)
        => text[position] is '\'' or '’' && position + 1 < text.Length && char.IsLetterOrDigit(text[position + 1]);
}
