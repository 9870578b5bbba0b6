using System.Diagnostics.Metrics;
using System.Text.Json;
using VoiceGrains.WebRtc.Dtls;
using VoiceGrains.WebRtc.Transport;

namespace VoiceGrains.WebRtc;

/// <summary>
/// What all connections of an endpoint did, as metrics. Packets are counted by their connections, in plain fields, and added up when the meter is read; only
/// handshakes and reports, a few in a call, are recorded as they happen.
/// </summary>
internal sealed class PeerMetrics
{
    private static readonly KeyValuePair<string, object?> In = new("direction", "in");
    private static readonly KeyValuePair<string, object?> Out = new("direction", "out");

    private readonly Lock _gate = new();
    private readonly HashSet<PeerConnection> _live = [];
    private readonly Counter<long>? _handshakes;
    private readonly Counter<long>? _iceTimeouts;
    private readonly Histogram<double>? _handshakeDuration;
    private readonly Histogram<double>? _jitter;
    private readonly Histogram<double>? _roundTrip;
    private PeerCounts _ended;

    /// <param name="meters">Null measures nothing.</param>
    public PeerMetrics(IMeterFactory? meters)
    {
        if (meters?.Create(TransportCounters.MeterName) is not { } meter)
            return;
        _iceTimeouts = meter.CreateCounter<long>("voicegrains.webrtc.ice.timeouts", "{connection}", "Connections that found no path to their client in time.");
        _handshakes = meter.CreateCounter<long>("voicegrains.webrtc.dtls.handshakes", "{handshake}", "DTLS handshakes, by outcome.");
        _handshakeDuration = meter.CreateHistogram("voicegrains.webrtc.dtls.duration", "s", "From the path to the keys, of DTLS handshakes that succeeded.",
            advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 15] });
        _jitter = meter.CreateHistogram("voicegrains.webrtc.jitter", "s", "Interarrival jitter in each report, ours and the clients'.",
            advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.001, 0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.5] });
        _roundTrip = meter.CreateHistogram("voicegrains.webrtc.round_trip", "s", "Round trip by each report of a client.",
            advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.005, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 1, 2, 5] });
        Observe(meter);
    }

    public void Add(PeerConnection peer)
    {
        lock (_gate)
            _live.Add(peer);
    }

    /// <summary>It has ended; what it counted stays.</summary>
    public void Remove(PeerConnection peer)
    {
        lock (_gate)
            if (_live.Remove(peer))
                _ended += peer.TakeCounts();
    }

    public void IceTimedOut() => _iceTimeouts?.Add(1);

    public void HandshakeDone(TimeSpan duration)
    {
        _handshakes?.Add(1, new KeyValuePair<string, object?>("outcome", "ok"));
        _handshakeDuration?.Record(duration.TotalSeconds);
    }

    /// <param name="fault"><see cref="DtlsFault.None"/>: we gave it up.</param>
    public void HandshakeFailed(DtlsFault fault) => _handshakes?.Add(
        1, new KeyValuePair<string, object?>("outcome", fault == DtlsFault.None ? "abandoned" : JsonNamingPolicy.SnakeCaseLower.ConvertName(fault.ToString())));

    /// <summary>Our report of a stream that we receive.</summary>
    public void Reported(TimeSpan jitter) => _jitter?.Record(jitter.TotalSeconds, In);

    /// <summary>A client's report of the stream that we send.</summary>
    public void ReportedByClient(TimeSpan jitter, TimeSpan? roundTrip)
    {
        _jitter?.Record(jitter.TotalSeconds, Out);
        if (roundTrip is { } measured)
            _roundTrip?.Record(measured.TotalSeconds);
    }

    private void Observe(Meter meter)
    {
        meter.CreateObservableCounter("voicegrains.webrtc.rtp.packets", () => BothWays(Total(), static all => (all.PacketsReceived, all.PacketsSent)), "{packet}", "RTP packets of audio, by direction.");
        meter.CreateObservableCounter("voicegrains.webrtc.rtp.lost", () => BothWays(Total(), static all => (all.PacketsLost, all.PacketsLostByClient)), "{packet}", "RTP packets that did not arrive, by direction.");
        meter.CreateObservableCounter("voicegrains.webrtc.rtp.unrouted", () => Total().PacketsUnrouted, "{packet}", "Authentic RTP packets that belong to no microphone.");
        meter.CreateObservableCounter("voicegrains.webrtc.rtp.requested", () => BothWays(Total(), static all => (all.PacketsRequested, all.PacketsRequestedByClient)), "{packet}", "Lost packets that were asked for again (NACK), by the direction of the packets.");
        meter.CreateObservableCounter("voicegrains.webrtc.rtp.retransmitted", () => BothWays(Total(), static all => (all.PacketsRecovered, all.PacketsRetransmitted)), "{packet}", "Packets that came, or were sent, after they had been asked for again.");
        meter.CreateObservableCounter("voicegrains.webrtc.srtp.refused", () => MeasureRefused(Total()), "{packet}", "SRTP and SRTCP packets that were refused, by reason.");
        meter.CreateObservableUpDownCounter("voicegrains.webrtc.sctp.associations", CountAssociations, "{association}", "Data associations that are up.");
        meter.CreateObservableCounter("voicegrains.webrtc.sctp.messages", () => BothWays(Total(), static all => (all.MessagesReceived, all.MessagesSent)), "{message}", "Messages of data channels, by direction.");
        meter.CreateObservableCounter("voicegrains.webrtc.sctp.dropped", () => MeasureDropped(Total()), "{drop}", "Messages and packets of data channels that were dropped, by reason.");
    }

    private PeerCounts Total()
    {
        lock (_gate)
        {
            var total = _ended;
            foreach (var peer in _live)
                total += peer.TakeCounts();
            return total;
        }
    }

    private int CountAssociations()
    {
        lock (_gate)
            return _live.Count(static peer => peer.HasAssociation);
    }

    private static Measurement<long>[] BothWays(in PeerCounts all, Func<PeerCounts, (long In, long Out)> counts)
    {
        var (inbound, outbound) = counts(all);
        return [new(inbound, In), new(outbound, Out)];
    }

    private static Measurement<long>[] MeasureRefused(PeerCounts all)
        => [Reason(all.NotAuthentic, "not_authentic"), Reason(all.Replayed, "replayed"), Reason(all.Unexpected, "unexpected")];

    private static Measurement<long>[] MeasureDropped(PeerCounts all)
        => [Reason(all.MessagesRefused, "message_refused"), Reason(all.SctpPacketsRefused, "packet_refused"), Reason(all.SctpPacketsUnsent, "packet_unsent")];

    private static Measurement<long> Reason(long count, string reason) => new(count, new KeyValuePair<string, object?>("reason", reason));
}
