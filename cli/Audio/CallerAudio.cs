using VoiceGrains.Media;

namespace VoiceGrains.Cli.Audio;

/// <summary>Speech from a file, at the call's rate.</summary>
internal sealed record CallerAudio(string Name, short[] Samples, int SampleRateHz)
{
    private const int RawRateHz = 16_000;

    public TimeSpan Duration => TimeSpan.FromSeconds((double)Samples.Length / SampleRateHz);

    /// <summary>Reads a WAV file, or <c>.raw</c> and <c>.pcm</c> as 16 kHz s16le mono.</summary>
    /// <exception cref="CliException">There is no such file, or it is no audio that can be read.</exception>
    public static CallerAudio Read(string path, int sampleRateHz)
    {
        byte[] bytes;
        try
        {
            bytes = File.ReadAllBytes(path);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new CliException($"{path} cannot be read: {failure.Message}", CliException.Usage);
        }
        var (samples, rateHz) = Decode(path, bytes);
        if (samples.Length == 0)
            throw new CliException($"{path} holds no audio.", CliException.Usage);
        return new CallerAudio(Path.GetFileName(path), Resample(samples, rateHz, sampleRateHz), sampleRateHz);
    }

    private static (short[] Samples, int RateHz) Decode(string path, byte[] bytes)
    {
        if (Path.GetExtension(path).ToLowerInvariant() is ".raw" or ".pcm" or ".s16")
        {
            var raw = new short[bytes.Length / sizeof(short)];
            Buffer.BlockCopy(bytes, 0, raw, 0, raw.Length * sizeof(short));
            return (raw, RawRateHz);
        }
        try
        {
            var wav = WavReader.Parse(bytes);
            return (wav.Samples, wav.SampleRateHz);
        }
        catch (InvalidDataException failure)
        {
            throw new CliException($"{path} is not a WAV file that can be read ({failure.Message}), and not named .raw (16 kHz, 16 bits, mono).", CliException.Usage);
        }
    }

    private static short[] Resample(short[] samples, int fromHz, int toHz)
    {
        if (fromHz == toHz)
            return samples;
        using var resampler = new Resampler(fromHz, toHz, quality: 8);
        var output = new short[resampler.MaxOutput(samples.Length) + resampler.MaxDrain];
        var written = resampler.Process(samples, output);
        written += resampler.Drain(output.AsSpan(written));
        return output[..written];
    }
}
