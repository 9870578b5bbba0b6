using Microsoft.Extensions.Logging.Abstractions;
using VoiceGrains.Media;
using VoiceGrains.Providers.Synthesis;
using VoiceGrains.Providers.Synthesis.Flite;

namespace VoiceGrains.Tests.Fakes.Voices;

/// <summary>A word in spoken text: characters of the text, seconds from its first sample.</summary>
internal readonly record struct FakeWord(int Start, int End, double From, double Until);

/// <summary>Real speech (flite's) of a text at the rate that a client asked for, with the times of its words.</summary>
internal sealed record FakeSpeech(string Text, short[] Pcm, int SampleRateHz, IReadOnlyList<FakeWord> Words)
{
    private const int FliteRateHz = 16_000;
    private static readonly FliteSynthesizer Flite = new(new FliteOptions { MaxThreads = 1 }, NullLoggerFactory.Instance);

    public double Seconds => (double)Pcm.Length / SampleRateHz;

    public static async Task<FakeSpeech> SpeakAsync(string text, int sampleRateHz, CancellationToken cancellationToken)
    {
        var pcm = new List<short>();
        var words = new List<FakeWord>();
        await foreach (var chunk in Flite.SynthesizeAsync(new SynthesisRequest("slt", FliteRateHz, "en"), Once(text), cancellationToken))
        {
            pcm.AddRange(chunk.Pcm.Span);
            words.AddRange(chunk.Words.Select(w => new FakeWord(w.TextStart, w.TextEnd, w.Start.TotalSeconds, w.End.TotalSeconds)));
        }
        return new(text, Resample([.. pcm], sampleRateHz), sampleRateHz, words);
    }

    /// <summary>The sound in parts of so many seconds, each with where it begins.</summary>
    public IEnumerable<(double From, double Until, short[] Pcm)> Parts(double seconds)
    {
        var size = (int)(seconds * SampleRateHz);
        for (var at = 0; at < Pcm.Length; at += size)
        {
            var part = Pcm[at..Math.Min(at + size, Pcm.Length)];
            yield return ((double)at / SampleRateHz, (double)(at + part.Length) / SampleRateHz, part);
        }
    }

    /// <summary>The time of each character: a word's are spread over it, what lies between words takes the time between them.</summary>
    public IEnumerable<(char Character, double From, double Until)> Characters()
    {
        var (at, time) = (0, 0.0);
        foreach (var word in Words.Append(new FakeWord(Text.Length, Text.Length, Seconds, Seconds)))
        {
            foreach (var spread in Spread(at, word.Start, time, word.From)) yield return spread;
            foreach (var spread in Spread(word.Start, word.End, word.From, word.Until)) yield return spread;
            (at, time) = (word.End, word.Until);
        }
    }

    private IEnumerable<(char, double, double)> Spread(int start, int end, double from, double until)
    {
        for (var i = start; i < end; i++)
            yield return (Text[i], from + (until - from) * (i - start) / (end - start), from + (until - from) * (i + 1 - start) / (end - start));
    }

    private static short[] Resample(short[] pcm, int rateHz)
    {
        if (rateHz == FliteRateHz || pcm.Length == 0) return pcm;
        using var resampler = new Resampler(FliteRateHz, rateHz);
        var output = new short[resampler.MaxOutput(pcm.Length) + resampler.MaxDrain];
        var written = resampler.Process(pcm, output);
        written += resampler.Drain(output.AsSpan(written));
        return output[..written];
    }

    private static async IAsyncEnumerable<string> Once(string text)
    {
        await Task.CompletedTask;
        yield return text;
    }
}
