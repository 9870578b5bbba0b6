namespace VoiceGrains.Media;

/// <summary>
/// Places sound that arrives from a network on the call clock. Jitter and bursts do not tear it apart: it is laid end to end, and only a lateness
/// that persists moves it. A small one (the far end's sample clock runs differently) by single samples, a large one (sound was lost or paused) at once.
/// Not thread-safe.
/// </summary>
internal sealed class ArrivalClock(int sampleRateHz)
{
    private readonly int _gap = sampleRateHz * 2 / 5;           // 400 ms: later than that, something was missing
    private readonly int _jump = sampleRateHz * 3 / 50;         // 60 ms
    private readonly int _tolerance = sampleRateHz / 200;       // 5 ms
    private readonly int _window = sampleRateHz;                // 1 s
    private long _windowEnd;
    private long _leastLate = long.MaxValue;
    private long _owed;                                         // samples to stretch (positive) or to skip, one per arrival

    /// <summary>Position after the last sample placed; -1 before the first.</summary>
    public long Next { get; private set; } = -1;

    /// <summary>
    /// Where samples that arrived now belong. <paramref name="correction"/> is 1 when the last of them should be doubled, -1 when it should be left out.
    /// </summary>
    /// <param name="earliest">Before this position nothing can be placed any more: sound that is later than that moves.</param>
    public long Place(int samples, long now, long earliest, out int correction)
    {
        correction = 0;
        var late = now - (Next + samples);
        if (Next < earliest || late > _gap)
        {
            Next = Math.Max(Math.Max(earliest, Next), now - samples);
            StartWindow(now);
        }
        else
        {
            _leastLate = Math.Min(_leastLate, late);
            if (now >= _windowEnd)
                Judge(now);
            correction = samples > 1 ? Math.Sign(_owed) : 0;
            _owed -= correction;
        }
        var position = Next;
        Next += samples + correction;
        return position;
    }

    /// <summary>The least late arrival of the last second had next to no jitter: what is left is drift.</summary>
    private void Judge(long now)
    {
        var drift = _leastLate;
        if (drift > _jump)
            Next += drift;
        else if (Math.Abs(drift) > _tolerance)
            _owed = drift;
        else
            _owed = 0;
        StartWindow(now);
    }

    private void StartWindow(long now) => (_windowEnd, _leastLate) = (now + _window, long.MaxValue);
}
