using System.Buffers;
using VoiceGrains.Media;
using VoiceGrains.Providers.Synthesis;

namespace VoiceGrains.Grains.Calls.Conversations;

/// <summary>Resamples what one voice says of an utterance into the playout and tells its timeline what the chunks say of words.</summary>
/// <param name="from">Where the voice begins.</param>
internal sealed class SoundWriter(Playout playout, Utterance utterance, SpokenSoFar from) : IAsyncDisposable
{
    private const int QueuePart = 8192;
    private Resampler? _resampler;
    private short[] _buffer = [];
    private long _sourceSamples;
    private int _sourceRate;

    /// <summary>The utterance's samples in the playout.</summary>
    public long Samples { get; private set; } = from.Samples;

    /// <summary>The utterance's length with all sound that was given.</summary>
    private double Seconds => (double)from.Samples / playout.SampleRateHz + (_sourceRate == 0 ? 0 : (double)_sourceSamples / _sourceRate);

    /// <summary>False: the utterance was cleared.</summary>
    public async ValueTask<bool> WriteAsync(SpeechChunk chunk)
    {
        if (_sourceRate == 0) _sourceRate = chunk.SampleRateHz;
        _sourceSamples += chunk.Pcm.Length;
        utterance.Timeline.Add(Placed(chunk), Seconds);
        if (_sourceRate == playout.SampleRateHz) return await QueueAsync(chunk.Pcm);
        _resampler ??= new Resampler(_sourceRate, playout.SampleRateHz);
        var samples = _resampler.Process(chunk.Pcm.Span, Room(_resampler.MaxOutput(chunk.Pcm.Length)));
        return await QueueAsync(_buffer.AsMemory(0, samples));
    }

    /// <summary>All is said.</summary>
    public async ValueTask FinishAsync()
    {
        utterance.Timeline.Complete(Seconds);
        await DrainAsync();
    }

    /// <summary>No more comes of this voice: what the resampler holds goes out.</summary>
    public async ValueTask DrainAsync()
    {
        if (_resampler is null) return;
        var samples = _resampler.Drain(Room(_resampler.MaxDrain));
        await QueueAsync(_buffer.AsMemory(0, samples));
    }

    /// <summary>In parts that the playout copies at one go.</summary>
    private async ValueTask<bool> QueueAsync(ReadOnlyMemory<short> pcm)
    {
        while (!pcm.IsEmpty)
        {
            var part = pcm[..Math.Min(pcm.Length, QueuePart)];
            if (!await playout.WriteAsync(utterance.Id, part, utterance.Cancellation)) return false;
            Samples += part.Length;
            pcm = pcm[part.Length..];
        }
        return true;
    }

    /// <summary>As a voice counts from its own beginning, and the utterance from another's.</summary>
    private SpeechChunk Placed(SpeechChunk chunk)
    {
        if (from == default) return chunk;
        var start = TimeSpan.FromSeconds((double)from.Samples / playout.SampleRateHz);
        return chunk with
        {
            Words = [.. chunk.Words.Select(word => new WordTiming(word.TextStart + from.Text, word.TextEnd + from.Text, word.Start + start, word.End + start))],
            TextEnd = chunk.TextEnd < 0 ? -1 : chunk.TextEnd + from.Text,
            EstimatedTextEnd = chunk.EstimatedTextEnd < 0 ? -1 : chunk.EstimatedTextEnd + from.Text,
        };
    }

    public ValueTask DisposeAsync()
    {
        _resampler?.Dispose();
        if (_buffer.Length > 0) ArrayPool<short>.Shared.Return(_buffer);
        return ValueTask.CompletedTask;
    }

    private short[] Room(int samples)
    {
        if (_buffer.Length >= samples) return _buffer;
        if (_buffer.Length > 0) ArrayPool<short>.Shared.Return(_buffer);
        return _buffer = ArrayPool<short>.Shared.Rent(samples);
    }
}

/// <summary>How far an utterance is when a voice begins to speak it.</summary>
/// <param name="Text">Characters that need not be said any more.</param>
/// <param name="Samples">Sound of them in the playout.</param>
internal readonly record struct SpokenSoFar(int Text, long Samples);
