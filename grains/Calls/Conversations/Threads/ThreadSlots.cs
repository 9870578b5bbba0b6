namespace VoiceGrains.Grains.Calls.Conversations.Threads;

/// <summary>Lets so many threads of a call generate at once; the others wait in the order in which they came.</summary>
internal sealed class ThreadSlots(int most)
{
    private readonly LinkedList<CallThread> _waiting = new();
    private readonly HashSet<CallThread> _generating = [];

    public int Generating => _generating.Count;
    public int Waiting => _waiting.Count;

    /// <summary>Nobody gets a turn: all of them are being ended.</summary>
    public bool IsHeld { get; set; }

    /// <summary>The thread generates now, or when it is its turn.</summary>
    public void Request(CallThread thread)
    {
        _waiting.AddLast(thread);
        Grant();
    }

    /// <summary>The thread has generated, or does not want to any more.</summary>
    public void Release(CallThread thread)
    {
        if (!_generating.Remove(thread)) _waiting.Remove(thread);
        Grant();
    }

    private void Grant()
    {
        while (!IsHeld && _generating.Count < most && _waiting.First is { } next)
        {
            _waiting.RemoveFirst();
            _generating.Add(next.Value);
            next.Value.OnSlot();        // which may give it back at once
        }
    }
}
