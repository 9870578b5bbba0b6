using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Net;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using VoiceGrains.Tests.Shared;
using VoiceGrains.WebRtc.Dtls;
using VoiceGrains.WebRtc.Ice;
using VoiceGrains.WebRtc.Rtp;
using VoiceGrains.WebRtc.Tests.Sdp;
using VoiceGrains.WebRtc.Tests.Transport;
using VoiceGrains.WebRtc.Transport;
using static VoiceGrains.WebRtc.Tests.Peer.ClientPackets;

namespace VoiceGrains.WebRtc.Tests.Peer;

/// <summary>What the meter says of connections with a client of our own. The clock stands still unless a test moves it.</summary>
public sealed class PeerMetricsTests : IAsyncLifetime
{
    private const uint AgentSsrc = 0xA6E47;

    private readonly ManualClock _clock = new();
    private readonly RecordingSink _sink = new();
    private readonly DtlsCertificate _certificate = DtlsCertificate.Create();
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly ConcurrentDictionary<string, double> _seen = new();
    private readonly ConcurrentDictionary<string, bool> _names = new();
    private readonly MeterListener _listener = new();
    private readonly MediaEndpoint _endpoint;
    private readonly PeerConnection _peer;

    public PeerMetricsTests()
    {
        var meters = _services.GetRequiredService<IMeterFactory>();
        _listener.InstrumentPublished = (instrument, self) =>
        {
            if (instrument.Meter.Scope != meters)
                return;     // of another test
            _names[instrument.Name] = true;
            self.EnableMeasurementEvents(instrument);
        };
        _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Note(instrument, value, tags));
        _listener.SetMeasurementEventCallback<int>((instrument, value, tags, _) => Note(instrument, value, tags));
        _listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Note(instrument, value, tags));
        _listener.Start();
        _endpoint = MediaEndpoint.Start(new MediaEndpointOptions { BindAddress = IPAddress.Loopback }, _clock, NullLoggerFactory.Instance, meters);
        _peer = Create();
    }

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        await _peer.DisposeAsync();
        await _endpoint.DisposeAsync();
        _listener.Dispose();
        await _services.DisposeAsync();
        _certificate.Dispose();
    }

    [Fact]
    public async Task PacketsReportsAndRefusals_AreCounted_AndStayWhenTheConnectionEnds()
    {
        using var client = await ConnectAsync();
        Assert.True(_peer.TrySendAudio(Opus, 0, marker: true));
        Assert.True(_peer.TrySendAudio(Opus, 960, marker: false));
        foreach (ushort sequence in (ushort[])[1, 4])
            client.SendRtp(Microphone(sequence));
        await Poll.UntilAsync(() => _sink.Audio.Count == 2 && client.Rtp.Count == 2, "audio went both ways");
        client.SendRaw(Microphone(5));
        client.SendRtp(Microphone(5, ssrc: 78));
        client.SendRtcp(Nack(AgentSsrc, 1, 2, 3));
        _clock.Advance(TimeSpan.FromSeconds(1.25));
        await Poll.UntilAsync(() => !client.Rtcp.IsEmpty, "our report came");
        Assert.True(RtcpReader.TryOpen(client.Rtcp.First(), out var reader));
        Assert.True(reader.TryRead(out var report));
        Assert.True(report.TryReadSenderInfo(out var info));
        _clock.Advance(TimeSpan.FromMilliseconds(50));
        client.SendRtcp(ReceiverReport(new RtcpReportBlock(AgentSsrc, 0, 1, 0, 480, NtpTime.Middle(info.NtpTime), 0)));
        await Poll.UntilAsync(() => _peer.Statistics is { RoundTrip: not null, PacketsRefused: 1, PacketsUnrouted: 1, PacketsRequestedByClient: 3 }, "all came");

        Check();
        await _peer.DisposeAsync();
        Check();

        void Check()
        {
            _listener.RecordObservableInstruments();
            Assert.Equal((2, 2), BothWays("rtp.packets"));
            Assert.Equal((2, 1), BothWays("rtp.lost"));
            Assert.Equal((0, 3), BothWays("rtp.requested"));
            Assert.Equal((0, 0), BothWays("rtp.retransmitted"));
            Assert.Equal(1, _seen["voicegrains.webrtc.rtp.unrouted"]);
            Assert.Equal(1, _seen["voicegrains.webrtc.srtp.refused reason=not_authentic"]);
            Assert.Equal(0, _seen["voicegrains.webrtc.srtp.refused reason=replayed"]);
            Assert.Equal(1, _seen["voicegrains.webrtc.dtls.handshakes outcome=ok"]);
            Assert.Equal(0, _seen["voicegrains.webrtc.dtls.duration"]);          // the clock stood still
            Assert.Equal(0.05, _seen["voicegrains.webrtc.round_trip"], 0.001);
            Assert.Equal(0.01, _seen["voicegrains.webrtc.jitter direction=out"], 0.001);
            Assert.Contains("voicegrains.webrtc.jitter direction=in", _seen.Keys);
            Assert.Equal(0, _seen["voicegrains.webrtc.sctp.associations"]);
            Assert.Equal((0, 0), BothWays("sctp.messages"));
            Assert.Equal(0, _seen["voicegrains.webrtc.sctp.dropped reason=message_refused"]);
        }
    }

    [Fact]
    public async Task WhyAConnectionFailed_IsCounted()
    {
        _peer.Answer(SdpOffers.Read("chromium-sendrecv"));
        _clock.Advance(TimeSpan.FromSeconds(21));
        await Poll.UntilAsync(() => _seen.GetValueOrDefault("voicegrains.webrtc.ice.timeouts") == 1, "no path was found");

        await using (var stranger = Create())
        {
            using var client = new NativeClient(_endpoint.Port, _certificate.Fingerprint, _clock);
            await client.StartAsync(stranger.Answer(SdpOffers.Read("chromium-sendrecv")));
            await Poll.UntilAsync(() => stranger.State == PeerState.Failed, "another certificate was refused");
        }
        await using (var silent = Create())
        {
            using var client = new NativeClient(_endpoint.Port, _certificate.Fingerprint, _clock) { ShakesHands = false };
            await client.StartAsync(silent.Answer(client.Offer));
            await Poll.UntilAsync(() => silent.Statistics.Ice == IceState.Connected, "the path is there");
            for (var second = 0; second < 16; second++)
                _clock.Advance(TimeSpan.FromSeconds(1));
            await Poll.UntilAsync(() => silent.State == PeerState.Failed, "nobody shook hands");
        }
        using var late = new NativeClient(_endpoint.Port, _certificate.Fingerprint, _clock) { ShakesHands = false };
        var abandoned = Create();
        await late.StartAsync(abandoned.Answer(late.Offer));
        await Poll.UntilAsync(() => abandoned.Statistics.Ice == IceState.Connected, "the path is there");
        await abandoned.DisposeAsync();

        Assert.Equal(["abandoned", "fingerprint", "timeout"], Outcomes());
        Assert.DoesNotContain("voicegrains.webrtc.dtls.duration", _seen.Keys);
        IEnumerable<string> Outcomes() => _seen.Where(seen => seen.Key.Contains("handshakes", StringComparison.Ordinal) && seen.Value == 1).Select(seen => seen.Key.Split('=')[1]).Order();
    }

    [Fact]
    public void EveryMetric_IsDocumented()
    {
        var page = File.ReadAllText(Path.Combine(Path.GetDirectoryName(ThisFile())!, "../../../docs/webrtc.md"));
        var documented = Regex.Matches(page, "`(voicegrains_webrtc_[a-z_]+)").Select(match => match.Groups[1].Value).ToHashSet();
        string[] known = [.. _names.Keys.Select(name => name.Replace('.', '_'))];
        Assert.NotEmpty(known);
        Assert.All(known, name => Assert.Contains(documented, one => IsNameOf(one, name)));
        Assert.All(documented, one => Assert.Contains(known, name => IsNameOf(one, name)));

        static bool IsNameOf(string documented, string name) => documented.StartsWith(name, StringComparison.Ordinal) && documented[name.Length..] is "" or "_total" or "_seconds";
    }

    private static string ThisFile([CallerFilePath] string path = "") => path;

    private (double In, double Out) BothWays(string name) => (_seen[$"voicegrains.webrtc.{name} direction=in"], _seen[$"voicegrains.webrtc.{name} direction=out"]);

    /// <summary>Counters are added up, all else is as it was last.</summary>
    private void Note(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var key = instrument.Name + string.Concat(tags.ToArray().Select(tag => $" {tag.Key}={tag.Value}"));
        _seen.AddOrUpdate(key, value, (_, before) => instrument is Counter<long> ? before + value : value);
    }

    private PeerConnection Create() => new(
        new PeerConnectionOptions { Endpoint = _endpoint, Certificate = _certificate, AgentStreamId = "PA_a|TR_a", AgentTrackId = "TR_a", AgentSsrc = AgentSsrc }, _sink, _clock, NullLogger.Instance);

    private async Task<NativeClient> ConnectAsync()
    {
        var client = new NativeClient(_endpoint.Port, _certificate.Fingerprint, _clock);
        client.Offer = AsClient(client.Offer);
        await client.StartAsync(_peer.Answer(client.Offer));
        await Poll.UntilAsync(() => client.IsConnected && _sink.States.Count == 2, "the connection is up");
        return client;
    }
}
