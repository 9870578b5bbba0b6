namespace VoiceGrains.Media;

/// <summary>Decodes one Opus stream with libopus. Stereo packets come out as mono where one channel is asked for. Allocates nothing. Not thread-safe.</summary>
public sealed class OpusDecoder : IDisposable
{
    private readonly LibOpus.DecoderHandle _state;

    /// <param name="sampleRateHz">Rate of the PCM: 8,000, 12,000, 16,000, 24,000 or 48,000, whatever the sender's.</param>
    /// <param name="channels">1 or 2, interleaved.</param>
    /// <exception cref="ArgumentOutOfRangeException">Opus knows no such rate or number of channels.</exception>
    /// <exception cref="InvalidOperationException">libopus refused, which happens only without memory.</exception>
    public OpusDecoder(int sampleRateHz, int channels = 1)
    {
        OpusRates.Check(sampleRateHz);
        ArgumentOutOfRangeException.ThrowIfLessThan(channels, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(channels, 2);
        (SampleRateHz, Channels) = (sampleRateHz, channels);
        _state = LibOpus.DecoderCreate(sampleRateHz, channels, out var error);
        if (error != 0 || _state.IsInvalid)
            throw new InvalidOperationException($"libopus made no decoder for {sampleRateHz} Hz: error {error}.");
    }

    public int SampleRateHz { get; }

    public int Channels { get; }

    /// <summary>Samples for each channel of the longest packet, 120 ms.</summary>
    public int MaxSamples => SampleRateHz / 1000 * 120;

    /// <summary>Decodes the next packet.</summary>
    /// <param name="packet">Untrusted. Packets of discontinuous transmission (1 or 2 bytes) give comfort noise.</param>
    /// <param name="pcm">Room for the whole packet: <see cref="MaxSamples"/> times <see cref="Channels"/> is always enough.</param>
    /// <returns>Samples written for each channel. 0: the packet is malformed, nothing was written, and the decoder is as before.</returns>
    /// <exception cref="ArgumentException"><paramref name="pcm"/> is too short for the packet.</exception>
    public unsafe int Decode(ReadOnlySpan<byte> packet, Span<short> pcm)
    {
        var samples = OpusPacket.Duration(packet) / (OpusPacket.ClockRateHz / SampleRateHz);
        if (samples == 0)
            return 0;
        CheckRoom(samples, pcm.Length);
        fixed (byte* data = packet)
        fixed (short* output = pcm)
            return Math.Max(0, LibOpus.Decode(_state, data, packet.Length, output, samples, 0));
    }

    /// <summary>Makes up the sound of a lost packet from what came before it (packet loss concealment).</summary>
    /// <param name="pcm">Filled whole: a multiple of 2.5 ms, at most 120 ms.</param>
    /// <returns>Samples written for each channel.</returns>
    /// <exception cref="ArgumentException">Not such a multiple.</exception>
    public unsafe int Conceal(Span<short> pcm)
    {
        var samples = Whole(pcm);
        fixed (short* output = pcm)
            return Written(LibOpus.Decode(_state, null, 0, output, samples, 0), samples);
    }

    /// <summary>
    /// Decodes the copy of the lost packet that <paramref name="next"/> carries (in-band forward error correction), and conceals where it carries none.
    /// Decode <paramref name="next"/> itself afterwards.
    /// </summary>
    /// <param name="next">The packet right after the lost one. Untrusted.</param>
    /// <param name="pcm">The lost packet's duration: a multiple of 2.5 ms, at most 120 ms. The copy fills the end of it, concealment the rest.</param>
    /// <returns>Samples written for each channel.</returns>
    /// <exception cref="ArgumentException">Not such a multiple.</exception>
    public unsafe int DecodeFec(ReadOnlySpan<byte> next, Span<short> pcm)
    {
        var samples = Whole(pcm);
        if (next.IsEmpty)
            return Conceal(pcm);
        int written;
        fixed (byte* data = next)
        fixed (short* output = pcm)
            written = LibOpus.Decode(_state, data, next.Length, output, samples, 1);
        return written == samples ? written : Conceal(pcm);
    }

    /// <summary>Forgets all sound, for the start of another stream.</summary>
    public void Reset() => LibOpus.DecoderControl(_state, LibOpus.ResetState);

    public void Dispose() => _state.Dispose();

    private int Whole(Span<short> pcm)
    {
        var samples = pcm.Length / Channels;
        if (samples == 0 || samples > MaxSamples || samples % (SampleRateHz / 400) != 0 || pcm.Length % Channels != 0)
            throw new ArgumentException($"{samples} samples of {SampleRateHz} Hz are no multiple of 2.5 ms up to 120 ms.", nameof(pcm));
        return samples;
    }

    private void CheckRoom(int samples, int available)
    {
        if (available < samples * Channels)
            throw new ArgumentException($"Needs room for {samples * Channels} samples, has {available}.", "pcm");
    }

    private static int Written(int result, int samples) =>
        result == samples ? samples : throw new InvalidOperationException($"libopus concealed nothing: error {result}.");
}
