using System.Runtime.InteropServices;
using VoiceGrains.Providers.Synthesis.Embedded;

namespace VoiceGrains.Providers.Synthesis.Flite;

/// <summary>Reads when each token of the text sounds out of flite's relations. A token may be several spoken words ("$12.50"); it is timed as one.</summary>
internal static class FliteWords
{
    private const string FirstSegmentBefore = "R:SylStructure.daughter.daughter.R:Segment.p.end";
    private const string LastSegmentEnd = "R:SylStructure.daughtern.daughtern.R:Segment.end";

    public static List<PhraseWord> Read(nint utterance, string text, int sampleRateHz)
    {
        var words = new List<PhraseWord>();
        if (FliteNative.HasRelation(utterance, "Token") == 0)
            return words;
        var cursor = 0;
        for (var token = FliteNative.Head(FliteNative.Relation(utterance, "Token")); token != 0; token = FliteNative.Next(token))
        {
            var name = Marshal.PtrToStringUTF8(FliteNative.Text(token, "name")) ?? "";
            var at = name.Length == 0 ? -1 : text.IndexOf(name, cursor, StringComparison.Ordinal);
            if (at < 0)
                continue;
            cursor = at + name.Length;
            if (Times(token) is var (start, end) && end > start)
                words.Add(new(at, cursor, (int)(start * sampleRateHz), (int)(end * sampleRateHz)));
        }
        WithPunctuation(words, text);
        return words;
    }

    private static (float Start, float End)? Times(nint token)
    {
        (float Start, float End)? times = null;
        for (var word = FliteNative.Daughter(token); word != 0; word = FliteNative.Next(word))
        {
            var end = FliteNative.Number(word, LastSegmentEnd);
            if (end > 0)   // a "word" such as the dot of an address has no sound
                times = (times?.Start ?? FliteNative.Number(word, FirstSegmentBefore), end);
        }
        return times;
    }

    /// <summary>A word's text includes the punctuation at it, so that an utterance cut after a word reads naturally.</summary>
    private static void WithPunctuation(List<PhraseWord> words, string text)
    {
        for (var i = 0; i < words.Count; i++)
        {
            var (start, end) = (words[i].TextStart, words[i].TextEnd);
            var from = i == 0 ? 0 : words[i - 1].TextEnd;
            var to = i + 1 < words.Count ? words[i + 1].TextStart : text.Length;
            while (start > from && !char.IsWhiteSpace(text[start - 1]))
                start--;
            while (end < to && !char.IsWhiteSpace(text[end]))
                end++;
            words[i] = words[i] with { TextStart = start, TextEnd = end };
        }
    }
}
