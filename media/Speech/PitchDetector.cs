using System.Numerics;

namespace VoiceGrains.Media;

/// <summary>How periodic a 512-sample frame at 16 kHz is, and at which pitch (60 to 400 Hz), by autocorrelation at 8 kHz. Allocates nothing.</summary>
internal sealed class PitchDetector
{
    private const int Length = 256;
    private const int MinLag = 20;      // 400 Hz
    private const int MaxLag = 133;     // 60 Hz
    private readonly float[] _samples = new float[Length];
    private readonly float[] _energy = new float[Length + 1];       // of the samples before each index
    private readonly float[] _correlation = new float[MaxLag + 2];

    /// <summary>Normalized autocorrelation at the pitch lag: near 1 for a steady voiced sound, below about 0.45 for noise.</summary>
    public float Voicing { get; private set; }

    /// <summary>Pitch period in samples at 8 kHz, interpolated.</summary>
    public float Lag { get; private set; }

    public void Process(ReadOnlySpan<float> frame)
    {
        for (var i = 0; i < Length; i++)
        {
            _samples[i] = frame[2 * i] + frame[2 * i + 1];
            _energy[i + 1] = _energy[i] + _samples[i] * _samples[i];
        }
        var best = MinLag;
        _correlation[MinLag - 1] = Correlate(MinLag - 1);
        for (var lag = MinLag; lag <= MaxLag + 1; lag++)
        {
            _correlation[lag] = Correlate(lag);
            if (lag <= MaxLag && _correlation[lag] > _correlation[best])
                best = lag;
        }
        // A slope that only falls from the shortest lag is the spectrum's tilt, not a period.
        var isPeak = _correlation[best] >= _correlation[best - 1] && _correlation[best] >= _correlation[best + 1];
        Voicing = isPeak ? Math.Clamp(_correlation[best], 0, 1) : 0;
        Lag = best + (isPeak ? Interpolate(_correlation[best - 1], _correlation[best], _correlation[best + 1]) : 0);
    }

    private float Correlate(int lag)
    {
        var early = _energy[Length - lag];
        var late = _energy[Length] - _energy[lag];
        return early * late <= 1e-12f ? 0 : Dot(_samples.AsSpan(0, Length - lag), _samples.AsSpan(lag)) / MathF.Sqrt(early * late);
    }

    private static float Dot(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        var sums = Vector<float>.Zero;
        var i = 0;
        for (; i <= a.Length - Vector<float>.Count; i += Vector<float>.Count)
            sums += new Vector<float>(a[i..]) * new Vector<float>(b[i..]);
        var sum = Vector.Sum(sums);
        for (; i < a.Length; i++)
            sum += a[i] * b[i];
        return sum;
    }

    private static float Interpolate(float before, float peak, float after)
    {
        var curve = before - 2 * peak + after;
        return curve >= 0 ? 0 : Math.Clamp(0.5f * (before - after) / curve, -0.5f, 0.5f);
    }
}
