using System.Buffers.Binary;

namespace VoiceGrains.WebRtc.Rtp;

/// <summary>Writes RTCP packets one behind the other. Each method is false, and writes nothing, where its packet does not fit.</summary>
public ref struct RtcpWriter(Span<byte> buffer)
{
    private const int MaxReports = 31;
    private readonly Span<byte> _buffer = buffer;
    private int _length;

    public readonly ReadOnlySpan<byte> Written => _buffer[.._length];

    /// <summary>SR (RFC 3550 §6.4.1). First of a compound datagram, as RR is.</summary>
    public bool TryWriteSenderReport(in RtcpSenderInfo info, scoped ReadOnlySpan<RtcpReportBlock> reports)
    {
        if (reports.Length > MaxReports || !TryBegin(RtcpType.SenderReport, reports.Length, 24 + (24 * reports.Length), out var body))
            return false;
        WriteWord(body, 0, info.Ssrc);
        BinaryPrimitives.WriteUInt64BigEndian(body[4..], info.NtpTime);
        WriteWord(body, 12, info.RtpTimestamp);
        WriteWord(body, 16, info.Packets);
        WriteWord(body, 20, info.Octets);
        WriteReports(body[24..], reports);
        return true;
    }

    /// <summary>RR (RFC 3550 §6.4.2). Without reports too it may begin a compound datagram.</summary>
    public bool TryWriteReceiverReport(uint ssrc, scoped ReadOnlySpan<RtcpReportBlock> reports)
    {
        if (reports.Length > MaxReports || !TryBegin(RtcpType.ReceiverReport, reports.Length, 4 + (24 * reports.Length), out var body))
            return false;
        WriteWord(body, 0, ssrc);
        WriteReports(body[4..], reports);
        return true;
    }

    /// <summary>SDES with the canonical name alone (RFC 3550 §6.5.1). Every compound datagram carries it.</summary>
    /// <param name="cname">At most 255 bytes of UTF-8.</param>
    public bool TryWriteCname(uint ssrc, scoped ReadOnlySpan<byte> cname)
    {
        var itemBytes = 2 + cname.Length;
        if (cname.Length > byte.MaxValue || !TryBegin(RtcpType.SourceDescription, 1, 4 + ((itemBytes + 4) & ~3), out var body))
            return false;
        WriteWord(body, 0, ssrc);
        body[4] = 1;
        body[5] = (byte)cname.Length;
        cname.CopyTo(body[6..]);
        body[(6 + cname.Length)..].Clear();             // the end of the list: one zero byte, or as many as fill the word
        return true;
    }

    /// <summary>BYE without a reason (RFC 3550 §6.6).</summary>
    public bool TryWriteGoodbye(uint ssrc)
    {
        if (!TryBegin(RtcpType.Goodbye, 1, 4, out var body))
            return false;
        WriteWord(body, 0, ssrc);
        return true;
    }

    /// <summary>A generic NACK (RFC 4585 §6.2.1). Only where SDP agreed on it.</summary>
    /// <param name="lost">Sequence numbers in rising order; numbers that are at most 16 apart share a word.</param>
    public bool TryWriteNack(uint ssrc, uint mediaSsrc, scoped ReadOnlySpan<ushort> lost)
    {
        var words = CountNackWords(lost);
        if (words == 0 || !TryBegin(RtcpType.TransportFeedback, 1, 8 + (4 * words), out var body))
            return false;
        WriteWord(body, 0, ssrc);
        WriteWord(body, 4, mediaSsrc);
        var at = 8;
        for (var index = 0; index < lost.Length; at += 4)
        {
            var first = lost[index++];
            var following = 0;
            for (; index < lost.Length && IsCovered(first, lost[index]); index++)
                following |= 1 << ((ushort)(lost[index] - first) - 1);
            WriteWord(body, at, ((uint)first << 16) | (uint)following);
        }
        return true;
    }

    private static int CountNackWords(ReadOnlySpan<ushort> lost)
    {
        var words = 0;
        for (var index = 0; index < lost.Length; words++)
        {
            var first = lost[index++];
            while (index < lost.Length && IsCovered(first, lost[index]))
                index++;
        }
        return words;
    }

    private static bool IsCovered(ushort first, ushort next) => (ushort)(next - first) is >= 1 and <= 16;

    private static void WriteReports(Span<byte> body, ReadOnlySpan<RtcpReportBlock> reports)
    {
        foreach (ref readonly var report in reports)
        {
            WriteWord(body, 0, report.Ssrc);
            WriteWord(body, 4, ((uint)report.FractionLost << 24) | ((uint)Math.Clamp(report.CumulativeLost, -0x800000, 0x7fffff) & 0xffffff));
            WriteWord(body, 8, report.HighestSequence);
            WriteWord(body, 12, report.Jitter);
            WriteWord(body, 16, report.LastSenderReport);
            WriteWord(body, 20, report.DelaySinceLastSenderReport);
            body = body[24..];
        }
    }

    private bool TryBegin(RtcpType type, int count, int bodyBytes, out Span<byte> body)
    {
        body = default;
        var length = RtcpPacket.HeaderBytes + bodyBytes;
        if (_buffer.Length - _length < length || bodyBytes / 4 > ushort.MaxValue)
            return false;
        var packet = _buffer.Slice(_length, length);
        packet[0] = (byte)(0x80 | count);
        packet[1] = (byte)type;
        BinaryPrimitives.WriteUInt16BigEndian(packet[2..], (ushort)(bodyBytes / 4));
        body = packet[RtcpPacket.HeaderBytes..];
        _length += length;
        return true;
    }

    private static void WriteWord(Span<byte> body, int at, uint value) => BinaryPrimitives.WriteUInt32BigEndian(body[at..], value);
}
