namespace VoiceGrains.WebRtc.Rtp;

/// <summary>
/// What a sender reports about one stream, and what its receiver reports back (RFC 3550 §6.4.1). One thread sends, any one other thread makes the
/// sender reports, and the receiving thread brings the receiver's. Nothing locks or allocates.
/// </summary>
public sealed class RtpSenderStatistics(uint ssrc, int clockRateHz, TimeProvider clock)
{
    /// <summary>A longer round trip is taken for a forged or confused report.</summary>
    private static readonly TimeSpan _maxRoundTrip = TimeSpan.FromSeconds(60);

    private readonly Published<Sent> _sent = new();
    private readonly Published<Reported> _reported = new();
    private Sent _state;
    private Reported _last;

    public long Packets => _sent.Read().Packets;

    /// <summary>Bytes of payload.</summary>
    public long Octets => _sent.Read().Octets;

    /// <summary>The latest round trip; null before the first report that answers one of ours.</summary>
    public TimeSpan? RoundTrip => _reported.Read() is { HasRoundTrip: true } reported ? new TimeSpan(reported.RoundTripTicks) : null;

    /// <summary>The share of our packets that the receiver missed between its latest two reports, from 0 to 1.</summary>
    public double FractionLost => _reported.Read().FractionLost / 256.0;

    /// <summary>Packets that the receiver missed, by its latest report.</summary>
    public int CumulativeLost => _reported.Read().CumulativeLost;

    /// <summary>Jitter at the receiver, by its latest report.</summary>
    public TimeSpan RemoteJitter => TimeSpan.FromSeconds(_reported.Read().Jitter / (double)clockRateHz);

    /// <summary>Counts a packet that was sent just now.</summary>
    public void OnSent(uint timestamp, int payloadBytes)
    {
        _state.Packets++;
        _state.Octets += payloadBytes;
        (_state.Timestamp, _state.SentAt) = (timestamp, clock.GetTimestamp());
        _sent.Write(_state);
    }

    /// <summary>The sender's part of a report, for now. The RTP timestamp goes on from the latest packet's. False: nothing was sent yet.</summary>
    public bool TryCreateReport(out RtcpSenderInfo info)
    {
        var sent = _sent.Read();
        var elapsed = sent.Packets == 0 ? TimeSpan.Zero : clock.GetElapsedTime(sent.SentAt);
        var timestamp = sent.Timestamp + (uint)(long)(elapsed.TotalSeconds * clockRateHz);
        info = new RtcpSenderInfo(ssrc, NtpTime.From(clock.GetUtcNow()), timestamp, (uint)sent.Packets, (uint)sent.Octets);
        return sent.Packets > 0;
    }

    /// <summary>Takes a receiver's block about our stream; a block about another one is ignored.</summary>
    public void OnReport(in RtcpReportBlock report)
    {
        if (report.Ssrc != ssrc)
            return;
        (_last.FractionLost, _last.CumulativeLost, _last.Jitter) = (report.FractionLost, report.CumulativeLost, report.Jitter);
        var roundTrip = NtpTime.Middle(NtpTime.From(clock.GetUtcNow())) - report.LastSenderReport - report.DelaySinceLastSenderReport;
        // Clocks that disagree by a tick make it slightly negative: that is no round trip at all.
        var measured = NtpTime.FromCompact((int)roundTrip < 0 && (int)roundTrip > -65_536 ? 0 : roundTrip);
        if (report.LastSenderReport != 0 && measured <= _maxRoundTrip)
            (_last.HasRoundTrip, _last.RoundTripTicks) = (true, measured.Ticks);
        _reported.Write(_last);
    }

    private struct Sent
    {
        internal long Packets;
        internal long Octets;
        internal long SentAt;
        internal uint Timestamp;
    }

    private struct Reported
    {
        internal long RoundTripTicks;
        internal int CumulativeLost;
        internal uint Jitter;
        internal byte FractionLost;
        internal bool HasRoundTrip;
    }
}
