using System.Buffers.Binary;

namespace VoiceGrains.WebRtc.Sctp;

/// <summary>
/// Keeps from the native library what no data channel needs: packets for other ports, broken chains of chunks, and chunks of extensions that this end never
/// offers (authentication, address changes, ECN, packet drop reports). The peer is authentic, but nobody says that it is benign: usrsctp 0.9.5 never comes
/// back from an INIT with a parameter of length 0 on a living association.
/// </summary>
internal static class SctpPacketGuard
{
    private const int HeaderBytes = 12;
    private const int ChunkHeaderBytes = 4;

    internal static bool Allows(ReadOnlySpan<byte> packet)
    {
        if (packet.Length < HeaderBytes + ChunkHeaderBytes || packet.Length > ushort.MaxValue)
            return false;
        if (BinaryPrimitives.ReadUInt16BigEndian(packet) != SctpSocket.Port || BinaryPrimitives.ReadUInt16BigEndian(packet[2..]) != SctpSocket.Port)
            return false;
        var chunks = packet[HeaderBytes..];
        while (!chunks.IsEmpty)
        {
            if (chunks.Length < ChunkHeaderBytes || !IsExpected(chunks[0]))
                return false;
            int length = BinaryPrimitives.ReadUInt16BigEndian(chunks[2..]);
            if (length < ChunkHeaderBytes || length > chunks.Length || !HasSoundParameters(chunks[..length]))
                return false;
            chunks = chunks[Math.Min((length + 3) & ~3, chunks.Length)..];      // the last chunk's padding may be missing
        }
        return true;
    }

    /// <summary>RFC 9260's chunks without ECN's, RE-CONFIG, PAD and FORWARD-TSN. Of an unknown type the library itself knows what to say.</summary>
    private static bool IsExpected(byte type) => type is not (0x0c or 0x0d or 0x0f or 0x10 or 0x80 or 0x81 or 0xc1);

    /// <summary>
    /// Parameters and error causes are a chain like that of the chunks (RFC 9260 §3.2.1). Over DTLS an association has one path and names no addresses (RFC 8261).
    /// </summary>
    private static bool HasSoundParameters(ReadOnlySpan<byte> chunk)
    {
        const byte Init = 1, InitAck = 2, Heartbeat = 4, HeartbeatAck = 5, Abort = 6, Error = 9, Reconfigure = 0x82;
        const ushort Ipv4 = 5, Ipv6 = 6, HostName = 11;
        var isInit = chunk[0] is Init or InitAck;
        var start = isInit ? 20 : chunk[0] is Heartbeat or HeartbeatAck or Abort or Error or Reconfigure ? ChunkHeaderBytes : chunk.Length;
        if (start > chunk.Length)
            return false;
        for (var parameters = chunk[start..]; !parameters.IsEmpty;)
        {
            if (parameters.Length < 4)
                return false;
            int length = BinaryPrimitives.ReadUInt16BigEndian(parameters[2..]);
            var isAddress = isInit && BinaryPrimitives.ReadUInt16BigEndian(parameters) is (Ipv4 or Ipv6 or HostName);
            if (length < 4 || length > parameters.Length || isAddress)
                return false;
            parameters = parameters[Math.Min((length + 3) & ~3, parameters.Length)..];
        }
        return true;
    }
}
