namespace VoiceGrains.WebRtc.Rtp;

/// <summary>Packet types of RTCP (RFC 3550 §12.1, RFC 4585 §6.1). Others are skipped.</summary>
public enum RtcpType : byte
{
    SenderReport = 200,
    ReceiverReport = 201,
    SourceDescription = 202,
    Goodbye = 203,
    TransportFeedback = 205,
}

/// <summary>The sender's part of a sender report (RFC 3550 §6.4.1).</summary>
/// <param name="NtpTime">When the report was sent: seconds since 1900 in the upper half, their fraction in the lower one.</param>
/// <param name="RtpTimestamp">The same instant in units of the payload's clock.</param>
/// <param name="Octets">Of payload.</param>
public readonly record struct RtcpSenderInfo(uint Ssrc, ulong NtpTime, uint RtpTimestamp, uint Packets, uint Octets);

/// <summary>What a receiver says about one source (RFC 3550 §6.4.1).</summary>
/// <param name="FractionLost">Of 256, since the report before.</param>
/// <param name="CumulativeLost">24 bits with sign: duplicates make it negative.</param>
/// <param name="HighestSequence">The highest sequence number received, its wraps in the upper half.</param>
/// <param name="Jitter">In units of the payload's clock.</param>
/// <param name="LastSenderReport">The middle of its NTP time; 0: none yet.</param>
/// <param name="DelaySinceLastSenderReport">In 1/65,536 s.</param>
public readonly record struct RtcpReportBlock(
    uint Ssrc, byte FractionLost, int CumulativeLost, uint HighestSequence, uint Jitter, uint LastSenderReport, uint DelaySinceLastSenderReport);
