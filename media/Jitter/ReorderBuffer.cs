namespace VoiceGrains.Media;

/// <summary>Received packets in the order of their sequence numbers. Not thread-safe.</summary>
/// <param name="capacity">The widest span of sequence numbers held, a power of two.</param>
internal sealed class ReorderBuffer(int capacity)
{
    private readonly ReceivedPacket?[] _slots = new ReceivedPacket?[capacity];
    private long _end;      // after the highest held

    public int Count { get; private set; }

    /// <summary>The index after the last one taken: what comes next if nothing was lost.</summary>
    public long Next { get; private set; }

    /// <summary>The earliest packet held.</summary>
    public ReceivedPacket? First
    {
        get
        {
            if (Count == 0)
                return null;
            for (var index = Next; ; index++)
            {
                if (Slot(index) is { } packet)
                    return packet;
            }
        }
    }

    /// <summary>The latest packet held.</summary>
    public ReceivedPacket? Last => Count == 0 ? null : Slot(_end - 1);

    /// <summary>Starts anew, empty, at an index.</summary>
    public void Restart(long next) => (Next, _end) = (next, next);

    /// <summary>Lets an earlier packet than the one that was next come first.</summary>
    public void Rewind(long next) => Next = next;

    public bool Contains(long index) => index >= Next && index < _end && Slot(index) is not null;

    /// <summary>Whether a packet of this index has its place without dropping earlier ones.</summary>
    public bool Reaches(long index) => index < Next + capacity;

    /// <summary>Inserts a packet that is neither late nor held already nor out of reach.</summary>
    public void Insert(ReceivedPacket packet)
    {
        Slot(packet.Index) = packet;
        _end = Math.Max(_end, packet.Index + 1);
        Count++;
    }

    /// <summary>Removes the earliest packet. <see cref="Next"/> goes behind it.</summary>
    /// <param name="lost">How many before it never came.</param>
    public ReceivedPacket Take(out int lost)
    {
        var packet = First ?? throw new InvalidOperationException("No packet is held.");
        lost = (int)(packet.Index - Next);
        Slot(packet.Index) = null;
        Count--;
        Next = packet.Index + 1;
        return packet;
    }

    private ref ReceivedPacket? Slot(long index) => ref _slots[index & (capacity - 1)];
}
