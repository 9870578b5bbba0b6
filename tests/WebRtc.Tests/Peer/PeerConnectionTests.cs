using System.Net;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using VoiceGrains.Tests.Shared;
using VoiceGrains.WebRtc.Dtls;
using VoiceGrains.WebRtc.Ice;
using VoiceGrains.WebRtc.Rtp;
using VoiceGrains.WebRtc.Sdp;
using VoiceGrains.WebRtc.Tests.Sdp;
using VoiceGrains.WebRtc.Tests.Transport;
using VoiceGrains.WebRtc.Transport;
using static VoiceGrains.WebRtc.Tests.Peer.ClientPackets;

namespace VoiceGrains.WebRtc.Tests.Peer;

/// <summary>A connection with a client of our own on loopback. The clock stands still unless a test moves it.</summary>
public sealed class PeerConnectionTests : IAsyncLifetime
{
    private const uint AgentSsrc = 0xA6E47;

    private readonly ManualClock _clock = new();
    private readonly RecordingSink _sink = new();
    private readonly DtlsCertificate _certificate = DtlsCertificate.Create();
    private readonly MediaEndpoint _endpoint;
    private readonly PeerConnection _peer;

    public PeerConnectionTests()
    {
        _endpoint = MediaEndpoint.Start(new MediaEndpointOptions { BindAddress = IPAddress.Loopback }, _clock, NullLoggerFactory.Instance);
        _peer = new PeerConnection(
            new PeerConnectionOptions { Endpoint = _endpoint, Certificate = _certificate, AgentStreamId = "PA_a|TR_a", AgentTrackId = "TR_a", AgentSsrc = AgentSsrc, Cname = "agent" },
            _sink, _clock, NullLogger.Instance);
    }

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        await _peer.DisposeAsync();
        await _endpoint.DisposeAsync();
        _certificate.Dispose();
    }

    [Fact]
    public async Task Audio_GoesBothWays()
    {
        using var client = await ConnectAsync();
        for (uint i = 0; i < 3; i++)
            Assert.True(_peer.TrySendAudio(Opus, 1_000 + 960 * i, marker: i == 0));
        client.SendRtp(Microphone(12));
        await Poll.UntilAsync(() => client.Rtp.Count == 3 && _sink.Audio.Count == 1, "audio came both ways");

        var packets = client.Rtp.Select(Read).ToList();
        Assert.All(packets, packet => Assert.Equal((AgentSsrc, 111), (packet.Ssrc, packet.PayloadType)));
        Assert.Equal([true, false, false], packets.Select(packet => packet.Marker));
        Assert.Equal([0, 1, 2], packets.Select(packet => packet.Sequence - packets[0].Sequence));
        Assert.InRange(packets[0].Sequence, 0, 32_767);
        Assert.Equal([0u, 960u, 1_920u], packets.Select(packet => packet.Timestamp - packets[0].Timestamp));
        Assert.All(packets, packet => Assert.Equal(Opus, packet.Payload));
        Assert.Equal((ClientSsrc, (ushort)12), (_sink.Audio.Single().Track.Ssrc, _sink.Audio.Single().Sequence));
        Assert.Equal(_sink.Audio.Single().Track, Assert.Single(_peer.RemoteTracks));
        Assert.Equal([PeerState.Connecting, PeerState.Connected], _sink.States);
    }

    [Fact]
    public async Task SendingAudio_AllocatesNothing()
    {
        using var client = await ConnectAsync();
        for (uint i = 0; i < 100; i++)
            _peer.TrySendAudio(Opus, i * 960, false);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (uint i = 100; i < 600; i++)
            _peer.TrySendAudio(Opus, i * 960, false);
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    /// <summary>livekit-client adds a section each time that a page publishes its microphone anew.</summary>
    [Theory]
    [InlineData(64, 0)]
    [InlineData(38, 1_700)]
    public void AnOfferThatHasGrownTooLarge_NeedsANewConnection_AndAFirstOneIsBad(int more, int padding)
    {
        var offer = SdpOffers.Read("chromium-sendrecv");
        var large = offer + string.Concat(Enumerable.Range(0, more).Select(i => $"m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:m{i}\r\na=inactive\r\na=x:{new string('x', padding)}\r\n"));
        Assert.False(Assert.Throws<SdpException>(() => _peer.Answer(large)).NeedsNewConnection);
        _peer.Answer(offer);
        Assert.True(Assert.Throws<SdpException>(() => _peer.Answer(large)).NeedsNewConnection);
        _peer.Answer(offer);
    }

    [Fact]
    public async Task ALaterOffer_KeepsTheStreamAndTheCredentials()
    {
        using var client = await ConnectAsync();
        Assert.True(_peer.TrySendAudio(Opus, 0, true));
        var again = SdpParser.Parse(_peer.Answer(client.Offer));
        Assert.True(_peer.TrySendAudio(Opus, 960, false));
        await Poll.UntilAsync(() => client.Rtp.Count == 2, "both packets came");

        Assert.Equal(NativeClient.Credentials(client.Answered!).UsernameFragment, again.Media[0].UsernameFragment);
        Assert.Equal([AgentSsrc], again.Media[0].Ssrcs);
        Assert.Equal([0, 1], client.Rtp.Select(packet => (int)(ushort)(Read(packet).Sequence - Read(client.Rtp.First()).Sequence)));
        Assert.Contains(" 2 IN IP4", _peer.Answer(client.Offer).Split("\r\n")[1].Replace(" 3 ", " 2 "));
    }

    [Fact]
    public async Task AnIceRestart_ChangesOurCredentials_AndMediaGoesOn()
    {
        using var client = await ConnectAsync();
        Assert.True(_peer.TrySendAudio(Opus, 0, true));
        client.Offer = client.Offer.Replace("a=ice-ufrag:", "a=ice-ufrag:new");
        var answer = _peer.Answer(client.Offer);
        Assert.NotEqual(NativeClient.Credentials(client.Answered!), NativeClient.Credentials(answer));
        Assert.Equal(SdpParser.Parse(client.Answered!).Media[0].Fingerprint, SdpParser.Parse(answer).Media[0].Fingerprint);

        Assert.True(_peer.TrySendAudio(Opus, 960, false));      // on the old path
        client.Check(answer);
        client.SendRtp(Microphone(1));
        await Poll.UntilAsync(() => _sink.Audio.Count == 1, "the microphone goes on");
        Assert.True(_peer.TrySendAudio(Opus, 1_920, false));
        await Poll.UntilAsync(() => client.Rtp.Count == 3, "the agent goes on");
        Assert.Equal([0, 1, 2], client.Rtp.Select(packet => (int)(ushort)(Read(packet).Sequence - Read(client.Rtp.First()).Sequence)));
        Assert.Equal([PeerState.Connecting, PeerState.Connected], _sink.States);
    }

    [Fact]
    public async Task Reports_TellBothSidesOfTheOther()
    {
        using var client = await ConnectAsync();
        _peer.TrySendAudio(Opus, 0, true);
        client.SendRtp(Microphone(1));
        client.SendRtp(Microphone(4));      // two are missing
        await Poll.UntilAsync(() => _sink.Audio.Count == 2, "the microphone came");
        _clock.Advance(TimeSpan.FromSeconds(1.25));
        await Poll.UntilAsync(() => !client.Rtcp.IsEmpty, "a report came");

        var (info, block, cname) = ReadReport(client.Rtcp.First());
        Assert.Equal((AgentSsrc, 1u, (uint)Opus.Length), (info.Ssrc, info.Packets, info.Octets));
        Assert.Equal((ClientSsrc, (byte)128, 2), (block.Ssrc, block.FractionLost, block.CumulativeLost));
        Assert.Equal("agent", cname);
        Assert.Equal((2, 0.5), (_peer.Statistics.PacketsLost, _peer.Statistics.Loss));

        _clock.Advance(TimeSpan.FromMilliseconds(80));
        client.SendRtcp(ReceiverReport(new RtcpReportBlock(AgentSsrc, 64, 3, 0, 480, NtpTime.Middle(info.NtpTime), 0)));
        await Poll.UntilAsync(() => _peer.Statistics.RoundTrip is not null, "the client's report came");
        var statistics = _peer.Statistics;
        Assert.InRange(statistics.RoundTrip!.Value.TotalMilliseconds, 79, 81);
        Assert.Equal((0.25, 3, TimeSpan.FromMilliseconds(10)), (statistics.LossAtClient, statistics.PacketsLostByClient, statistics.JitterAtClient));
    }

    [Fact]
    public async Task Reports_ComeAtVaryingIntervals()
    {
        using var client = await ConnectAsync();
        _peer.TrySendAudio(Opus, 0, true);
        for (var step = 0; step < 280; step++)      // 28 s, as long as one check's consent holds
            _clock.Advance(TimeSpan.FromMilliseconds(100));
        await Poll.UntilAsync(() => client.Rtcp.Count >= 4, "reports came");

        List<double> times = [.. client.Rtcp.Select(datagram =>
        {
            Assert.True(RtcpReader.TryOpen(datagram, out var reader));
            Assert.True(reader.TryRead(out var report));
            Assert.True(report.TryReadSenderInfo(out var info));
            return info.NtpTime / (double)(1UL << 32);
        })];
        var intervals = times.Zip(times.Skip(1), (before, after) => after - before).ToList();
        Assert.All(intervals, interval => Assert.InRange(interval, 2.4, 7.6));
        Assert.NotEqual(1, intervals.Distinct().Count());
    }

    [Fact]
    public async Task LostConsent_StopsTheSending_AndACheckBringsItBack()
    {
        using var client = await ConnectAsync();
        Assert.True(_peer.TrySendAudio(Opus, 0, true));
        _clock.Advance(TimeSpan.FromSeconds(32));
        await Poll.UntilAsync(() => _peer.State == PeerState.Disconnected, "the consent ended");
        Assert.False(_peer.TrySendAudio(Opus, 960, false));

        client.Check(client.Answered!);
        await Poll.UntilAsync(() => _peer.State == PeerState.Connected, "the check came");
        Assert.True(_peer.TrySendAudio(Opus, 1_920, true));
        await Poll.UntilAsync(() => client.Rtp.Count == 2, "the agent is back");
        Assert.Equal([0, 1], client.Rtp.Select(packet => (int)(ushort)(Read(packet).Sequence - Read(client.Rtp.First()).Sequence)));
        await Poll.UntilAsync(() => _sink.States.Count == 4, "the owner was told");
        Assert.Equal([PeerState.Connecting, PeerState.Connected, PeerState.Disconnected, PeerState.Connected], _sink.States);
    }

    [Fact]
    public async Task ARestartThatFindsNoPath_Fails()
    {
        using var client = await ConnectAsync();
        _clock.Advance(TimeSpan.FromSeconds(32));
        _peer.Answer(client.Offer.Replace("a=ice-ufrag:", "a=ice-ufrag:new"));
        _clock.Advance(TimeSpan.FromSeconds(20));

        await Poll.UntilAsync(() => _sink.States.Count == 4, "the owner was told");
        Assert.Equal([PeerState.Connecting, PeerState.Connected, PeerState.Disconnected, PeerState.Failed], _sink.States);
    }

    [Fact]
    public async Task WithoutAPathInTime_ItFails()
    {
        _peer.Answer(SdpOffers.Read("chromium-sendrecv"));
        _clock.Advance(TimeSpan.FromSeconds(19.9));
        Assert.Equal(PeerState.Connecting, _peer.State);
        _clock.Advance(TimeSpan.FromSeconds(0.2));

        await Poll.UntilAsync(() => _sink.States.Count == 2, "the owner was told");
        Assert.Equal([PeerState.Connecting, PeerState.Failed], _sink.States);
        Assert.Equal("No path to the client was found in time.", _sink.Reasons.Last());
    }

    [Fact]
    public async Task WithoutAHandshakeInTime_ItFails()
    {
        using var client = new NativeClient(_endpoint.Port, _certificate.Fingerprint, _clock) { ShakesHands = false };
        await client.StartAsync(_peer.Answer(client.Offer));
        await Poll.UntilAsync(() => _peer.Statistics.Ice == IceState.Connected, "the path is there");
        for (var second = 0; second < 16; second++)
            _clock.Advance(TimeSpan.FromSeconds(1));

        await Poll.UntilAsync(() => _sink.States.Count == 2, "the owner was told");
        Assert.Equal([PeerState.Connecting, PeerState.Failed], _sink.States);
    }

    [Fact]
    public async Task ACertificateThatIsNotTheOffers_Fails()
    {
        using var client = new NativeClient(_endpoint.Port, _certificate.Fingerprint, _clock);
        await client.StartAsync(_peer.Answer(SdpOffers.Read("chromium-sendrecv")));

        await Poll.UntilAsync(() => _sink.States.Count == 2, "the owner was told");
        Assert.Equal([PeerState.Connecting, PeerState.Failed], _sink.States);
        Assert.False(_peer.TrySendAudio(Opus, 0, true));
        Assert.False(_peer.Statistics.IsSecured);
    }

    [Fact]
    public async Task WhatIsNotAuthentic_IsCountedAndChangesNothing()
    {
        using var client = await ConnectAsync();
        client.SendRaw(Microphone(1));
        client.SendRaw([0x80, 200, 0, 1, 0, 0, 0, 77]);
        client.SendRaw([0x80, 111, 0]);
        await Poll.UntilAsync(() => _peer.Statistics.PacketsRefused == 3, "they came");
        Assert.Empty(_sink.Audio);
    }

    [Fact]
    public async Task TheClientsGoodbye_Closes()
    {
        using var client = await ConnectAsync();
        client.SayGoodbye();
        await Poll.UntilAsync(() => _sink.States.Count == 3, "the owner was told");

        Assert.Equal(PeerState.Closed, _sink.States.Last());
        Assert.True(Assert.Throws<SdpException>(() => _peer.Answer(client.Offer)).NeedsNewConnection);
        Assert.False(_peer.TrySendAudio(Opus, 0, true));
    }

    [Fact]
    public async Task Dispose_SaysGoodbyeOnce_AndEndsEverything()
    {
        using var client = await ConnectAsync();
        _peer.TrySendAudio(Opus, 0, true);
        await _peer.DisposeAsync();
        await _peer.DisposeAsync();
        await Poll.UntilAsync(() => client.Closed is not null && !client.Rtcp.IsEmpty, "the goodbyes came");

        Assert.True(SaysGoodbye(client.Rtcp.Single()));
        Assert.Equal("The peer closed the DTLS connection.", client.Closed);
        Assert.Equal([PeerState.Connecting, PeerState.Connected], _sink.States);
        Assert.Equal(PeerState.Closed, _peer.State);
        Assert.False(_peer.TrySendAudio(Opus, 960, false));
        Assert.False(_peer.TrySendData("reliable", Opus));
        Assert.Throws<ObjectDisposedException>(() => _peer.Answer(client.Offer));
    }

    [Fact]
    public void ABadOffer_LeavesTheStateBefore()
    {
        var offer = SdpOffers.Read("chromium-sendrecv");
        Assert.Throws<SdpException>(() => _peer.Answer("v=0\r\nm=audio"));
        Assert.Equal(PeerState.New, _peer.State);

        var first = _peer.Answer(offer);
        Assert.Throws<SdpException>(() => _peer.Answer(offer.Replace("a=mid:1", "a=mid:9").Replace("a=ice-ufrag:", "a=ice-ufrag:new")));
        Assert.Equal(NativeClient.Credentials(first), NativeClient.Credentials(_peer.Answer(offer)));
        Assert.Equal([PeerState.Connecting], _sink.States);
    }

    [Fact]
    public void BeforeTheConnection_NothingIsSent()
    {
        Assert.False(_peer.TrySendAudio(Opus, 0, true));
        Assert.False(_peer.TrySendData("reliable", Opus));
        _peer.Answer(SdpOffers.Read("chromium-sendrecv"));
        Assert.False(_peer.TrySendAudio(Opus, 0, true));
        Assert.Equal(0, _peer.Statistics.PacketsSent);
    }

    private async Task<NativeClient> ConnectAsync()
    {
        var client = new NativeClient(_endpoint.Port, _certificate.Fingerprint, _clock);
        client.Offer = AsClient(client.Offer);
        client.Answered = _peer.Answer(client.Offer);
        await client.StartAsync(client.Answered);
        await Poll.UntilAsync(() => client.IsConnected && _sink.States.Count == 2, "the connection is up");
        return client;
    }

    private static (uint Ssrc, byte PayloadType, bool Marker, ushort Sequence, uint Timestamp, byte[] Payload) Read(byte[] bytes)
    {
        Assert.True(RtpPacket.TryRead(bytes, out var packet));
        return (packet.Ssrc, packet.PayloadType, packet.Marker, packet.Sequence, packet.Timestamp, packet.Payload.ToArray());
    }

    private static (RtcpSenderInfo Info, RtcpReportBlock Block, string Cname) ReadReport(byte[] bytes)
    {
        Assert.True(RtcpReader.TryOpen(bytes, out var reader));
        Assert.True(reader.TryRead(out var report));
        Assert.True(report.TryReadSenderInfo(out var info));
        Assert.Equal(1, report.Reports);
        Assert.True(reader.TryRead(out var description));
        Assert.True(description.TryReadCname(out _, out var cname));
        return (info, report.Report(0), Encoding.UTF8.GetString(cname));
    }

    private static bool SaysGoodbye(byte[] bytes)
    {
        Assert.True(RtcpReader.TryOpen(bytes, out var reader));
        while (reader.TryRead(out var packet))
            if (packet.SaysGoodbye(AgentSsrc))
                return true;
        return false;
    }
}
