namespace VoiceGrains.Media;

/// <summary>
/// Tells for each 32 ms of 16 kHz sound how likely it holds speech. Level above an adaptive background in 17 bands, strengthened where the sound
/// is periodic like a voice, and cut where it is a single click. No hangover: timing belongs to the turn detector. Not thread-safe, allocates nothing.
/// </summary>
/// <remarks>
/// Scaled to Ultravox' frameActivationThreshold (0.1 to 1, default 0.1): at 0.1 nearly all frames of real speech count, quiet ones too.
/// A background that changes is learnt within a second; until then a louder one looks like speech.
/// </remarks>
public sealed class VoiceActivityDetector
{
    /// <summary>Samples per frame.</summary>
    public const int FrameSamples = 512;

    /// <summary>The rate that frames must have.</summary>
    public const int SampleRateHz = 16_000;

    private const float VoicedFrom = 0.55f;     // autocorrelation at which a frame counts as voiced
    private const float EvidenceAtHalf = 2.6f;  // mean decibels above the background that give 0.5
    private const float EvidenceScale = 0.6f;
    private const float MaxBandDb = 15;         // one loud tone must not outvote all bands
    private const int ClickBlock = 32;          // 2 ms

    // Edges in bins of 31.25 Hz: 94 Hz to 7.25 kHz, narrow where voices have their energy.
    private static readonly int[] s_edges = [3, 6, 9, 12, 16, 20, 25, 31, 38, 46, 56, 68, 83, 102, 126, 155, 190, 232];
    private static readonly float[] s_spread = Spread();
    private readonly PowerSpectrum _spectrum = new();
    private readonly PitchDetector _pitch = new();
    private readonly NoiseFloor _floor = new(s_spread);
    private readonly float[] _frame = new float[FrameSamples];
    private readonly float[] _power = new float[PowerSpectrum.Bins];
    private readonly float[] _bands = new float[s_edges.Length - 1];

    /// <summary>Speech probability of the next frame of the stream, 0 to 1.</summary>
    /// <exception cref="ArgumentException"><paramref name="frame"/> has not 512 samples.</exception>
    public float Process(ReadOnlySpan<short> frame)
    {
        if (frame.Length != FrameSamples)
            throw new ArgumentException($"A frame has {FrameSamples} samples, not {frame.Length}.", nameof(frame));
        Prepare(frame);
        if (IsClick())
            return Probability(0);      // nor does it tell anything about the background
        _spectrum.Compute(_frame, _power);
        for (var b = 0; b < _bands.Length; b++)
            _bands[b] = BandDb(s_edges[b], s_edges[b + 1]);
        _pitch.Process(_frame);
        var evidence = Evidence();
        _floor.Add(_bands, _pitch.Voicing >= VoicedFrom ? _pitch.Lag : 0);
        return Probability(evidence);
    }

    /// <summary>Forgets the background, for the start of another stream.</summary>
    public void Reset() => _floor.Reset();

    private static float Probability(float evidence) => 1 / (1 + MathF.Exp((EvidenceAtHalf - evidence) / EvidenceScale));

    /// <summary>Scales to full scale 1 and removes the mean.</summary>
    private void Prepare(ReadOnlySpan<short> frame)
    {
        var sum = 0;
        foreach (var sample in frame)
            sum += sample;
        var mean = (float)sum / FrameSamples;
        for (var i = 0; i < FrameSamples; i++)
            _frame[i] = (frame[i] - mean) / 32768;
    }

    private float BandDb(int from, int to)
    {
        var sum = 1e-12f;
        for (var k = from; k < to; k++)
            sum += _power[k];
        return 10 * MathF.Log10(sum);
    }

    /// <summary>Mean decibels by which the bands stand out of the background, more for a voiced sound.</summary>
    private float Evidence()
    {
        var level = _floor.Level;
        var sum = 0f;
        for (var b = 0; b < _bands.Length; b++)
            sum += Math.Clamp(_bands[b] - level[b] - 1.5f * s_spread[b], 0, MaxBandDb);
        var voicing = Math.Max(0, _pitch.Voicing - VoicedFrom) / (1 - VoicedFrom);
        return sum / _bands.Length * (1 + voicing);
    }

    /// <summary>Whether 2 ms hold nearly all of the frame's energy; even a deep voice spreads it over several pulses.</summary>
    private bool IsClick()
    {
        var (total, most, previous) = (0f, 0f, 0f);
        for (var start = 0; start < FrameSamples; start += ClickBlock)
        {
            var energy = 0f;
            foreach (var sample in _frame.AsSpan(start, ClickBlock))
                energy += sample * sample;
            total += energy;
            most = Math.Max(most, energy + previous);       // a click may lie across two blocks
            previous = energy;
        }
        return most > 0.85f * total;
    }

    /// <summary>Noise power over K bins is chi-square; a Hann window leaves about 2K/1.5 degrees of freedom. Standard deviation in decibels.</summary>
    private static float[] Spread()
    {
        var spread = new float[s_edges.Length - 1];
        for (var b = 0; b < spread.Length; b++)
            spread[b] = 4.34f * MathF.Sqrt(1.5f / (s_edges[b + 1] - s_edges[b]));
        return spread;
    }
}
