namespace VoiceGrains.Media;

/// <summary>Takes a packet to send.</summary>
/// <param name="opus">RTP payload; valid during the call only.</param>
/// <param name="timestamp">RTP timestamp, 48 kHz.</param>
/// <param name="marker">RTP marker: the first packet, or the first one after time was left out.</param>
public delegate void OpusPacketHandler(ReadOnlySpan<byte> opus, uint timestamp, bool marker);

/// <summary>
/// The outbound Opus stream of one call: PCM goes in a little ahead of time, a packet comes out every 20 ms of the clock. Where no PCM waits silence is
/// sent, so that timestamps follow the clock. Takes no lock and allocates nothing per frame.
/// </summary>
/// <remarks>
/// One thread writes, one (a <see cref="Pacer"/>'s) ticks, any may clear or change the encoder's settings. Writers should stay 40 to 60 ms ahead: a frame
/// that is not whole when it is due is filled up with silence.
/// </remarks>
public sealed class OpusSender : IPaced, IDisposable
{
    private const int FrameDuration = OpusPacket.ClockRateHz / 50;
    private const int MostBehind = 5;           // frames sent at once after a stall; more would only be dropped at the far end
    private const int SettlingFrames = 15;      // 300 ms of silence
    private readonly OpusPacketHandler _send;
    private readonly SampleClock _clock;
    private readonly SampleRing _queue;
    private readonly short[] _frame;
    private readonly byte[] _packet = new byte[OpusEncoder.MaxPacketBytes];
    private int _length;
    private int _silentFrames;
    private uint _timestamp;
    private long _start;
    private long _frames;                       // sent or left out since the start
    private bool _isStarted;
    private bool _marks = true;
    private long _played;
    private long _packets;
    private long _leftOut;

    /// <exception cref="ArgumentOutOfRangeException">An option is out of its range.</exception>
    public OpusSender(OpusSenderOptions options, OpusPacketHandler send, TimeProvider clock)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(options.MaxQueued, TimeSpan.FromMilliseconds(20), nameof(options.MaxQueued));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(options.MaxQueued, TimeSpan.FromSeconds(30), nameof(options.MaxQueued));
        Encoder = new OpusEncoder(options.Encoder);
        _send = send;
        _clock = new SampleClock(OpusPacket.ClockRateHz, clock.TimestampFrequency);
        _queue = new SampleRing((int)(options.MaxQueued.TotalSeconds * options.Encoder.SampleRateHz));
        _frame = new short[Encoder.FrameSamples];
        _timestamp = options.FirstTimestamp;
    }

    /// <summary>For its bitrate and expected loss, which any thread may change.</summary>
    public OpusEncoder Encoder { get; }

    /// <summary>Rate of the PCM written.</summary>
    public int SampleRateHz => Encoder.SampleRateHz;

    /// <summary>Samples that wait to be sent.</summary>
    public int QueuedSamples => _queue.Count;

    /// <summary>Samples written that were sent; cleared ones and silence are not among them.</summary>
    public long PlayedSamples => Volatile.Read(ref _played);

    /// <summary>Packets sent.</summary>
    public long Packets => Volatile.Read(ref _packets);

    /// <summary>Frames left out because ticks came too late for them.</summary>
    public long LeftOutFrames => Volatile.Read(ref _leftOut);

    /// <summary>Queues sound; copies it. False: it does not fit, and none of it was queued.</summary>
    public bool TryWrite(ReadOnlySpan<short> pcm) => _queue.TryWrite(pcm);

    /// <summary>Drops what waits. A frame that a tick has taken already is still sent.</summary>
    public void Clear() => _queue.Clear();

    /// <summary>Sends the frames that are due: the first one at once, then one every 20 ms.</summary>
    public void Tick(long timestamp)
    {
        if (!_isStarted)
        {
            // A quarter of a frame early: due between two ticks of a pacer, frames leave as evenly as it ticks, not at times one tick later.
            (_isStarted, _start) = (true, timestamp - _clock.ToTicks(FrameDuration / 4));
        }
        var due = _clock.ToSamples(timestamp - _start) / FrameDuration + 1;
        if (due - _frames > MostBehind)
            LeaveOut(due - _frames - 1);
        while (_frames < due)
            SendFrame();
    }

    /// <summary>Frees the encoder. Not while another thread ticks.</summary>
    public void Dispose() => Encoder.Dispose();

    private void SendFrame()
    {
        var samples = _queue.Read(_frame);
        _silentFrames = samples == 0 ? _silentFrames + 1 : 0;
        // Encoding silence costs most of what speech does. Once encoder and decoder have come to rest, the same packet again keeps both there.
        if (_silentFrames <= SettlingFrames)
        {
            _frame.AsSpan(samples).Clear();
            _length = Encoder.Encode(_frame, _packet);
        }
        _send(_packet.AsSpan(0, _length), _timestamp, _marks);
        _marks = false;
        _timestamp += FrameDuration;
        _frames++;
        Volatile.Write(ref _played, _played + samples);
        Volatile.Write(ref _packets, _packets + 1);
    }

    private void LeaveOut(long frames)
    {
        _timestamp += (uint)(frames * FrameDuration);
        _frames += frames;
        _marks = true;
        Volatile.Write(ref _leftOut, _leftOut + frames);
    }
}
