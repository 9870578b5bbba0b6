using System.Buffers;

namespace VoiceGrains.WebRtc.Sctp;

/// <summary>
/// Packets that usrsctp wants sent, until its locks are released: sent from inside the callback they would nest DTLS's lock in usrsctp's, and the receiving
/// thread nests them the other way round. Holds more than a full window; beyond that a packet is lost, which SCTP repairs.
/// </summary>
internal sealed class PacketQueue
{
    private const int Capacity = 512;
    private readonly Lock _gate = new();
    private readonly Queue<(byte[] Buffer, int Length)> _packets = [];

    internal bool TryAdd(ReadOnlySpan<byte> packet)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(packet.Length);
        packet.CopyTo(buffer);
        lock (_gate)
        {
            if (_packets.Count < Capacity)
            {
                _packets.Enqueue((buffer, packet.Length));
                return true;
            }
        }
        ArrayPool<byte>.Shared.Return(buffer);
        return false;
    }

    internal bool IsEmpty
    {
        get
        {
            lock (_gate)
                return _packets.Count == 0;
        }
    }

    /// <summary>The caller returns the buffer to the shared pool.</summary>
    internal bool TryTake(out byte[] buffer, out int length)
    {
        lock (_gate)
        {
            var isTaken = _packets.TryDequeue(out var packet);
            (buffer, length) = isTaken ? packet : ([], 0);
            return isTaken;
        }
    }
}
