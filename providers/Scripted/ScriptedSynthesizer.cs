using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using VoiceGrains.Providers.Synthesis;

namespace VoiceGrains.Providers.Scripted;

/// <summary>Speaks each word as a tone of one length, cut from memory: exact word timings at any rate, without work.</summary>
public sealed class ScriptedSynthesizer(ScriptedOptions options) : ISynthesizer
{
    private const double Amplitude = 6_000;

    /// <summary>One word's tone for each sample rate that was asked for (a handful).</summary>
    private readonly ConcurrentDictionary<int, ReadOnlyMemory<short>> _tones = new();

    /// <inheritdoc/>
    public async IAsyncEnumerable<SpeechChunk> SynthesizeAsync(
        SynthesisRequest request, IAsyncEnumerable<string> text, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var rate = request.PreferredSampleRateHz;
        var tone = _tones.GetOrAdd(rate, MakeTone);
        var (textStart, samples) = (0, 0L);
        await foreach (var piece in text.WithCancellation(cancellationToken).ConfigureAwait(false))
        {
            foreach (var (start, end) in Words(piece))
            {
                var timing = new WordTiming(textStart + start, textStart + end, Time(samples, rate), Time(samples + tone.Length, rate));
                samples += tone.Length;
                yield return new SpeechChunk(tone, rate, [timing]) { TextEnd = textStart + end };
            }
            textStart += piece.Length;
        }
    }

    private static TimeSpan Time(long samples, int rate) => TimeSpan.FromTicks(samples * TimeSpan.TicksPerSecond / rate);

    private static IEnumerable<(int Start, int End)> Words(string piece)
    {
        for (var at = 0; at < piece.Length;)
        {
            while (at < piece.Length && char.IsWhiteSpace(piece[at]))
                at++;
            var start = at;
            while (at < piece.Length && !char.IsWhiteSpace(piece[at]))
                at++;
            if (at > start) yield return (start, at);
        }
    }

    private ReadOnlyMemory<short> MakeTone(int rate)
    {
        var tone = new short[rate * 60 / options.WordsPerMinute];
        for (var i = 0; i < tone.Length; i++)
            tone[i] = (short)(Amplitude * Math.Sin(2 * Math.PI * options.ToneHz * i / rate) * Math.Min(1, Math.Min(i, tone.Length - 1 - i) / (rate * 0.005)));
        return tone;
    }
}
