namespace VoiceGrains.Media;

/// <summary>
/// Records a call as it happens: 16-bit stereo WAV, user left, agent right, each sample at its place on the call clock. Writing allocates nothing and
/// waits for nothing but a copy; <see cref="RunAsync"/> moves what is older than half a second to the stream and keeps the header right,
/// so that a killed process leaves a playable file up to the last second.
/// </summary>
/// <remarks>User, agent and <see cref="RunAsync"/> may be three threads. When the stream stalls for more than 5 s, what does not fit is dropped and counted.</remarks>
public sealed class StereoRecorder : IAsyncDisposable
{
    private static readonly TimeSpan s_settle = TimeSpan.FromMilliseconds(500);     // late sound and clears still change this much
    private static readonly TimeSpan s_flushPeriod = TimeSpan.FromMilliseconds(400);
    private static readonly TimeSpan s_window = TimeSpan.FromSeconds(40);           // 35 s of agent sound ahead, 5 s for a slow stream
    private readonly SemaphoreSlim _writing = new(1);
    private readonly TimeProvider _time;
    private readonly WavWriter _writer;
    private readonly short[] _scratch = new short[2 * StereoTimeline.ChunkFrames];
    private readonly long _settleSamples;
    private volatile Exception? _failure;
    private int _isDisposed;

    /// <param name="destination">Should be able to seek; stays open and the caller's.</param>
    /// <param name="sampleRateHz">Of both sides and of the file.</param>
    /// <param name="clock">The call clock starts now.</param>
    public StereoRecorder(Stream destination, int sampleRateHz, TimeProvider clock)
    {
        Sound = new StereoSound(sampleRateHz, s_window, clock);
        _time = clock;
        _writer = new WavWriter(destination, sampleRateHz, channels: 2);
        _settleSamples = (long)(s_settle.TotalSeconds * sampleRateHz);
    }

    /// <summary>What is recorded. Agent sound can be up to 35 s ahead.</summary>
    public StereoSound Sound { get; }

    public int SampleRateHz => Sound.SampleRateHz;

    /// <summary>What the stream failed with; nothing is written any more after that. Null: it takes all.</summary>
    public Exception? Failure => _failure;

    /// <summary>Samples lost because the stream stalled.</summary>
    public long Dropped => Sound.Dropped;

    /// <inheritdoc cref="StereoSound.WriteUser"/>
    public void WriteUser(ReadOnlySpan<short> pcm) => Sound.WriteUser(pcm);

    /// <summary>The owner's loop: writes to the stream about every 0.4 s until <paramref name="cancellationToken"/> fires, then returns.</summary>
    /// <exception cref="IOException">The stream failed, as <see cref="Failure"/> tells from now on; the recording ends with what was flushed before.</exception>
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
    /// <exception cref="IOException">The stream fails now; one that had failed before is left alone.</exception>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) != 0)
            return;
        var end = Sound.Close();
        if (_failure is null)
            await FlushAsync(end).ConfigureAwait(false);
    }

    /// <summary>One round of <see cref="RunAsync"/>.</summary>
    internal Task FlushSettledAsync() => FlushAsync(Sound.PositionNow - _settleSamples);

    /// <summary>Not cancellable: half a write would shift all that follows.</summary>
    private async Task FlushAsync(long end)
    {
        await _writing.WaitAsync(CancellationToken.None).ConfigureAwait(false);
        try
        {
            int frames;
            while ((frames = Sound.Read(end, _scratch)) > 0)
                await _writer.WriteAsync(_scratch.AsMemory(0, 2 * frames), CancellationToken.None).ConfigureAwait(false);
            await _writer.FlushAsync(CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception failure)
        {
            _failure = failure;
            throw;
        }
        finally
        {
            _writing.Release();
        }
    }
}
