using System.Globalization;
using System.Text.Json.Nodes;
using VoiceGrains.Grains.Calls;
using VoiceGrains.Media;
using VoiceGrains.WebRtc;

namespace VoiceGrains.Silo.WebRtc;

/// <summary>How the connections of one call's user fared, one after the other, and what became of the sound. Guarded by its owner.</summary>
internal sealed class ConnectionTotals
{
    public const string EventType = "webrtc_statistics";

    private PeerStatistics _last;
    private int _connections;
    private long _received, _lost, _sent, _lostByClient, _requested, _retransmitted;

    /// <summary>Adds a connection that ends now. One that never carried a packet does not count.</summary>
    public void Add(in PeerStatistics peer)
    {
        if (peer.PacketsReceived == 0 && peer.PacketsSent == 0) return;
        _connections++;
        _received += peer.PacketsReceived;
        _lost += Math.Max(0, peer.PacketsLost);
        _sent += peer.PacketsSent;
        _lostByClient += Math.Max(0, peer.PacketsLostByClient);
        _requested += peer.PacketsRequested;
        _retransmitted += peer.PacketsRetransmitted;
        _last = peer;
    }

    /// <summary>As the call's event. Null: there was no connection.</summary>
    public MediaMeasures? ToMeasures(in AudioReceiverStatistics sound, int sampleRateHz)
    {
        if (_connections == 0) return null;
        var concealed = Milliseconds(sound.ConcealedSamples, sampleRateHz);
        var roundTrip = _last.RoundTrip is { } measured ? $"{measured.TotalMilliseconds:0} ms" : "not measured";
        return new MediaMeasures(
            EventType,
            string.Create(CultureInfo.InvariantCulture,
                $"Of the client's packets {Share(_lost, _received + _lost):0.0} % were lost, of ours {Share(_lostByClient, _sent):0.0} %; round trip {roundTrip}; {concealed} ms of the client's sound were made up."),
            new JsonObject
            {
                ["connections"] = _connections,
                ["transport"] = _last.Transport?.ToString().ToLowerInvariant(),
                ["roundTripMs"] = _last.RoundTrip is { } last ? Math.Round(last.TotalMilliseconds, 1) : null,
                ["packetsReceived"] = _received,
                ["packetsLost"] = _lost,
                ["jitterMs"] = Math.Round(_last.Jitter.TotalMilliseconds, 1),
                ["packetsSent"] = _sent,
                ["packetsLostByClient"] = _lostByClient,
                ["jitterAtClientMs"] = Math.Round(_last.JitterAtClient.TotalMilliseconds, 1),
                ["packetsRequested"] = _requested,
                ["packetsRetransmitted"] = _retransmitted,
                ["concealedMs"] = concealed,
                ["packetsRecovered"] = sound.FecRecovered,
                ["packetsLate"] = sound.Late,
                ["packetsDiscarded"] = sound.Discarded,
                ["stretchedMs"] = Milliseconds(sound.RemovedSamples + sound.InsertedSamples, sampleRateHz),
                ["targetDelayMs"] = Math.Round(sound.TargetDelayMs),
            });
    }

    private static double Share(long part, long whole) => whole == 0 ? 0 : 100.0 * part / whole;

    private static long Milliseconds(long samples, int sampleRateHz) => samples * 1000 / sampleRateHz;
}
