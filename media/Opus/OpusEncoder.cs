namespace VoiceGrains.Media;

/// <summary>
/// Encodes one mono stream of speech with libopus, a packet for each 20 ms. Allocates nothing. One thread encodes; bitrate and expected loss may be set by
/// any other, and hold from the next frame on.
/// </summary>
public sealed class OpusEncoder : IDisposable
{
    /// <summary>The most bytes that a packet of 20 ms has (RFC 6716 §3.2.1, one frame and its table of contents).</summary>
    public const int MaxPacketBytes = 1_276;

    private readonly LibOpus.EncoderHandle _state;
    private volatile int _bitrate;
    private volatile int _loss;
    private int _bitrateInUse;
    private int _lossInUse;

    /// <exception cref="ArgumentOutOfRangeException">An option is out of its range.</exception>
    /// <exception cref="InvalidOperationException">libopus refused, which happens only without memory.</exception>
    public OpusEncoder(OpusEncoderOptions options)
    {
        OpusRates.Check(options.SampleRateHz);
        CheckRange(options.Complexity, 0, 10, nameof(options.Complexity));
        SampleRateHz = options.SampleRateHz;
        BitrateBps = options.BitrateBps;
        ExpectedLossPercent = options.ExpectedLossPercent;
        _state = LibOpus.EncoderCreate(options.SampleRateHz, 1, LibOpus.ApplicationVoip, out var error);
        if (error != 0 || _state.IsInvalid)
            throw new InvalidOperationException($"libopus made no encoder for {options.SampleRateHz} Hz: error {error}.");
        Set(LibOpus.SetComplexity, options.Complexity);
        Set(LibOpus.SetInbandFec, options.UsesFec ? 1 : 0);
        Set(LibOpus.SetDtx, options.UsesDtx ? 1 : 0);
        ApplyChanges();
    }

    public int SampleRateHz { get; }

    /// <summary>Samples of each frame, 20 ms.</summary>
    public int FrameSamples => SampleRateHz / 50;

    /// <summary>Bits per second, 6,000 to 510,000.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Another.</exception>
    public int BitrateBps
    {
        get => _bitrate;
        set
        {
            CheckRange(value, 6_000, 510_000, nameof(BitrateBps));
            _bitrate = value;
        }
    }

    /// <summary>Packets that the far end is expected to lose, 0 to 100 %: the more, the more bits go into the copies of packets before.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Another.</exception>
    public int ExpectedLossPercent
    {
        get => _loss;
        set
        {
            CheckRange(value, 0, 100, nameof(ExpectedLossPercent));
            _loss = value;
        }
    }

    /// <summary>Encodes the next 20 ms.</summary>
    /// <param name="pcm20ms">Exactly <see cref="FrameSamples"/>.</param>
    /// <param name="packet">Room for the packet. With less than <see cref="MaxPacketBytes"/> libopus makes it fit.</param>
    /// <returns>Bytes of the packet; 1 or 2 where discontinuous transmission left out a frame.</returns>
    /// <exception cref="ArgumentException">Another number of samples, or no room at all.</exception>
    public unsafe int Encode(ReadOnlySpan<short> pcm20ms, Span<byte> packet)
    {
        if (pcm20ms.Length != FrameSamples)
            throw new ArgumentException($"A frame has {FrameSamples} samples, not {pcm20ms.Length}.", nameof(pcm20ms));
        ApplyChanges();
        int written;
        fixed (short* pcm = pcm20ms)
        fixed (byte* data = packet)
            written = LibOpus.Encode(_state, pcm, pcm20ms.Length, data, Math.Min(packet.Length, MaxPacketBytes));
        return written > 0 ? written : throw new ArgumentException($"libopus encoded nothing into {packet.Length} bytes: error {written}.", nameof(packet));
    }

    public void Dispose() => _state.Dispose();

    private void ApplyChanges()
    {
        if (_bitrate is var bitrate && bitrate != _bitrateInUse)
            Set(LibOpus.SetBitrate, _bitrateInUse = bitrate);
        if (_loss is var loss && loss != _lossInUse)
            Set(LibOpus.SetPacketLossPercent, _lossInUse = loss);
    }

    private void Set(int request, int value)
    {
        var error = LibOpus.EncoderControl(_state, request, value);
        if (error != 0)
            throw new InvalidOperationException($"libopus took no {value} for request {request}: error {error}.");
    }

    private static void CheckRange(int value, int least, int most, string name)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(value, least, name);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(value, most, name);
    }
}
