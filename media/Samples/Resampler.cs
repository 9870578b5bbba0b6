namespace VoiceGrains.Media;

/// <summary>
/// Changes the sample rate of a mono stream with libspeexdsp. The filter's delay is taken out: output sample 0 is the sound of input sample 0.
/// The last few milliseconds stay in the filter until <see cref="Drain"/>. Equal rates are copied without a native call. Not thread-safe.
/// </summary>
public sealed class Resampler : IDisposable
{
    private const int MinRateHz = 8_000;
    private const int MaxRateHz = 48_000;
    private readonly SpeexDsp.ResamplerHandle? _state;

    /// <param name="inputRateHz">8,000 to 48,000.</param>
    /// <param name="outputRateHz">8,000 to 48,000.</param>
    /// <param name="quality">0 (fast) to 10 (best). Default 5, more than speech needs.</param>
    /// <exception cref="InvalidOperationException">libspeexdsp refused, which happens only without memory.</exception>
    public Resampler(int inputRateHz, int outputRateHz, int quality = 5)
    {
        CheckRate(inputRateHz, nameof(inputRateHz));
        CheckRate(outputRateHz, nameof(outputRateHz));
        ArgumentOutOfRangeException.ThrowIfNegative(quality);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(quality, 10);
        InputRateHz = inputRateHz;
        OutputRateHz = outputRateHz;
        if (inputRateHz == outputRateHz)
            return;
        _state = SpeexDsp.ResamplerInit(1, (uint)inputRateHz, (uint)outputRateHz, quality, out var error);
        if (error != 0 || _state.IsInvalid)
            throw new InvalidOperationException($"libspeexdsp made no resampler from {inputRateHz} to {outputRateHz} Hz: error {error}.");
        SpeexDsp.ResamplerSkipZeros(_state);
    }

    public int InputRateHz { get; }

    public int OutputRateHz { get; }

    /// <summary>The room that <see cref="Drain"/> needs, in output samples.</summary>
    public int MaxDrain => _state is null ? 0 : MaxOutput(SpeexDsp.ResamplerInputLatency(_state));

    /// <summary>The room that <see cref="Process"/> needs for so many input samples.</summary>
    public int MaxOutput(int inputSamples)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(inputSamples);
        return _state is null ? inputSamples : checked((int)(((long)inputSamples * OutputRateHz + InputRateHz - 1) / InputRateHz + 1));
    }

    /// <summary>Resamples the next stretch of the stream.</summary>
    /// <param name="input">Consumed whole.</param>
    /// <param name="output">At least <see cref="MaxOutput"/> samples; must not overlap the input.</param>
    /// <returns>Samples written. Less than the ratio says at first, as the filter looks ahead.</returns>
    /// <exception cref="ArgumentException"><paramref name="output"/> is too short; nothing was consumed.</exception>
    public int Process(ReadOnlySpan<short> input, Span<short> output)
    {
        CheckRoom(MaxOutput(input.Length), output.Length);
        if (_state is not null)
            return Run(input, output);
        input.CopyTo(output);
        return input.Length;
    }

    /// <summary>Writes what the filter still holds, then starts anew as after <see cref="Reset"/>.</summary>
    /// <param name="output">At least <see cref="MaxDrain"/> samples.</param>
    /// <returns>Samples written.</returns>
    /// <exception cref="ArgumentException"><paramref name="output"/> is too short.</exception>
    public int Drain(Span<short> output)
    {
        if (_state is null)
            return 0;
        CheckRoom(MaxDrain, output.Length);
        Span<short> zeros = stackalloc short[256];
        zeros.Clear();
        var written = 0;
        for (var left = SpeexDsp.ResamplerInputLatency(_state); left > 0; left -= zeros.Length)
            written += Run(zeros[..Math.Min(left, zeros.Length)], output[written..]);
        Reset();
        return written;
    }

    /// <summary>Forgets all sound, for the start of another stream.</summary>
    public void Reset()
    {
        if (_state is null)
            return;
        SpeexDsp.ResamplerReset(_state);
        SpeexDsp.ResamplerSkipZeros(_state);
    }

    public void Dispose() => _state?.Dispose();

    private unsafe int Run(ReadOnlySpan<short> input, Span<short> output)
    {
        var written = 0;
        fixed (short* from = input)
        fixed (short* to = output)
        {
            for (var read = 0; read < input.Length;)
            {
                var consumed = (uint)(input.Length - read);
                var produced = (uint)(output.Length - written);
                var error = SpeexDsp.ResamplerProcess(_state!, 0, from + read, ref consumed, to + written, ref produced);
                if (error != 0 || consumed + produced == 0)
                    throw new InvalidOperationException($"libspeexdsp stopped resampling: error {error}.");
                read += (int)consumed;
                written += (int)produced;
            }
        }
        return written;
    }

    private static void CheckRate(int rateHz, string name)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(rateHz, MinRateHz, name);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(rateHz, MaxRateHz, name);
    }

    private static void CheckRoom(int needed, int available)
    {
        if (available < needed)
            throw new ArgumentException($"Needs room for {needed} samples, has {available}.", "output");
    }
}
