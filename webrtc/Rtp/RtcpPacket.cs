using System.Buffers.Binary;

namespace VoiceGrains.WebRtc.Rtp;

/// <summary>One packet of an RTCP datagram. Each TryRead method is false where the packet is of another type or too short for what it claims.</summary>
public readonly ref struct RtcpPacket
{
    internal const int HeaderBytes = 4;
    private const int SenderInfoBytes = 24;
    private const int ReportBytes = 24;
    private const byte CnameItem = 1;
    private const byte NackFormat = 1;
    private readonly byte _count;
    private readonly ReadOnlySpan<byte> _body;

    internal RtcpPacket(ReadOnlySpan<byte> packet)
    {
        (_count, Type) = ((byte)(packet[0] & 0x1f), (RtcpType)packet[1]);
        var padding = (packet[0] & 0x20) == 0 ? 0 : packet[^1];
        _body = packet[HeaderBytes..^padding];
    }

    public RtcpType Type { get; }

    /// <summary>The blocks of a sender or receiver report.</summary>
    public int Reports => Type is RtcpType.SenderReport or RtcpType.ReceiverReport && _body.Length >= ReportsStart + (_count * ReportBytes) ? _count : 0;

    private int ReportsStart => Type == RtcpType.SenderReport ? SenderInfoBytes : 4;

    public bool TryReadSenderInfo(out RtcpSenderInfo info)
    {
        info = default;
        if (Type != RtcpType.SenderReport || _body.Length < SenderInfoBytes + (_count * ReportBytes))
            return false;
        info = new RtcpSenderInfo(Word(0), BinaryPrimitives.ReadUInt64BigEndian(_body[4..]), Word(12), Word(16), Word(20));
        return true;
    }

    /// <param name="index">From 0 to <see cref="Reports"/>, exclusive.</param>
    public RtcpReportBlock Report(int index)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)Reports);
        var start = ReportsStart + (index * ReportBytes);
        var lost = (int)(Word(start + 4) << 8) >> 8;
        return new RtcpReportBlock(Word(start), _body[start + 4], lost, Word(start + 8), Word(start + 12), Word(start + 16), Word(start + 20));
    }

    /// <summary>The first canonical name of a source description, in UTF-8 that nobody has checked (RFC 3550 §6.5.1).</summary>
    public bool TryReadCname(out uint ssrc, out ReadOnlySpan<byte> cname)
    {
        ssrc = 0;
        cname = default;
        if (Type != RtcpType.SourceDescription)
            return false;
        var at = 0;
        for (var chunk = 0; chunk < _count && at + 4 <= _body.Length; chunk++)
        {
            ssrc = Word(at);
            at += 4;
            while (at < _body.Length && _body[at] != 0)
            {
                if (at + 2 > _body.Length || at + 2 + _body[at + 1] > _body.Length)
                    return false;
                if (_body[at] == CnameItem)
                {
                    cname = _body.Slice(at + 2, _body[at + 1]);
                    return true;
                }
                at += 2 + _body[at + 1];
            }
            at = (at + 4) & ~3;                         // the end of the list fills a word
        }
        return false;
    }

    /// <summary>Does a goodbye name <paramref name="ssrc"/> (RFC 3550 §6.6)?</summary>
    public bool SaysGoodbye(uint ssrc)
    {
        if (Type != RtcpType.Goodbye || _body.Length < 4 * _count)
            return false;
        for (var index = 0; index < _count; index++)
        {
            if (Word(4 * index) == ssrc)
                return true;
        }
        return false;
    }

    /// <summary>Reads the sequence numbers that a generic NACK asks for again (RFC 4585 §6.2.1), as many as <paramref name="lost"/> holds.</summary>
    /// <param name="count">How many were written.</param>
    public bool TryReadNack(out uint mediaSsrc, scoped Span<ushort> lost, out int count)
    {
        (mediaSsrc, count) = (0, 0);
        if (Type != RtcpType.TransportFeedback || _count != NackFormat || _body.Length < 12)
            return false;
        mediaSsrc = Word(4);
        for (var at = 8; at + 4 <= _body.Length; at += 4)
        {
            var first = BinaryPrimitives.ReadUInt16BigEndian(_body[at..]);
            var following = (uint)BinaryPrimitives.ReadUInt16BigEndian(_body[(at + 2)..]);
            for (var bits = (following << 1) | 1; bits != 0 && count < lost.Length; bits &= bits - 1)
                lost[count++] = (ushort)(first + System.Numerics.BitOperations.TrailingZeroCount(bits));
        }
        return true;
    }

    internal static int LengthOf(ReadOnlySpan<byte> packet) => HeaderBytes + (4 * BinaryPrimitives.ReadUInt16BigEndian(packet[2..]));

    private uint Word(int at) => BinaryPrimitives.ReadUInt32BigEndian(_body[at..]);
}
