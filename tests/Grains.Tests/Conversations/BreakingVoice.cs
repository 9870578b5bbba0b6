using System.Runtime.CompilerServices;
using VoiceGrains.Providers;
using VoiceGrains.Providers.Synthesis;

namespace VoiceGrains.Grains.Tests.Conversations;

/// <summary>A voice that fails when and how the test says, at any sample of an utterance.</summary>
internal sealed class BreakingVoice(ISynthesizer inner, TimeProvider clock) : ISynthesizer
{
    /// <summary>Null: it works.</summary>
    public ProviderException? Failure { get; set; }
    /// <summary>Samples of each utterance before it fails.</summary>
    public int BreaksAfter { get; set; }
    /// <summary>Silence before it fails; very long is one that hangs until it is cancelled.</summary>
    public TimeSpan Stalls { get; set; }
    /// <summary>Utterances whose text it was given.</summary>
    public int Requests { get; private set; }

    public async IAsyncEnumerable<SpeechChunk> SynthesizeAsync(
        SynthesisRequest request, IAsyncEnumerable<string> text, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var left = Failure is null ? int.MaxValue : BreaksAfter;
        await foreach (var chunk in inner.SynthesizeAsync(request, Count(text), cancellationToken))
        {
            if (chunk.Pcm.Length <= left)
            {
                left -= chunk.Pcm.Length;
                yield return chunk;
                continue;
            }
            if (left > 0) yield return chunk with { Pcm = chunk.Pcm[..left], TextEnd = -1 };
            if (Stalls > TimeSpan.Zero) await Task.Delay(Stalls, clock, cancellationToken);
            throw Failure!;
        }
        if (Failure is { } late) throw late;
    }

    private async IAsyncEnumerable<string> Count(IAsyncEnumerable<string> text)
    {
        var first = true;
        await foreach (var piece in text)
        {
            if (first) Requests++;
            first = false;
            yield return piece;
        }
    }
}
