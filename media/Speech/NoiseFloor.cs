namespace VoiceGrains.Media;

/// <summary>
/// Tracks the background's level in each band, in decibels, from the last 0.77 s. A stretch as even as noise or hum is background at once,
/// however loud; within uneven sound (speech) the floor follows the quietest moments: down at once, up slowly. Allocates nothing.
/// </summary>
internal sealed class NoiseFloor
{
    private const int Window = 24;                  // frames of 32 ms: 0.77 s
    private const int EarliestVerdict = 10;         // frames until evenness means anything
    private const float LowestDb = -86;
    private const float FirstDb = -77;              // a call may begin amid speech, so the first frame is not taken for the background
    private const float NoiseSpread = 1.45f;        // how uneven noise may look, in multiples of its own statistical spread
    private const float PitchSpread = 0.012f;       // mains hum keeps its pitch, a voice never does for 0.77 s
    private const float RisePerFrameDb = 0.12f;     // 4 dB/s
    private const float FirstRisePerFrameDb = 0.85f;
    private const float EvenRiseDb = 6;
    private const int FirstFrames = 60;             // 2 s
    private readonly int _bands;
    private readonly float[] _history;              // [frame][band]
    private readonly float[] _lags = new float[Window];     // pitch lag per frame; 0 for an unvoiced one
    private readonly float[] _spread;
    private readonly float[] _level;
    private readonly float[] _mean;
    private readonly float[] _low;
    private long _frames;

    /// <param name="spread">Standard deviation of noise in each band from frame to frame, in decibels.</param>
    public NoiseFloor(ReadOnlySpan<float> spread)
    {
        _bands = spread.Length;
        _spread = spread.ToArray();
        _history = new float[Window * _bands];
        _level = new float[_bands];
        _mean = new float[_bands];
        _low = new float[_bands];
        Reset();
    }

    /// <summary>Background level per band, dBFS.</summary>
    public ReadOnlySpan<float> Level => _level;

    public void Reset()
    {
        _frames = 0;
        _level.AsSpan().Fill(FirstDb);
    }

    /// <summary>Takes in one frame.</summary>
    /// <param name="bands">Level per band, dBFS.</param>
    /// <param name="pitchLag">Period of a voiced frame, any unit; 0 for an unvoiced one.</param>
    public void Add(ReadOnlySpan<float> bands, float pitchLag)
    {
        var slot = (int)(_frames % Window);
        for (var b = 0; b < _bands; b++)
            _history[slot * _bands + b] = Math.Max(bands[b], LowestDb);
        _lags[slot] = pitchLag;
        _frames++;

        var count = (int)Math.Min(_frames, Window);
        var isEven = MeasureEvenness(count) < NoiseSpread;
        var movingVoice = MovingVoice(count);
        if (isEven && count >= EarliestVerdict && movingVoice < 0.5f)
            Approach(_mean, EvenRiseDb);
        else if (movingVoice > 0.8f)
            Approach(_low, 0);      // a held vowel has no quiet moments to learn from
        else
            Approach(_low, _frames < FirstFrames ? FirstRisePerFrameDb : RisePerFrameDb);
    }

    /// <summary>Computes the bands' means and lows over the window, and how much they vary: about 1 for noise, more for speech.</summary>
    private float MeasureEvenness(int count)
    {
        var unevenness = 0f;
        for (var b = 0; b < _bands; b++)
        {
            var (sum, squares, low) = (0f, 0f, float.MaxValue);
            for (var i = 0; i < count; i++)
            {
                var level = _history[i * _bands + b];
                sum += level;
                squares += level * level;
                low = Math.Min(low, level);
            }
            _mean[b] = sum / count;
            _low[b] = Math.Max(LowestDb, Math.Min(_mean[b], low + 1.5f * _spread[b]));
            unevenness += MathF.Sqrt(Math.Max(0, squares / count - _mean[b] * _mean[b])) / _spread[b];
        }
        return unevenness / _bands;
    }

    /// <summary>Which part of the window is voiced, if its pitch moves; else 0.</summary>
    private float MovingVoice(int count)
    {
        var (voiced, sum, squares) = (0, 0f, 0f);
        for (var i = 0; i < count; i++)
        {
            if (_lags[i] == 0)
                continue;
            voiced++;
            sum += _lags[i];
            squares += _lags[i] * _lags[i];
        }
        if (voiced == 0)
            return 0;
        var mean = sum / voiced;
        var isMoving = MathF.Sqrt(Math.Max(0, squares / voiced - mean * mean)) > PitchSpread * mean;
        return isMoving ? (float)voiced / count : 0;
    }

    /// <summary>Goes half of the way to <paramref name="target"/> in each band, but up by no more than <paramref name="maxRiseDb"/>.</summary>
    private void Approach(float[] target, float maxRiseDb)
    {
        for (var b = 0; b < _bands; b++)
            _level[b] = Math.Max(LowestDb, _level[b] + Math.Min(0.5f * (target[b] - _level[b]), maxRiseDb));
    }
}
