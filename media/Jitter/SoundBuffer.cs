namespace VoiceGrains.Media;

/// <summary>
/// Decoded sound that waits to be played, with the last of what was. One pitch period can be taken out of it or put in without changing the pitch
/// (waveform similarity overlap-add: W. Verhelst and M. Roelands, ICASSP 1993). Not thread-safe.
/// </summary>
internal sealed class SoundBuffer
{
    private const int QuietDbfs = -50;
    private readonly short[] _samples;
    private readonly int _overlap;          // 7.5 ms: long enough to tell a period from half of it
    private readonly int _leastLag;         // 2.5 ms, 400 Hz
    private readonly int _mostLag;          // 12.5 ms, 80 Hz: with the overlap, a packet of 20 ms
    private readonly int _step;             // down to 8 kHz for the coarse search
    private int _start;
    private int _end;

    public SoundBuffer(int sampleRateHz)
    {
        _overlap = sampleRateHz * 3 / 400;
        _leastLag = sampleRateHz / 400;
        _mostLag = sampleRateHz / 80;
        _step = sampleRateHz / 8_000;
        // History, two packets of the longest kind, and what a stretch adds.
        _samples = new short[_mostLag * 2 + sampleRateHz / 1000 * 240 + _mostLag];
        _start = _end = _mostLag;
    }

    /// <summary>Samples that wait to be played.</summary>
    public int Count => _end - _start;

    /// <summary>How much must wait so that a whole period of the lowest voice can be taken out.</summary>
    public int ShortenNeeds => _mostLag + _overlap;

    /// <summary>Whether what waits starts so quietly that nobody hears it being cut.</summary>
    public bool IsQuiet => Count >= _overlap && Pcm.Dbfs(_samples.AsSpan(_start, _overlap)) < QuietDbfs;

    /// <summary>Room for the next sound; <see cref="Commit"/> says how much was written.</summary>
    public Span<short> Reserve(int samples)
    {
        if (_end + samples > _samples.Length)
        {
            var from = _start - _mostLag;
            _samples.AsSpan(from, _end - from).CopyTo(_samples);
            (_start, _end) = (_mostLag, _end - from);
        }
        return _samples.AsSpan(_end, samples);
    }

    public void Commit(int samples) => _end += samples;

    /// <summary>Plays as much as fits.</summary>
    public int Read(Span<short> pcm)
    {
        var samples = Math.Min(pcm.Length, Count);
        _samples.AsSpan(_start, samples).CopyTo(pcm);
        _start += samples;
        return samples;
    }

    /// <summary>Takes out one pitch period from the start of what waits.</summary>
    /// <param name="samples">How many should be. Where it is quiet no more are taken out, elsewhere a whole period.</param>
    /// <param name="alike">How alike the joined waves must be, as a correlation; lower is rougher. What is quiet always is.</param>
    /// <returns>Samples taken out; 0: too little waits, or nothing is alike enough.</returns>
    public int TryShorten(int samples, double alike)
    {
        var lag = FindLag(sign: 1, Math.Min(_mostLag, Count - _overlap), samples, alike);
        if (lag == 0)
            return 0;
        // Fades from the sound now to the sound one lag on, at the place of the latter, so that only the few samples before it move.
        for (var i = 0; i < _overlap; i++)
            _samples[_start + lag + i] = Mix(_samples[_start + i], _samples[_start + lag + i], i, _overlap);
        _start += lag;
        return lag;
    }

    /// <summary>Puts in one pitch period before what waits.</summary>
    /// <returns>Samples put in; 0 as in <see cref="TryShorten"/>.</returns>
    public int TryLengthen(int samples, double alike)
    {
        if (Count < _overlap)
            return 0;
        Reserve(_mostLag);
        var lag = FindLag(sign: -1, Math.Min(_mostLag, _start), samples, alike);
        if (lag == 0)
            return 0;
        // What was played a lag ago is played again: the sound that waits moves back, and the gap's start fades from it to its repetition.
        _samples.AsSpan(_start, Count).CopyTo(_samples.AsSpan(_start + lag));
        var again = _samples.AsSpan(_start - lag, lag);
        Span<short> fade = stackalloc short[_overlap];
        for (var i = 0; i < fade.Length; i++)
            fade[i] = Mix(_samples[_start + lag + i], i < lag ? again[i] : _samples[_start + i], i, _overlap);
        again.CopyTo(_samples.AsSpan(_start));
        fade.CopyTo(_samples.AsSpan(_start));
        _end += lag;
        return lag;
    }

    public void Clear() => _start = _end = _mostLag;

    /// <summary>The lag at which the sound that waits is most like itself; 0 where it is not alike enough.</summary>
    private int FindLag(int sign, int most, int wanted, double alike)
    {
        if (most < _leastLag)
            return 0;
        var quiet = Math.Min(most, wanted);
        if (IsQuiet && Pcm.Dbfs(_samples.AsSpan(_start + sign * quiet, _overlap)) < QuietDbfs)
            return quiet;
        var best = Best(sign, _leastLag, most, _step, out _);
        best = Best(sign, Math.Max(_leastLag, best - _step), Math.Min(most, best + _step), 1, out var correlation);
        return correlation >= alike ? best : 0;
    }

    private int Best(int sign, int least, int most, int step, out double correlation)
    {
        (var best, correlation) = (least, -1);
        for (var lag = least; lag <= most; lag += step)
        {
            var found = Correlate(_start, _start + sign * lag, step);
            if (found > correlation)
                (best, correlation) = (lag, found);
        }
        return best;
    }

    /// <summary>Normalized: 1 is the same wave at the same level, and a level that differs counts as unlike.</summary>
    private double Correlate(int one, int other, int step)
    {
        long product = 0, energyOfOne = 0, energyOfOther = 0;
        for (var i = 0; i < _overlap; i += step)
        {
            int a = _samples[one + i], b = _samples[other + i];
            product += a * b;
            energyOfOne += a * a;
            energyOfOther += b * b;
        }
        return product / (0.5 * (energyOfOne + energyOfOther) + 1);
    }

    private static short Mix(short from, short to, int at, int length) => (short)(from + (to - from) * (at + 1) / (length + 1));
}
