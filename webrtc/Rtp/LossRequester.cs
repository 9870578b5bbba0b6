namespace VoiceGrains.WebRtc.Rtp;

/// <summary>
/// Which lost packets of one received stream are worth asking for again (RFC 4585 §6.2.1): those whose copy can still come before their sound is due. The gaps
/// show, and are looked at again, when packets come: no timer is needed. One thread at a time; nothing is allocated.
/// </summary>
internal sealed class LossRequester(TimeProvider clock)
{
    /// <summary>Longest gap that is asked for. What is missing beyond that was a pause of the network: its packets come late by themselves, or the path is full.</summary>
    internal const int MostMissing = 8;

    /// <summary>How often one packet is asked for.</summary>
    internal const int MostRequests = 2;

    internal const int RequestsPerSecond = 25;
    internal const int RequestBurst = 10;

    /// <summary>What the sender takes to answer, and our own taking of sound in pieces.</summary>
    internal static readonly TimeSpan Margin = TimeSpan.FromMilliseconds(5);

    /// <summary>A packet this far behind is no late one: the numbers began anew.</summary>
    private const int MostBehind = 100;
    private const int ClockRateHz = 48_000;
    private const int LongestPacket = ClockRateHz * 120 / 1000;        // RFC 6716 §2.1.4
    private readonly Missing[] _missing = new Missing[MostMissing];
    private readonly ushort[] _chosen = new ushort[MostMissing];
    private readonly TokenBucket _allowance = new(RequestsPerSecond, RequestBurst, clock);
    private int _count;
    private ushort _highest;
    private uint _timestamp;
    private bool _isStarted;

    /// <summary>Whether anything is missing that may be worth asking for.</summary>
    public bool HasMissing => _count > 0;

    /// <summary>Notes a packet that has just arrived.</summary>
    /// <returns>Whether it is one that was asked for.</returns>
    public bool OnPacket(ushort sequence, uint timestamp)
    {
        var ahead = (short)(sequence - _highest);
        if (_isStarted && ahead is <= 0 and >= -MostBehind)
            return TryRemove(sequence);
        if (!_isStarted || ahead is < 0 or > MostMissing + 1)
            _count = 0;
        else if (ahead > 1)
            Miss(ahead, timestamp);
        (_isStarted, _highest, _timestamp) = (true, sequence, timestamp);
        return false;
    }

    /// <summary>Chooses what to ask for now, and forgets what would come too late.</summary>
    /// <param name="roundTrip">To the sender and back.</param>
    /// <param name="playoutDelay">How long after its arrival the sound of a packet is due.</param>
    /// <returns>Sequence numbers in rising order, valid until the next call.</returns>
    public ReadOnlySpan<ushort> Choose(TimeSpan roundTrip, TimeSpan playoutDelay)
    {
        var now = clock.GetTimestamp();
        var wait = roundTrip + Margin;
        var (kept, chosen) = (0, 0);
        for (var i = 0; i < _count; i++)
        {
            ref var missing = ref _missing[i];
            if (clock.GetElapsedTime(missing.Expected, now) + wait > playoutDelay)
                continue;
            var isDue = missing.Requests == 0 || missing.Requests < MostRequests && clock.GetElapsedTime(missing.Requested, now) >= wait;
            if (isDue && _allowance.TryTake())
            {
                missing.Requests++;
                missing.Requested = now;
                _chosen[chosen++] = missing.Sequence;
            }
            _missing[kept++] = missing;
        }
        _count = kept;
        return _chosen.AsSpan(0, chosen);
    }

    /// <summary>Notes the numbers that were skipped, with the time at which each should have come.</summary>
    private void Miss(int ahead, uint timestamp)
    {
        var packet = (long)Math.Min((timestamp - _timestamp) / (uint)ahead, LongestPacket) * clock.TimestampFrequency / ClockRateHz;
        var now = clock.GetTimestamp();
        var gap = ahead - 1;
        if (_count + gap > MostMissing)
        {
            var dropped = _count + gap - MostMissing;       // the oldest, which are the nearest to being due
            _missing.AsSpan(dropped, _count - dropped).CopyTo(_missing);
            _count -= dropped;
        }
        for (var back = gap; back > 0; back--)
            _missing[_count++] = new Missing { Sequence = (ushort)(_highest + ahead - back), Expected = now - packet * back };
    }

    private bool TryRemove(ushort sequence)
    {
        for (var i = 0; i < _count; i++)
        {
            if (_missing[i].Sequence != sequence)
                continue;
            var wasRequested = _missing[i].Requests > 0;
            _missing.AsSpan(i + 1, --_count - i).CopyTo(_missing.AsSpan(i));
            return wasRequested;
        }
        return false;
    }

    private struct Missing
    {
        public ushort Sequence;
        public int Requests;
        public long Expected;
        public long Requested;
    }
}
