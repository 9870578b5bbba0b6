using System.Buffers.Binary;
using System.Numerics;

namespace VoiceGrains.WebRtc.Tests.Sctp;

/// <summary>SCTP packets taken apart and damaged by hand (RFC 9260 §3).</summary>
internal static class SctpPackets
{
    internal const int HeaderBytes = 12;
    internal const int DataHeaderBytes = 16;

    /// <summary>Without it the library would drop a damaged packet unread.</summary>
    internal static byte[] WithChecksum(byte[] packet)
    {
        if (packet.Length < HeaderBytes)
            return packet;
        packet.AsSpan(8, 4).Clear();
        var sum = uint.MaxValue;
        foreach (var value in packet)
            sum = BitOperations.Crc32C(sum, value);
        BinaryPrimitives.WriteUInt32LittleEndian(packet.AsSpan(8), ~sum);
        return packet;
    }

    internal static List<(int Start, int Length)> Chunks(byte[] packet)
    {
        List<(int, int)> chunks = [];
        for (var at = HeaderBytes; at + 4 <= packet.Length;)
        {
            var length = BinaryPrimitives.ReadUInt16BigEndian(packet.AsSpan(at + 2));
            if (length < 4 || at + length > packet.Length)
                break;
            chunks.Add((at, length));
            at += (length + 3) & ~3;
        }
        return chunks;
    }

    /// <summary>Where the first DATA chunk of a payload protocol starts; less than 0: there is none.</summary>
    internal static int FindData(byte[] packet, uint protocol)
    {
        foreach (var (start, length) in Chunks(packet))
        {
            if (packet[start] == 0 && length >= DataHeaderBytes && BinaryPrimitives.ReadUInt32BigEndian(packet.AsSpan(start + 12)) == protocol)
                return start;
        }
        return -1;
    }
}
