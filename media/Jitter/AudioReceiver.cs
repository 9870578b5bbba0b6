namespace VoiceGrains.Media;

/// <summary>
/// The sound of one remote Opus stream, in step with the local clock whatever the network does: an adaptive jitter buffer, decoder, loss concealment and
/// compensation of the two clocks' drift. Takes no lock and allocates nothing once it has seen the sender's longest packets.
/// </summary>
/// <remarks>
/// One thread puts and resets, another one takes; <see cref="Statistics"/> is for any. Packets travel between the two in 128 slots (2.5 s of usual packets);
/// when those are full, because nothing is taken, the newest is discarded.
/// </remarks>
public sealed partial class AudioReceiver : IDisposable
{
    private const int Slots = 128;
    private readonly PacketPipe _arrived = new(Slots);
    private readonly PacketPipe _free = new(Slots);
    private readonly SampleClock _samples;
    private readonly TimeProvider _clock;
    private long _discardedByPut;       // by the putting thread only
    private int _stream;                // likewise

    /// <exception cref="ArgumentOutOfRangeException">Opus knows no such rate, or the delays are not in order or beyond 10 ms to 500 ms.</exception>
    public AudioReceiver(AudioReceiverOptions options, TimeProvider clock)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(options.MinDelay, TimeSpan.FromMilliseconds(10), nameof(options.MinDelay));
        ArgumentOutOfRangeException.ThrowIfLessThan(options.MaxDelay, options.MinDelay, nameof(options.MaxDelay));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(options.MaxDelay, TimeSpan.FromMilliseconds(500), nameof(options.MaxDelay));
        _decoder = new OpusDecoder(options.SampleRateHz);
        _clock = clock;
        _samples = new SampleClock(OpusPacket.ClockRateHz, clock.TimestampFrequency);
        _ratio = OpusPacket.ClockRateHz / options.SampleRateHz;
        _sound = new SoundBuffer(options.SampleRateHz);
        _maxWait = (int)_samples.ToSamples(options.MaxDelay) + MostExcess;
        _delays = new DelayEstimator((int)_samples.ToSamples(options.MinDelay), (int)_samples.ToSamples(options.MaxDelay), (int)_samples.ToSamples(options.InitialDelay));
        for (var i = 0; i < Slots; i++)
            _free.TryWrite(new ReceivedPacket());
    }

    /// <summary>Rate of the PCM taken.</summary>
    public int SampleRateHz => _decoder.SampleRateHz;

    /// <summary>A snapshot.</summary>
    public AudioReceiverStatistics Statistics => ReadStatistics();

    /// <summary>Takes in a packet, in whatever order it came. Copies it; never blocks, never throws.</summary>
    /// <param name="sequence">RTP sequence number.</param>
    /// <param name="timestamp">RTP timestamp, 48 kHz.</param>
    /// <param name="opus">RTP payload. Untrusted.</param>
    public void Put(ushort sequence, uint timestamp, ReadOnlySpan<byte> opus)
    {
        if (opus.Length > ReceivedPacket.MaxBytes || !_free.TryRead(out var packet))
        {
            Volatile.Write(ref _discardedByPut, _discardedByPut + 1);
            return;
        }
        packet.Fill(sequence, timestamp, opus, _samples.ToSamples(_clock.GetTimestamp()), _stream);
        _arrived.TryWrite(packet);      // as many places as slots
    }

    /// <summary>What is put from now on is of another stream (its SSRC changed): nothing of the old one's numbering or sound holds. By the putting thread.</summary>
    public void Reset() => _stream++;

    /// <summary>Fills <paramref name="pcm"/> with the sound that is due now; call it in step with the clock.</summary>
    /// <param name="pcm">Usually 10 or 20 ms.</param>
    public void Take(Span<short> pcm)
    {
        _now = _samples.ToSamples(_clock.GetTimestamp());
        _piece = pcm.Length * _ratio;
        Receive();
        for (var filled = 0; filled < pcm.Length; filled += _sound.Read(pcm[filled..]))
        {
            _taken = filled;
            if (_sound.Count == 0)
                Produce();
        }
        _sinceStretch = Math.Min(_sinceStretch + _piece, OpusPacket.ClockRateHz);
        PublishDelays();
    }

    /// <summary>Frees the decoder. Not while another thread takes.</summary>
    public void Dispose() => _decoder.Dispose();
}
