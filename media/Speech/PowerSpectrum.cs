namespace VoiceGrains.Media;

/// <summary>Hann-windowed power spectrum of 512 real samples, by one complex FFT of half the length. Not thread-safe, allocates nothing.</summary>
internal sealed class PowerSpectrum
{
    public const int Size = 512;
    public const int Bins = Size / 2;
    private const int Half = Size / 2;
    private static readonly float[] s_window = Table(Size, i => 0.5 - 0.5 * Math.Cos(2 * Math.PI * (i + 0.5) / Size));
    private static readonly float[] s_cos = Table(Half, i => Math.Cos(2 * Math.PI * i / Size));
    private static readonly float[] s_sin = Table(Half, i => -Math.Sin(2 * Math.PI * i / Size));
    private static readonly byte[] s_reversed = ReversedBits();
    private readonly float[] _re = new float[Half];
    private readonly float[] _im = new float[Half];

    /// <summary>
    /// Writes power per bin (31.25 Hz at 16 kHz; bin 0 is left 0), scaled so that the sum over bins is the mean square of the samples.
    /// </summary>
    public void Compute(ReadOnlySpan<float> samples, Span<float> power)
    {
        for (var i = 0; i < Half; i++)
        {
            var at = s_reversed[i];
            _re[at] = samples[2 * i] * s_window[2 * i];
            _im[at] = samples[2 * i + 1] * s_window[2 * i + 1];
        }
        Transform();
        const float scale = 2f / Size / (0.375f * Size);      // two sides of the spectrum; a Hann window keeps 3/8 of the power
        power[0] = 0;
        for (var k = 1; k < Half; k++)
            power[k] = Unpack(k) * scale;
    }

    /// <summary>Power of bin k of the real signal, from the transform of its even (real part) and odd (imaginary part) samples.</summary>
    private float Unpack(int k)
    {
        var m = Half - k;
        var evenRe = 0.5f * (_re[k] + _re[m]);
        var evenIm = 0.5f * (_im[k] - _im[m]);
        var oddRe = 0.5f * (_im[k] + _im[m]);
        var oddIm = -0.5f * (_re[k] - _re[m]);
        var re = evenRe + s_cos[k] * oddRe - s_sin[k] * oddIm;
        var im = evenIm + s_cos[k] * oddIm + s_sin[k] * oddRe;
        return re * re + im * im;
    }

    private void Transform()
    {
        for (var size = 2; size <= Half; size *= 2)
        {
            var step = Size / size;
            for (var start = 0; start < Half; start += size)
            {
                for (var j = 0; j < size / 2; j++)
                {
                    var (wr, wi) = (s_cos[j * step], s_sin[j * step]);
                    var (a, b) = (start + j, start + j + size / 2);
                    var re = _re[b] * wr - _im[b] * wi;
                    var im = _re[b] * wi + _im[b] * wr;
                    (_re[b], _im[b]) = (_re[a] - re, _im[a] - im);
                    (_re[a], _im[a]) = (_re[a] + re, _im[a] + im);
                }
            }
        }
    }

    private static float[] Table(int length, Func<int, double> value) => [.. Enumerable.Range(0, length).Select(i => (float)value(i))];

    private static byte[] ReversedBits()
    {
        var table = new byte[Half];
        for (var i = 1; i < Half; i++)
            table[i] = (byte)((table[i >> 1] >> 1) | ((i & 1) << 7));
        return table;
    }
}
