using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.Media;

namespace VoiceGrains.Grains.Calls.DataConnections;

/// <summary>
/// The sound of a call for its data connection: frames of 20 ms in real time, with silence where nobody speaks, user and agent where they were heard.
/// Separated sound is interleaved stereo, user left, agent right, as in recordings.
/// </summary>
internal sealed class DataConnectionAudio : IPaced, IDisposable
{
    private const int DefaultRateHz = 16_000;
    private const int FramesPerSecond = 50;
    // A pacer that was held up catches up without holding up its other calls.
    private const int MostFramesPerTick = 50;
    /// <summary>Clients buffer up to 30 s of the agent's sound.</summary>
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(40);

    private readonly DataConnectionQueue _queue;
    private readonly UserTrack _user;
    private readonly IDisposable _pacing;
    private readonly short[] _frame;
    private readonly byte[] _bytes;
    private readonly int _frameSamples;
    private readonly long _delay;
    private readonly bool _isMixed;
    private long _next;

    public DataConnectionAudio(DataConnectionAudioConfig config, int userRateHz, DataConnectionOptions options, Pacer pacer, TimeProvider clock, out DataConnectionQueue queue)
    {
        var rate = config.SampleRate ?? DefaultRateHz;
        _isMixed = config.ChannelMode == ChannelMode.Mixed;
        Sound = new StereoSound(rate, Window, clock);
        _user = new UserTrack(Sound, userRateHz);
        _frameSamples = rate / FramesPerSecond;
        _frame = new short[2 * _frameSamples];
        _bytes = new byte[(_isMixed ? 1 : 2) * _frameSamples * sizeof(short)];
        _delay = (long)(options.AudioDelay.TotalSeconds * rate);
        BytesPerSecond = _bytes.Length * FramesPerSecond;
        _queue = queue = new DataConnectionQueue(options.MessageQueueBytes, _bytes.Length, Math.Max(1, (int)(options.AudioQueue.TotalSeconds * FramesPerSecond)));
        _pacing = pacer.Add(this);
    }

    /// <summary>Where the agent's sound goes.</summary>
    public StereoSound Sound { get; }

    public int BytesPerSecond { get; }

    /// <summary>The user's sound as it comes, at the medium's rate.</summary>
    public void WriteUser(ReadOnlySpan<short> pcm) => _user.Write(pcm);

    /// <summary>Sends what is left up to now; no more comes.</summary>
    public void Finish()
    {
        _pacing.Dispose();
        Send(Sound.Close());
    }

    void IPaced.Tick(long timestamp) => Send(Sound.PositionAt(timestamp) - _delay);

    public void Dispose()
    {
        _pacing.Dispose();
        _user.Dispose();
    }

    private void Send(long end)
    {
        for (var frames = 0; _next + _frameSamples <= end && frames < MostFramesPerTick; frames++)
        {
            for (var read = 0; read < _frameSamples;) read += Sound.Read(_next + _frameSamples, _frame.AsSpan(2 * read));
            _next += _frameSamples;
            if (_isMixed) Mix();
            Pcm.ToBytes(_frame.AsSpan(0, _bytes.Length / sizeof(short)), _bytes);
            _queue.AddAudio(_bytes);
        }
    }

    private void Mix()
    {
        for (var i = 0; i < _frameSamples; i++) _frame[i] = Pcm.Add(_frame[2 * i], _frame[(2 * i) + 1]);
    }
}
