namespace VoiceGrains.GrainRuntime.Activations;

/// <summary>
/// Which turns of an activation run and which wait. Holds the rule, not the lock: its activation calls it under its own.
/// </summary>
internal sealed class Mailbox(bool reentrant, int capacity)
{
    private readonly Queue<Turn> _waiting = new();
    private readonly Queue<Turn> _waitingToInterleave = new();   // only for the activation itself to be ready, never behind others
    private readonly List<Turn> _running = [];
    private readonly List<Turn> _blocking = [];     // the running turns that do not interleave

    /// <summary>Turns that have begun and not ended.</summary>
    public IReadOnlyList<Turn> Running => _running;

    public bool IsEmpty => _running.Count + Waiting == 0;

    public int Waiting => _waiting.Count + _waitingToInterleave.Count;

    public bool IsFull => Waiting >= capacity;

    public IReadOnlyList<Turn> Blocking => _blocking;

    public IEnumerable<Turn> WaitingTurns => _waitingToInterleave.Concat(_waiting);

    public void Enqueue(Turn turn) => (Interleaves(turn) ? _waitingToInterleave : _waiting).Enqueue(turn);

    /// <summary>Whether the turn may begin now. A read-only request does not pass a waiting one, or writers would starve.</summary>
    public bool MayBegin(Turn turn) => Interleaves(turn) || (_waiting.Count == 0 && Fits(turn));

    public void Begin(Turn turn)
    {
        _running.Add(turn);
        if (!Interleaves(turn))
            _blocking.Add(turn);
    }

    public void End(Turn turn)
    {
        _running.Remove(turn);
        _blocking.Remove(turn);
    }

    /// <summary>Takes the next waiting turn that may begin, in order of arrival.</summary>
    public bool TryTake(out Turn turn)
    {
        if (_waitingToInterleave.TryDequeue(out turn!))
            return true;
        if (!_waiting.TryPeek(out turn!) || !Fits(turn))
            return false;
        _waiting.Dequeue();
        return true;
    }

    public List<Turn> TakeAll()
    {
        List<Turn> all = [.. WaitingTurns];
        _waitingToInterleave.Clear();
        _waiting.Clear();
        return all;
    }

    private bool Interleaves(Turn turn) => reentrant || turn.Interleaves;

    private bool Fits(Turn turn) => _blocking.Count == 0 || (turn.IsReadOnly && _blocking.TrueForAll(static running => running.IsReadOnly));
}
