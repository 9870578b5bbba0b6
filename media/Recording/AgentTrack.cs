namespace VoiceGrains.Media;

/// <summary>
/// Puts what a <see cref="Playout"/> sends into a <see cref="StereoSound"/> of any rate, where it is heard: it bridges their rates and their
/// origins, and takes the resampler's look-ahead out, which would tear a hole into each frame. Not thread-safe: call it from the playout's sink.
/// </summary>
/// <param name="sound">Gets it; stays the caller's.</param>
/// <param name="sampleRateHz">The playout's rate.</param>
/// <param name="originTimestamp">The playout's <see cref="Playout.OriginTimestamp"/>.</param>
public sealed class AgentTrack(StereoSound sound, int sampleRateHz, long originTimestamp) : IDisposable
{
    private readonly Resampler _resampler = new(sampleRateHz, sound.SampleRateHz);
    private readonly long _offset = sound.PositionAt(originTimestamp);
    private short[] _buffer = [];
    private long _expected = -1;        // where the next frame follows without a gap, in the playout's samples; -1: nowhere
    private long _next;                 // where the resampler's next sample belongs, in the sound's samples

    /// <summary>As <see cref="IPlayoutSink.TrySend"/> gets it.</summary>
    public void Write(ReadOnlySpan<short> pcm, long playSamplePosition)
    {
        if (playSamplePosition != _expected)
        {
            Flush();
            _next = ToSound(playSamplePosition);
        }
        _expected = playSamplePosition + pcm.Length;
        Put(_resampler.Process(pcm, Room(_resampler.MaxOutput(pcm.Length))));
    }

    /// <summary>As <see cref="IPlayoutSink.OnCleared"/> gets it, for a far end that can clear: wipes what was not heard.</summary>
    public void Truncate(long playSamplePosition)
    {
        _resampler.Reset();
        _expected = -1;
        sound.TruncateAgent(ToSound(playSamplePosition));
    }

    public void Dispose()
    {
        Flush();
        _resampler.Dispose();
    }

    /// <summary>A pause follows: what the resampler holds back belongs before it.</summary>
    private void Flush()
    {
        if (_expected < 0)
            return;
        _expected = -1;
        Put(_resampler.Drain(Room(_resampler.MaxDrain)));
    }

    private void Put(int samples)
    {
        sound.WriteAgent(_buffer.AsSpan(0, samples), _next);
        _next += samples;
    }

    private long ToSound(long position)
    {
        var (seconds, rest) = Math.DivRem(position, sampleRateHz);
        return Math.Max(0, _offset + seconds * sound.SampleRateHz + rest * sound.SampleRateHz / sampleRateHz);
    }

    private Span<short> Room(int samples)
    {
        if (_buffer.Length < samples)
            _buffer = new short[samples];
        return _buffer;
    }
}
