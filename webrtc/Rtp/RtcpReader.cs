using System.Buffers.Binary;

namespace VoiceGrains.WebRtc.Rtp;

/// <summary>Walks the packets of a compound or reduced-size RTCP datagram (RFC 3550 §6.1, RFC 5506), already decrypted and not trusted.</summary>
public ref struct RtcpReader
{
    private ReadOnlySpan<byte> _rest;

    private RtcpReader(ReadOnlySpan<byte> datagram) => _rest = datagram;

    /// <summary>Checks the frame of all packets before the first is read, so that half a datagram changes nothing. False: it is not RTCP.</summary>
    public static bool TryOpen(ReadOnlySpan<byte> datagram, out RtcpReader reader)
    {
        reader = new RtcpReader(datagram);
        if (datagram.IsEmpty)
            return false;
        while (!datagram.IsEmpty)
        {
            if (datagram.Length < RtcpPacket.HeaderBytes || datagram[0] >> 6 != 2)
                return false;
            var length = RtcpPacket.LengthOf(datagram);
            if (length > datagram.Length)
                return false;
            var padding = (datagram[0] & 0x20) == 0 ? 0 : datagram[length - 1];
            var isPadded = (datagram[0] & 0x20) != 0;
            // Only the last packet may be padded, by whole words, at least one and not into its header.
            if (isPadded && (length != datagram.Length || padding == 0 || padding % 4 != 0 || padding > length - RtcpPacket.HeaderBytes))
                return false;
            datagram = datagram[length..];
        }
        return true;
    }

    /// <summary>The next packet, of whatever type. False: there are no more.</summary>
    public bool TryRead(out RtcpPacket packet)
    {
        if (_rest.IsEmpty)
        {
            packet = default;
            return false;
        }
        var length = RtcpPacket.LengthOf(_rest);
        packet = new RtcpPacket(_rest[..length]);
        _rest = _rest[length..];
        return true;
    }
}
