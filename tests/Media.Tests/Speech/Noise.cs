namespace VoiceGrains.Media.Tests.Speech;

/// <summary>Steady backgrounds of a given level, reproducible.</summary>
internal static class Noise
{
    private const int RateHz = VoiceActivityDetector.SampleRateHz;

    public static short[] White(int samples, double dbfs, int seed = 1)
    {
        var random = new Random(seed);
        return Scale([.. Enumerable.Range(0, samples).Select(_ => Gaussian(random))], dbfs);
    }

    /// <summary>Falls by 3 dB per octave (Paul Kellet's filter).</summary>
    public static short[] Pink(int samples, double dbfs, int seed = 2)
    {
        var random = new Random(seed);
        var (b0, b1, b2) = (0.0, 0.0, 0.0);
        var pink = new double[samples];
        for (var i = 0; i < samples; i++)
        {
            var white = Gaussian(random);
            b0 = 0.99765 * b0 + white * 0.0990460;
            b1 = 0.96300 * b1 + white * 0.2965164;
            b2 = 0.57000 * b2 + white * 1.0526913;
            pink[i] = b0 + b1 + b2 + white * 0.1848;
        }
        return Scale(pink, dbfs);
    }

    /// <summary>Mains hum with harmonics over a little hiss.</summary>
    public static short[] Hum(int samples, double dbfs, double hz = 50)
    {
        var random = new Random(3);
        return Scale([.. Enumerable.Range(0, samples).Select(i =>
            Enumerable.Range(1, 7).Sum(k => Math.Sin(2 * Math.PI * hz * k * i / RateHz + k) / k) + 0.01 * Gaussian(random))], dbfs);
    }

    /// <summary>The samples of both, clipped.</summary>
    public static short[] Mix(short[] speech, short[] noise)
    {
        var mixed = speech.ToArray();
        Pcm.Add(noise.AsSpan(0, speech.Length), mixed);
        return mixed;
    }

    public static short[] Gain(short[] pcm, double db)
    {
        var scaled = pcm.ToArray();
        Pcm.Amplify(scaled, Pcm.Gain(db));
        return scaled;
    }

    private static short[] Scale(double[] signal, double dbfs)
    {
        var factor = 32768 * Math.Pow(10, dbfs / 20) / Math.Sqrt(signal.Sum(x => x * x) / signal.Length);
        return [.. signal.Select(x => Pcm.Saturate((float)(x * factor)))];
    }

    private static double Gaussian(Random random) =>
        Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
}
