using System.Diagnostics.CodeAnalysis;

namespace VoiceGrains.Media;

/// <summary>A bounded FIFO of slots from one thread to one other, without a lock.</summary>
/// <param name="capacity">A power of two.</param>
internal sealed class PacketPipe(int capacity)
{
    private readonly ReceivedPacket?[] _slots = new ReceivedPacket?[capacity];
    private int _written;       // by the writer only
    private int _read;          // by the reader only

    /// <summary>False: full.</summary>
    public bool TryWrite(ReceivedPacket packet)
    {
        if (_written - Volatile.Read(ref _read) == _slots.Length)
            return false;
        _slots[_written & (_slots.Length - 1)] = packet;
        Volatile.Write(ref _written, _written + 1);
        return true;
    }

    /// <summary>False: empty.</summary>
    public bool TryRead([NotNullWhen(true)] out ReceivedPacket? packet)
    {
        packet = null;
        if (Volatile.Read(ref _written) == _read)
            return false;
        packet = _slots[_read & (_slots.Length - 1)]!;
        Volatile.Write(ref _read, _read + 1);
        return true;
    }
}
