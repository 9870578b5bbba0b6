using System.Runtime.InteropServices;
using VoiceGrains.Providers.Synthesis.Embedded;

namespace VoiceGrains.Providers.Synthesis.Espeak;

/// <summary>
/// Collects one phrase's sound and word events. Its words are known only with its end, so it is passed on whole; the library needs
/// about 5 ms for a second of speech.
/// </summary>
internal sealed class EspeakSound(PhraseJob job, int sampleRateHz)
{
    private const int Audible = 150;                         // of 32767; below it is silence
    private const int MaxSeconds = 120;                      // far above any phrase; stops a runaway
    private readonly List<short> samples = [];
    private readonly List<PhraseWord> words = [];
    private readonly int[] offsets = Offsets(job.Text);      // of each code point, and of the end

    public Exception? Fault { get; set; }

    public bool OnPcm(ReadOnlySpan<short> pcm)
    {
        samples.AddRange(pcm);
        return !job.IsCancelled && samples.Count < MaxSeconds * sampleRateHz;
    }

    public void OnEvent(int type, int position, int length, int milliseconds)
    {
        var at = (int)((long)Math.Max(0, milliseconds) * sampleRateHz / 1000);
        if (type is EspeakNative.EventWord or EspeakNative.EventEnd && words.Count > 0 && words[^1].EndSample == int.MaxValue)
            words[^1] = words[^1] with { EndSample = Math.Max(at, words[^1].FirstSample) };
        if (type == EspeakNative.EventWord && position >= 1 && position < offsets.Length)
            AddWord(offsets[position - 1], offsets[Math.Min(offsets.Length - 1, position - 1 + Math.Max(1, length))], at);
    }

    /// <summary>Passes the phrase on, without the silence around it.</summary>
    public void Deliver()
    {
        var pcm = CollectionsMarshal.AsSpan(samples);
        var (first, end) = (0, pcm.Length);
        while (first < end && Math.Abs((int)pcm[first]) < Audible)
            first++;
        while (end > first && Math.Abs((int)pcm[end - 1]) < Audible)
            end--;
        var margin = sampleRateHz / 50;   // 20 ms
        (first, end) = (Math.Max(0, first - margin), first == end ? first : Math.Min(pcm.Length, end + margin));
        for (var i = 0; i < words.Count; i++)
            words[i] = words[i] with { FirstSample = Math.Min(words[i].FirstSample, end), EndSample = Math.Min(words[i].EndSample, end) };
        WithPunctuation();
        job.Begin(sampleRateHz, words, first, end);
        var chunk = sampleRateHz / 5;     // 200 ms
        for (var at = 0; at < pcm.Length; at += chunk)
        {
            if (!job.Write(pcm.Slice(at, Math.Min(chunk, pcm.Length - at))))
                return;
        }
    }

    /// <summary>A number or an abbreviation tells its place again for each word it is read as: it stays one word.</summary>
    private void AddWord(int start, int end, int at)
    {
        while (start < end && char.IsWhiteSpace(job.Text[start]))
            start++;
        while (end > start && char.IsWhiteSpace(job.Text[end - 1]))
            end--;
        if (start == end)
            return;
        if (words.Count > 0 && start < words[^1].TextEnd)
            words[^1] = words[^1] with { TextEnd = Math.Max(end, words[^1].TextEnd), EndSample = int.MaxValue };
        else
            words.Add(new(start, end, at, int.MaxValue));
    }

    /// <summary>A word's text includes the punctuation at it, so that an utterance cut after a word reads naturally.</summary>
    private void WithPunctuation()
    {
        for (var i = 0; i < words.Count; i++)
        {
            var (start, end) = (words[i].TextStart, words[i].TextEnd);
            var from = i == 0 ? 0 : words[i - 1].TextEnd;
            var to = i + 1 < words.Count ? words[i + 1].TextStart : job.Text.Length;
            while (start > from && !char.IsWhiteSpace(job.Text[start - 1]))
                start--;
            while (end < to && !char.IsWhiteSpace(job.Text[end]))
                end++;
            words[i] = words[i] with { TextStart = start, TextEnd = end };
        }
    }

    private static int[] Offsets(string text)
    {
        var offsets = new List<int>(text.Length + 1);
        for (var at = 0; at < text.Length; at += char.IsSurrogatePair(text, at) ? 2 : 1)
            offsets.Add(at);
        offsets.Add(text.Length);
        return [.. offsets];
    }
}
