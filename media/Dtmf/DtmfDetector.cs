namespace VoiceGrains.Media;

/// <summary>
/// Hears push-button digits in sound (ITU-T Q.23, Q.24): Goertzel filters over blocks of 12.75 ms; a digit counts when two blocks in a row agree,
/// once until it is released. Not thread-safe, allocates nothing.
/// </summary>
public sealed class DtmfDetector
{
    private const double BlockSeconds = 102.0 / 8_000;      // narrow enough to tell neighbours apart, short enough for two in a tone of 40 ms
    private const float MinToneDbfs = -42;
    private const float NormalTwist = 6.3f;                 // the column may be 8 dB stronger,
    private const float ReverseTwist = 2.5f;                // the row 4 dB (Q.24 as in North America)
    private const float Selectivity = 6.3f;                 // and both 8 dB above the other tones of their group
    private const float Purity = 0.78f;                     // part of all energy that the pair holds; speech has more elsewhere
    private readonly float[] _coefficients = new float[8];  // four rows, then four columns
    private readonly float[] _last = new float[8];
    private readonly float[] _beforeLast = new float[8];
    private readonly float[] _power = new float[8];
    private readonly int _blockSamples;
    private readonly float _minPower;
    private float _energy;
    private int _filled;
    private char _previous;     // '\0': no digit in the block before
    private char _held;

    /// <param name="sampleRateHz">8,000 to 48,000.</param>
    public DtmfDetector(int sampleRateHz)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(sampleRateHz, 8_000);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(sampleRateHz, 48_000);
        _blockSamples = (int)(BlockSeconds * sampleRateHz);
        _minPower = MathF.Pow(10, MinToneDbfs / 10);
        for (var i = 0; i < 8; i++)
        {
            var hz = i < 4 ? DtmfTones.RowsHz[i] : DtmfTones.ColumnsHz[i - 4];
            _coefficients[i] = (float)(2 * Math.Cos(2 * Math.PI * hz / sampleRateHz));
        }
    }

    /// <summary>Listens to the next samples of the stream.</summary>
    /// <param name="pcm">Any number of samples.</param>
    /// <param name="digits">Gets the digits that began; more than fit are lost. One per 25 ms can come.</param>
    /// <returns>How many digits began.</returns>
    public int Process(ReadOnlySpan<short> pcm, Span<char> digits)
    {
        var found = 0;
        while (!pcm.IsEmpty)
        {
            var part = pcm[..Math.Min(pcm.Length, _blockSamples - _filled)];
            pcm = pcm[part.Length..];
            Filter(part);
            _filled += part.Length;
            if (_filled == _blockSamples && TryEndBlock(out var digit) && found < digits.Length)
                digits[found++] = digit;
        }
        return found;
    }

    /// <summary>Forgets the stream.</summary>
    public void Reset()
    {
        ClearBlock();
        (_previous, _held) = ('\0', '\0');
    }

    private void Filter(ReadOnlySpan<short> pcm)
    {
        foreach (var sample in pcm)
        {
            var x = sample / 32768f;
            _energy += x * x;
        }
        for (var i = 0; i < 8; i++)
        {
            var (coefficient, last, beforeLast) = (_coefficients[i], _last[i], _beforeLast[i]);
            foreach (var sample in pcm)
                (last, beforeLast) = (sample / 32768f + coefficient * last - beforeLast, last);
            (_last[i], _beforeLast[i]) = (last, beforeLast);
        }
    }

    /// <summary>True when a digit begins with the block that is now whole.</summary>
    private bool TryEndBlock(out char digit)
    {
        digit = Judge();
        ClearBlock();
        var isSure = digit == _previous;
        _previous = digit;
        if (!isSure || digit == _held)
            return false;
        _held = digit;
        return digit != '\0';
    }

    private char Judge()
    {
        // Mean square of a sine at each frequency.
        var scale = 2f / ((float)_blockSamples * _blockSamples);
        for (var i = 0; i < 8; i++)
            _power[i] = scale * (_last[i] * _last[i] + _beforeLast[i] * _beforeLast[i] - _coefficients[i] * _last[i] * _beforeLast[i]);
        var (row, column) = (Strongest(_power.AsSpan(0, 4)), Strongest(_power.AsSpan(4)));
        var (rowPower, columnPower) = (_power[row], _power[4 + column]);
        var isPair = rowPower > _minPower && columnPower > _minPower
            && columnPower < rowPower * NormalTwist && rowPower < columnPower * ReverseTwist
            && StandsOut(_power.AsSpan(0, 4), row) && StandsOut(_power.AsSpan(4), column)
            && rowPower + columnPower > Purity * _energy / _blockSamples;
        return isPair ? DtmfTones.Digit(row, column) : '\0';
    }

    private void ClearBlock()
    {
        _last.AsSpan().Clear();
        _beforeLast.AsSpan().Clear();
        (_energy, _filled) = (0, 0);
    }

    private static int Strongest(ReadOnlySpan<float> powers)
    {
        var best = 0;
        for (var i = 1; i < powers.Length; i++)
        {
            if (powers[i] > powers[best])
                best = i;
        }
        return best;
    }

    private static bool StandsOut(ReadOnlySpan<float> powers, int best)
    {
        for (var i = 0; i < powers.Length; i++)
        {
            if (i != best && powers[i] * Selectivity > powers[best])
                return false;
        }
        return true;
    }
}
