using VoiceGrains.GrainInterfaces.Calls;

namespace VoiceGrains.Grains.Calls;

/// <summary>
/// What the journal holds until it is stored: first in, first out, bounded by entries and by characters. When full, the oldest event below warning makes
/// room; then the oldest other event; messages never make room for events, and a message finds no room only among messages. Thread-safe.
/// </summary>
internal sealed class CallJournalBuffer(int capacity, long characterCapacity)
{
    private readonly Lock _lock = new();
    private readonly Queue<CallJournalEntry> _minorEvents = new();
    private readonly Queue<CallJournalEntry> _events = new();
    private readonly Queue<CallJournalEntry> _messages = new();
    private long _characters;
    private long _written;

    public int Count { get; private set; }

    /// <summary>The number of the newest entry ever written, kept or not.</summary>
    public long Written
    {
        get { lock (_lock) return _written; }
    }

    /// <summary>Adds an entry. Whatever had to go for it, possibly itself, is counted in the result.</summary>
    public CallJournalDrops Add(string callId, int generation, Message? message, CallEvent? callEvent)
        => Add(new CallJournalEntry(0, callId, generation, message, callEvent));

    /// <summary>As the other one; the entry gets its number here.</summary>
    public CallJournalDrops Add(CallJournalEntry unnumbered)
    {
        lock (_lock)
        {
            var entry = unnumbered with { Sequence = ++_written };
            var drops = new CallJournalDrops();
            while (Count > 0 && (Count >= capacity || _characters + entry.Size > characterCapacity))
            {
                if (VictimFor(entry) is not { } victim) return drops.With(entry);
                drops = drops.With(Remove(victim));
            }
            QueueOf(entry).Enqueue(entry);
            Count++;
            _characters += entry.Size;
            return drops;
        }
    }

    /// <summary>Removes the oldest entries, in the order they were written.</summary>
    public List<CallJournalEntry> Take(int most)
    {
        lock (_lock)
        {
            var batch = new List<CallJournalEntry>(Math.Min(most, Count));
            while (batch.Count < most && OldestQueue() is { } queue) batch.Add(Remove(queue));
            return batch;
        }
    }

    /// <summary>Everything up to this number has left the buffer.</summary>
    public long TakenUpTo()
    {
        lock (_lock) return OldestQueue() is { } queue ? queue.Peek().Sequence - 1 : _written;
    }

    private Queue<CallJournalEntry> QueueOf(CallJournalEntry entry) => entry.Message is not null ? _messages : entry.IsMinor ? _minorEvents : _events;

    private Queue<CallJournalEntry>? VictimFor(CallJournalEntry entry)
    {
        if (_minorEvents.Count > 0) return _minorEvents;
        return _events.Count > 0 && !entry.IsMinor ? _events : null;
    }

    private Queue<CallJournalEntry>? OldestQueue()
    {
        Queue<CallJournalEntry>? oldest = null;
        foreach (var queue in (ReadOnlySpan<Queue<CallJournalEntry>>)[_minorEvents, _events, _messages])
        {
            if (queue.Count > 0 && (oldest is null || queue.Peek().Sequence < oldest.Peek().Sequence)) oldest = queue;
        }
        return oldest;
    }

    private CallJournalEntry Remove(Queue<CallJournalEntry> queue)
    {
        var entry = queue.Dequeue();
        Count--;
        _characters -= entry.Size;
        return entry;
    }
}

/// <summary>Entries that were given up for lack of room.</summary>
internal readonly record struct CallJournalDrops(int Messages, int Events)
{
    public bool Any => Messages + Events > 0;

    public CallJournalDrops With(CallJournalEntry entry) => entry.Message is not null ? this with { Messages = Messages + 1 } : this with { Events = Events + 1 };
}
