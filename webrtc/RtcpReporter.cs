using System.Text;
using VoiceGrains.WebRtc.Rtp;
using VoiceGrains.WebRtc.Srtp;

namespace VoiceGrains.WebRtc;

/// <summary>
/// Our RTCP: a compound report each few seconds, a goodbye at the end, and what the client's reports say. Nothing is sent before DTLS is up. Reports come from a
/// timer, the client's from the receive loop.
/// </summary>
internal sealed class RtcpReporter(
    PeerTransport transport, AudioSender sender, Microphones microphones, PeerConnectionOptions options, TimeProvider clock) : IDisposable
{
    /// <summary>Most blocks of one report (RFC 3550 §6.4.1); further microphones are not reported on.</summary>
    private const int MaxBlocks = 31;

    /// <summary>Most packets of one NACK that are looked at: as many as are kept.</summary>
    private const int MaxNack = RetransmissionBuffer.Slots;
    private const int MaxReport = 28 + 24 * MaxBlocks + 4 + 8 + 256 + 8;

    private readonly PeerMetrics _metrics = options.Endpoint.PeerMetrics;
    private readonly Lock _gate = new();
    private readonly byte[] _cname = Encoding.UTF8.GetBytes(options.Cname);
    private readonly byte[] _buffer = new byte[MaxReport + SrtpSession.MaxTrailer];
    private readonly RtcpReportBlock[] _blocks = new RtcpReportBlock[MaxBlocks];
    private SrtpSession? _session;
    private ITimer? _timer;
    private bool _isDisposed;
    private double _loss;

    /// <summary>Share of the microphones' packets that did not arrive in the latest interval: of the worst of them.</summary>
    public double Loss => Volatile.Read(ref _loss);

    public void Secure(SrtpKeys keys)
    {
        lock (_gate)
        {
            if (_isDisposed)
                return;
            _session = SrtpSession.Outbound(keys);
            // The first one earlier (RFC 3550 §6.2): until it comes neither side knows the round trip.
            _timer = clock.CreateTimer(static state => ((RtcpReporter)state!).Report(), this, options.ReportInterval / 4, Timeout.InfiniteTimeSpan);
        }
    }

    public void OnRtcp(ReadOnlySpan<byte> datagram)
    {
        if (!RtcpReader.TryOpen(datagram, out var reader))
            return;
        Span<ushort> lost = stackalloc ushort[MaxNack];
        while (reader.TryRead(out var packet))
        {
            if (packet.TryReadSenderInfo(out var info))
                microphones.FindStream(info.Ssrc)?.Statistics.OnSenderReport(in info);
            for (var i = 0; i < packet.Reports; i++)
                OnReport(packet.Report(i));
            if (packet.TryReadNack(out var ssrc, lost, out var count) && ssrc == sender.Ssrc)
                sender.OnNack(lost[..count]);
        }
    }

    private void OnReport(in RtcpReportBlock report)
    {
        sender.Statistics.OnReport(in report);
        if (report.Ssrc == sender.Ssrc)
            _metrics.ReportedByClient(sender.Statistics.RemoteJitter, report.LastSenderReport == 0 ? null : sender.Statistics.RoundTrip);
    }

    /// <summary>Asks the client for packets again. False: not connected.</summary>
    /// <param name="lost">Sequence numbers in rising order.</param>
    public bool TryRequest(uint mediaSsrc, ReadOnlySpan<ushort> lost)
    {
        lock (_gate)
        {
            if (_isDisposed || _session is null)
                return false;
            // A whole compound packet, which every client takes (RFC 3550 §6.1); the report is left to the timer.
            var writer = new RtcpWriter(_buffer.AsSpan(0, MaxReport));
            writer.TryWriteReceiverReport(sender.Ssrc, []);
            writer.TryWriteCname(sender.Ssrc, _cname);
            return writer.TryWriteNack(sender.Ssrc, mediaSsrc, lost) && TryProtectAndSend(writer.Written.Length);
        }
    }

    /// <summary>Says goodbye, when there is anyone to say it to.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            if (_isDisposed)
                return;
            Send(isLast: true);
            _isDisposed = true;
            _timer?.Dispose();
            _session?.Dispose();
        }
    }

    private void Report()
    {
        lock (_gate)
        {
            if (_isDisposed)
                return;
            Send(isLast: false);
            // From half to one and a half of the interval (RFC 3550 §6.3.1): calls that began together must not report together for ever.
            _timer!.Change(options.ReportInterval * (0.5 + Random.Shared.NextDouble()), Timeout.InfiniteTimeSpan);
        }
    }

    private void Send(bool isLast)
    {
        if (_session is null)
            return;
        var reports = _blocks.AsSpan(0, CreateBlocks(_blocks));
        var writer = new RtcpWriter(_buffer.AsSpan(0, MaxReport));
        if (sender.Statistics.TryCreateReport(out var info))
            writer.TryWriteSenderReport(in info, reports);
        else
            writer.TryWriteReceiverReport(sender.Ssrc, reports);
        writer.TryWriteCname(sender.Ssrc, _cname);
        if (isLast)
            writer.TryWriteGoodbye(sender.Ssrc);
        TryProtectAndSend(writer.Written.Length);
    }

    private bool TryProtectAndSend(int length) => _session!.ProtectRtcp(_buffer, ref length) && transport.TrySend(_buffer.AsSpan(0, length));

    private int CreateBlocks(Span<RtcpReportBlock> blocks)
    {
        var count = 0;
        var loss = 0;
        foreach (var microphone in microphones.All)
        {
            if (microphone.Stream is not { } stream || count == blocks.Length)
                continue;
            blocks[count] = stream.Statistics.CreateReport();
            _metrics.Reported(stream.Statistics.Jitter);
            loss = Math.Max(loss, blocks[count++].FractionLost);
        }
        Volatile.Write(ref _loss, loss / 256.0);
        return count;
    }
}
