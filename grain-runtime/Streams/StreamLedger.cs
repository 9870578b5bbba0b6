namespace VoiceGrains.GrainRuntime.Streams;

/// <summary>One life of a producer: a process that has begun to publish on a stream. Its events are numbered from 0.</summary>
internal readonly record struct StreamSource(string Process, long Incarnation);

/// <summary>
/// Tells from the numbers of a stream's events how many were lost, wherever that was. Usually a stream has one producer; a call that moves
/// to another silo has one after the other, and for a moment there may be two. Not thread-safe.
/// </summary>
internal sealed class StreamLedger
{
    // More at a time than there can be silos that produce on one stream; the one unheard of for longest is forgotten.
    private const int MostSources = 16;

    private readonly Dictionary<StreamSource, Account> _open = [];
    private long _clock;
    private bool _startIsKnown;
    private bool _hasHeard;

    private record struct Account(long Next, long Touched);

    /// <summary>Nobody produces yet: the first producer's events are all for us.</summary>
    public void StartsHere() => _startIsKnown |= !_hasHeard;

    /// <summary>An event has come.</summary>
    /// <param name="last">The source's last.</param>
    /// <param name="local">From this process, where nothing is lost between producer and ledger.</param>
    /// <param name="lost">What was lost before it.</param>
    /// <returns>False when it has come before.</returns>
    public bool TryTake(StreamSource source, long number, bool last, bool local, out StreamLoss lost)
    {
        lost = default;
        if (_open.TryGetValue(source, out var account))
        {
            if (number < account.Next)
                return false;
            lost = new(number - account.Next);
        }
        else if (!local)
            lost = Begin(number);
        else if (_hasHeard)
            lost = Begin(0);
        Continue(source, number + 1, last);
        return true;
    }

    /// <summary>The source says what number its next event has.</summary>
    /// <returns>What was lost so far.</returns>
    public StreamLoss Mark(StreamSource source, long next, bool last)
    {
        // One that only introduces itself beside another may have been there all the time.
        var lost = _open.TryGetValue(source, out var account) ? new StreamLoss(Math.Max(0, next - account.Next)) : Begin(_open.Count > 0 ? 0 : next);
        Continue(source, Math.Max(next, account.Next), last);
        return lost;
    }

    // Of a first source only what follows counts, unless we were here before it. One that follows another began while we were here; but what the
    // other's end was nobody knows, unless it said so.
    private StreamLoss Begin(long number) => _hasHeard ? new(number, _open.Count > 0) : new(_startIsKnown ? number : 0);

    private void Continue(StreamSource source, long next, bool last)
    {
        _hasHeard = true;
        if (last)
        {
            _open.Remove(source);
            return;
        }
        _open[source] = new(next, ++_clock);
        if (_open.Count > MostSources)
            _open.Remove(_open.MinBy(static entry => entry.Value.Touched).Key);
    }
}
