using System.Buffers;
using VoiceGrains.Media;
using VoiceGrains.Providers.Synthesis;

namespace VoiceGrains.Grains.Calls.Conversations;

/// <summary>Resamples one utterance into the playout and tells its timeline what the chunks say of words.</summary>
internal sealed class SoundWriter(Playout playout, Utterance utterance) : IAsyncDisposable
{
    private const int QueuePart = 8192;
    private Resampler? _resampler;
    private short[] _buffer = [];
    private long _sourceSamples;
    private int _sourceRate;

    public async ValueTask<bool> WriteAsync(SpeechChunk chunk)
    {
        if (_sourceRate == 0) _sourceRate = chunk.SampleRateHz;
        _sourceSamples += chunk.Pcm.Length;
        utterance.Timeline.Add(chunk, (double)_sourceSamples / _sourceRate);
        if (_sourceRate == playout.SampleRateHz) return await QueueAsync(chunk.Pcm);
        _resampler ??= new Resampler(_sourceRate, playout.SampleRateHz);
        var samples = _resampler.Process(chunk.Pcm.Span, Room(_resampler.MaxOutput(chunk.Pcm.Length)));
        return await QueueAsync(_buffer.AsMemory(0, samples));
    }

    public async ValueTask FinishAsync()
    {
        utterance.Timeline.Complete(_sourceRate == 0 ? 0 : (double)_sourceSamples / _sourceRate);
        if (_resampler is null) return;
        var samples = _resampler.Drain(Room(_resampler.MaxDrain));
        await QueueAsync(_buffer.AsMemory(0, samples));
    }

    /// <summary>In parts that the playout copies at one go.</summary>
    private async ValueTask<bool> QueueAsync(ReadOnlyMemory<short> pcm)
    {
        for (; !pcm.IsEmpty; pcm = pcm[Math.Min(pcm.Length, QueuePart)..])
        {
            if (!await playout.WriteAsync(utterance.Id, pcm[..Math.Min(pcm.Length, QueuePart)], utterance.Cancellation)) return false;
        }
        return true;
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
