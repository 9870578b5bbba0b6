namespace VoiceGrains.Providers.Tests.Speech;

/// <summary>Word errors as the field counts them: substitutions, insertions and deletions.</summary>
internal static class WordErrors
{
    public static int Count(string said, string heard)
    {
        var (reference, hypothesis) = (Words(said), Words(heard));
        var row = Enumerable.Range(0, hypothesis.Length + 1).ToArray();
        for (var i = 1; i <= reference.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= hypothesis.Length; j++)
            {
                var substituted = diagonal + (reference[i - 1] == hypothesis[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(substituted, Math.Min(row[j], row[j - 1]) + 1);
            }
        }
        return row[^1];
    }

    public static string[] Words(string text)
        => new string([.. text.ToLowerInvariant().Select(c => char.IsLetterOrDigit(c) || c == '\'' ? c : ' ')])
            .Split(' ', StringSplitOptions.RemoveEmptyEntries);
}
