using System.Threading.Channels;

namespace VoiceGrains.Providers.Synthesis.Embedded;

/// <summary>A spoken word of a phrase: characters of the phrase's text, samples from the phrase's first sample.</summary>
internal readonly record struct PhraseWord(int TextStart, int TextEnd, int FirstSample, int EndSample);

/// <summary>A stretch of a phrase's sound; the first one carries all words.</summary>
internal readonly record struct PhrasePart(short[] Pcm, int SampleRateHz, IReadOnlyList<PhraseWord> Words);

/// <summary>
/// One phrase on its way from a call to an engine thread and back. The sound queue needs no bound of its own: a phrase has at most
/// <see cref="PhraseSplitter.MaxLength"/> characters, and the engine thread must never wait for a slow listener.
/// </summary>
internal sealed class PhraseJob(string voice, string text, string? language)
{
    private readonly Channel<PhrasePart> parts = Channel.CreateUnbounded<PhrasePart>(new() { SingleReader = true, SingleWriter = true });
    private IReadOnlyList<PhraseWord> pendingWords = [];
    private int rateHz, position, first, end;
    private volatile bool cancelled;

    public string Voice => voice;
    public string Text => text;
    public string? Language => language;
    public bool IsCancelled => cancelled;
    public ChannelReader<PhrasePart> Parts => parts.Reader;

    public void Cancel() => cancelled = true;

    /// <summary>Engine side: what is about to be written. Sound outside <paramref name="firstSample"/> to <paramref name="endSample"/> is silence and left out.</summary>
    public void Begin(int sampleRateHz, List<PhraseWord> words, int firstSample, int endSample)
    {
        (rateHz, first, end) = (sampleRateHz, Math.Max(0, firstSample), endSample);
        pendingWords = words.ConvertAll(word => word with { FirstSample = Math.Max(0, word.FirstSample - first), EndSample = Math.Max(0, word.EndSample - first) });
    }

    /// <summary>Engine side: the next samples. False when nobody listens any more.</summary>
    public bool Write(ReadOnlySpan<short> pcm)
    {
        var from = Math.Clamp(first - position, 0, pcm.Length);
        var to = Math.Clamp(end - position, from, pcm.Length);
        position += pcm.Length;
        if (cancelled)
            return false;
        if (to > from)
        {
            parts.Writer.TryWrite(new(pcm[from..to].ToArray(), rateHz, pendingWords));
            pendingWords = [];
        }
        return true;
    }

    public void Complete(Exception? fault = null) => parts.Writer.TryComplete(fault);
}
