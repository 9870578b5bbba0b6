namespace VoiceGrains.Media;

/// <summary>
/// Records a call as it happens: 16-bit stereo WAV, user left, agent right, each sample at its place on the call clock. Writing allocates nothing and
/// waits for nothing but a copy; <see cref="RunAsync"/> moves what is older than half a second to the stream and keeps the header right,
/// so that a killed process leaves a playable file up to the last second.
/// </summary>
/// <remarks>User, agent and <see cref="RunAsync"/> may be three threads. When the stream stalls for more than 5 s, what does not fit is dropped and counted.</remarks>
public sealed class StereoRecorder : IAsyncDisposable
{
    private const int User = 0, Agent = 1;
    private static readonly TimeSpan s_settle = TimeSpan.FromMilliseconds(500);     // late sound and clears still change this much
    private static readonly TimeSpan s_flushPeriod = TimeSpan.FromMilliseconds(400);
    private static readonly TimeSpan s_window = TimeSpan.FromSeconds(40);           // 35 s of agent sound ahead, 5 s for a slow stream
    private readonly Lock _gate = new();
    private readonly SemaphoreSlim _writing = new(1);
    private readonly TimeProvider _time;
    private readonly SampleClock _clock;
    private readonly WavWriter _writer;
    private readonly StereoTimeline _timeline;
    private readonly ArrivalClock _arrivals;
    private readonly short[] _scratch = new short[2 * StereoTimeline.ChunkFrames];
    private readonly long _settleSamples;
    private long _agentEnd;
    private long _dropped;
    private bool _isDisposed;

    /// <param name="destination">Should be able to seek; stays open and the caller's.</param>
    /// <param name="sampleRateHz">Of both sides and of the file.</param>
    /// <param name="clock">The call clock starts now.</param>
    public StereoRecorder(Stream destination, int sampleRateHz, TimeProvider clock)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(sampleRateHz, 8_000);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(sampleRateHz, 48_000);
        _time = clock;
        _clock = new SampleClock(sampleRateHz, clock.TimestampFrequency);
        _writer = new WavWriter(destination, sampleRateHz, channels: 2);
        _timeline = new StereoTimeline((int)_clock.ToSamples(s_window));
        _arrivals = new ArrivalClock(sampleRateHz);
        _settleSamples = _clock.ToSamples(s_settle);
        SampleRateHz = sampleRateHz;
        OriginTimestamp = clock.GetTimestamp();
    }

    public int SampleRateHz { get; }

    /// <summary>Timestamp of position 0. Default: when this object was made.</summary>
    public long OriginTimestamp { get; init; }

    /// <summary>The call clock, in samples.</summary>
    public long PositionNow => PositionAt(_time.GetTimestamp());

    /// <summary>Samples lost because the stream stalled.</summary>
    public long Dropped => Interlocked.Read(ref _dropped);

    /// <summary>A timestamp's place on the call clock, in samples; negative before its start.</summary>
    public long PositionAt(long timestamp) => _clock.ToSamples(timestamp - OriginTimestamp);

    /// <summary>Adds the user's sound as it arrives: without gaps in spite of jitter, with silence where it paused, and without drift.</summary>
    public void WriteUser(ReadOnlySpan<short> pcm)
    {
        if (pcm.IsEmpty)
            return;
        lock (_gate)
        {
            if (_isDisposed)
                return;
            var position = _arrivals.Place(pcm.Length, PositionNow, out var correction);
            if (correction < 0)
                pcm = pcm[..^1];
            Write(pcm, position, User);
            if (correction > 0)
                Write(pcm[^1..], position + pcm.Length, User);
        }
    }

    /// <summary>Adds the agent's sound where it will be played, up to 35 s ahead; what was there is replaced.</summary>
    public void WriteAgent(ReadOnlySpan<short> pcm, long samplePosition)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(samplePosition);
        lock (_gate)
        {
            if (_isDisposed)
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

    /// <summary>The owner's loop: writes to the stream about every 0.4 s until <paramref name="cancellationToken"/> fires, then returns.</summary>
    /// <exception cref="IOException">The stream failed; the recording ends with what was flushed before.</exception>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(s_flushPeriod, _time);
        try
        {
            while (await timer.WaitForNextTickAsync(cancellationToken).ConfigureAwait(false))
                await FlushSettledAsync().ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
        }
    }

    /// <summary>Writes the rest, up to now: agent sound that was not played yet is not part of the call. Leaves the stream open.</summary>
    public async ValueTask DisposeAsync()
    {
        long end;
        lock (_gate)
        {
            if (_isDisposed)
                return;
            _isDisposed = true;
            end = Math.Max(PositionNow, _arrivals.Next);
            _timeline.Clear(PositionNow, _agentEnd, Agent);
        }
        await FlushAsync(end).ConfigureAwait(false);
    }

    /// <summary>One round of <see cref="RunAsync"/>.</summary>
    internal Task FlushSettledAsync() => FlushAsync(PositionNow - _settleSamples);

    /// <summary>Not cancellable: half a write would shift all that follows.</summary>
    private async Task FlushAsync(long end)
    {
        await _writing.WaitAsync(CancellationToken.None).ConfigureAwait(false);
        try
        {
            int frames;
            while ((frames = Read(end)) > 0)
                await _writer.WriteAsync(_scratch.AsMemory(0, 2 * frames), CancellationToken.None).ConfigureAwait(false);
            await _writer.FlushAsync(CancellationToken.None).ConfigureAwait(false);
        }
        finally
        {
            _writing.Release();
        }
    }

    private int Read(long end)
    {
        lock (_gate)
            return _timeline.Read(end, _scratch);
    }

    private void Write(ReadOnlySpan<short> pcm, long position, int channel)
    {
        var dropped = _timeline.Write(pcm, position, channel);
        if (dropped > 0)
            Interlocked.Add(ref _dropped, dropped);
    }
}
