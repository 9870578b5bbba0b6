namespace VoiceGrains.Media;

/// <summary>
/// Both sides of a call on one clock: user left, agent right, each sample at its place. Written as the sound comes and goes, read from the front.
/// Writing allocates nothing and waits for nothing but a copy. Thread-safe.
/// </summary>
public sealed class StereoSound
{
    private const int User = 0, Agent = 1;
    private readonly Lock _gate = new();
    private readonly TimeProvider _time;
    private readonly SampleClock _clock;
    private readonly StereoTimeline _timeline;
    private readonly ArrivalClock _arrivals;
    private long _agentEnd;
    private long _dropped;
    private bool _isClosed;

    /// <param name="sampleRateHz">Of both sides, 8,000 to 48,000.</param>
    /// <param name="window">From the first sample not read to the last that can be written; what lies after it is dropped and counted.</param>
    /// <param name="clock">The call clock starts now.</param>
    public StereoSound(int sampleRateHz, TimeSpan window, TimeProvider clock)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(sampleRateHz, 8_000);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(sampleRateHz, 48_000);
        _time = clock;
        _clock = new SampleClock(sampleRateHz, clock.TimestampFrequency);
        _timeline = new StereoTimeline((int)_clock.ToSamples(window));
        _arrivals = new ArrivalClock(sampleRateHz);
        SampleRateHz = sampleRateHz;
        OriginTimestamp = clock.GetTimestamp();
    }

    public int SampleRateHz { get; }

    /// <summary>Timestamp of position 0. Default: when this object was made.</summary>
    public long OriginTimestamp { get; init; }

    /// <summary>The call clock, in samples.</summary>
    public long PositionNow => PositionAt(_time.GetTimestamp());

    /// <summary>Samples lost because nobody read in time.</summary>
    public long Dropped => Interlocked.Read(ref _dropped);

    /// <summary>The first sample not read.</summary>
    public long Start
    {
        get
        {
            lock (_gate)
                return _timeline.Start;
        }
    }

    /// <summary>A timestamp's place on the call clock, in samples; negative before its start.</summary>
    public long PositionAt(long timestamp) => _clock.ToSamples(timestamp - OriginTimestamp);

    /// <summary>Adds the user's sound as it arrives: without gaps in spite of jitter, with silence where it paused, and without drift.</summary>
    public void WriteUser(ReadOnlySpan<short> pcm)
    {
        if (pcm.IsEmpty)
            return;
        lock (_gate)
        {
            if (_isClosed)
                return;
            var position = _arrivals.Place(pcm.Length, PositionNow, _timeline.Start, out var correction);
            if (correction < 0)
                pcm = pcm[..^1];
            Write(pcm, position, User);
            if (correction > 0)
                Write(pcm[^1..], position + pcm.Length, User);
        }
    }

    /// <summary>Adds the agent's sound where it will be played; what was there is replaced, what was read already is left out.</summary>
    public void WriteAgent(ReadOnlySpan<short> pcm, long samplePosition)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(samplePosition);
        lock (_gate)
        {
            if (_isClosed)
                return;
            Write(pcm, samplePosition, Agent);
            _agentEnd = Math.Max(_agentEnd, samplePosition + pcm.Length);
        }
    }

    /// <summary>Wipes the agent's sound from a position on: it was cleared before it was played.</summary>
    public void TruncateAgent(long samplePosition)
    {
        lock (_gate)
        {
            _timeline.Clear(samplePosition, _agentEnd, Agent);
            _agentEnd = Math.Min(_agentEnd, samplePosition);
        }
    }

    /// <summary>Moves frames before <paramref name="end"/> out of the window, interleaved: as many as lie together in memory, so call it until 0.</summary>
    /// <returns>Frames read.</returns>
    public int Read(long end, Span<short> interleaved)
    {
        lock (_gate)
            return _timeline.Read(end, interleaved);
    }

    /// <summary>Takes no more sound, and forgets the agent's that was not played yet.</summary>
    /// <returns>Where the sound ends.</returns>
    public long Close()
    {
        lock (_gate)
        {
            _isClosed = true;
            _timeline.Clear(PositionNow, _agentEnd, Agent);
            return Math.Max(PositionNow, _arrivals.Next);
        }
    }

    private void Write(ReadOnlySpan<short> pcm, long position, int channel)
    {
        var dropped = _timeline.Write(pcm, position, channel);
        if (dropped > 0)
            Interlocked.Add(ref _dropped, dropped);
    }
}
