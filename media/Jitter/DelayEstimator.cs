namespace VoiceGrains.Media;

/// <summary>
/// How much later than the fastest packets of late the slow ones come, and from that how long sound should wait before it is played.
/// All times are in samples of 48 kHz. Not thread-safe.
/// </summary>
/// <remarks>
/// A packet's transit is its arrival by our clock less its timestamp by the sender's: only differences of transits mean anything. The last 256 (5 s) are
/// kept. The least is the reference for all delays, which lets it follow a drifting clock; a quantile of what the others exceed it by is the jitter that
/// playing must wait for. A target that must grow does so at once; it shrinks slowly, as trouble often comes again.
/// </remarks>
internal sealed class DelayEstimator
{
    private const int Window = 256;
    private const int BucketSamples = 240;          // 5 ms
    private const int Buckets = 101;                // the last one is for all above 500 ms
    private const int LatePercent = 2;              // of packets may come later than the target: being late costs a stretch, not the packet
    private const int ShrinkPerSecond = 480;        // 10 ms
    private readonly long[] _transits = new long[Window];
    private readonly int _least;
    private readonly int _most;
    private int _at;
    private long _previousTransit;
    private long _lastUpdate;
    private double _jitter;

    /// <param name="least">Least target.</param>
    /// <param name="most">Most target.</param>
    /// <param name="initial">Target while little is known.</param>
    public DelayEstimator(int least, int most, int initial)
    {
        (_least, _most) = (least, most);
        Target = Math.Clamp(initial, least, most);
    }

    /// <summary>Packets known, up to the window's size.</summary>
    public int Known { get; private set; }

    /// <summary>The least transit of late.</summary>
    public long Reference { get; private set; }

    /// <summary>How long after the fastest packets' arrival sound should be played.</summary>
    public int Target { get; private set; }

    /// <summary>Interarrival jitter (RFC 3550 §6.4.1).</summary>
    public double Jitter => _jitter;

    /// <summary>Forgets the transits, not the target: the timestamps changed their base, the path likely did not.</summary>
    public void Rebase() => (Known, _at) = (0, 0);

    /// <summary>Notes a packet.</summary>
    /// <param name="margin">What is needed on top of the jitter: sound is taken in pieces, and a piece needs all of its packets.</param>
    /// <returns>By how much <see cref="Reference"/> grew.</returns>
    public long Add(long transit, long now, int margin)
    {
        if (Known > 0)
            _jitter += (Math.Abs(transit - _previousTransit) - _jitter) / 16;
        _previousTransit = transit;
        _transits[_at] = transit;
        _at = (_at + 1) % Window;
        Known = Math.Min(Known + 1, Window);
        return Update(now, margin);
    }

    private long Update(long now, int margin)
    {
        var transits = _transits.AsSpan(0, Known);
        var before = Known == 1 ? transits[0] : Reference;
        Reference = long.MaxValue;
        foreach (var transit in transits)
            Reference = Math.Min(Reference, transit);
        var grown = Reference - before;

        var elapsed = Math.Min(now - _lastUpdate, OpusPacket.ClockRateHz);
        _lastUpdate = now;
        var wanted = Quantile(transits) + margin;
        var kept = Known < Window / 8 ? Target : Target - Math.Max(0, grown) - elapsed * ShrinkPerSecond / OpusPacket.ClockRateHz;
        Target = (int)Math.Clamp(Math.Max(kept, wanted), _least, _most);
        return grown;
    }

    private int Quantile(ReadOnlySpan<long> transits)
    {
        Span<int> histogram = stackalloc int[Buckets];
        histogram.Clear();
        foreach (var transit in transits)
            histogram[(int)Math.Min(Buckets - 1, (transit - Reference) / BucketSamples)]++;
        var mayBeLate = transits.Length * LatePercent / 100;
        var bucket = Buckets - 1;
        for (var later = histogram[bucket]; later <= mayBeLate && bucket > 0; later += histogram[bucket])
            bucket--;
        return (bucket + 1) * BucketSamples;
    }
}
