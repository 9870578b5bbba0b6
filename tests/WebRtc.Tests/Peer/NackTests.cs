using System.Net;
using Microsoft.Extensions.Logging.Abstractions;
using VoiceGrains.Tests.Shared;
using VoiceGrains.WebRtc.Dtls;
using VoiceGrains.WebRtc.Rtp;
using VoiceGrains.WebRtc.Tests.Transport;
using VoiceGrains.WebRtc.Transport;
using static VoiceGrains.WebRtc.Tests.Peer.ClientPackets;

namespace VoiceGrains.WebRtc.Tests.Peer;

/// <summary>Packets that are lost between a connection and a client of our own, and asked for again. The clock stands still unless a test moves it.</summary>
public sealed class NackTests : IAsyncLifetime
{
    private const uint AgentSsrc = 0xA6E47;

    private readonly ManualClock _clock = new();
    private readonly RecordingSink _sink = new() { PlayoutDelay = TimeSpan.FromMilliseconds(200) };
    private readonly DtlsCertificate _certificate = DtlsCertificate.Create();
    private readonly MediaEndpoint _endpoint;
    private PeerConnection? _peer;

    public NackTests() => _endpoint = MediaEndpoint.Start(new MediaEndpointOptions { BindAddress = IPAddress.Loopback }, _clock, NullLoggerFactory.Instance);

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        if (_peer is not null)
            await _peer.DisposeAsync();
        await _endpoint.DisposeAsync();
        _certificate.Dispose();
    }

    [Fact]
    public async Task APacketThatTheClientMisses_IsSentAgainAsItWas()
    {
        using var client = await ConnectAsync(nack: true);
        var (count, lost) = (0, (byte[]?)null);
        client.Loses = datagram =>
        {
            var isLost = ++count == 2;
            lost = isLost ? datagram : lost;
            return isLost;
        };
        for (uint i = 0; i < 3; i++)
            Assert.True(_peer!.TrySendAudio([.. Opus, (byte)i], 960 * i, marker: false));
        await Poll.UntilAsync(() => client.Rtp.Count == 2, "the others came");
        var missing = (ushort)(Read(client.Rtp.First()).Sequence + 1);
        byte[]? again = null;
        client.Loses = datagram =>
        {
            again = [.. datagram];
            return false;
        };
        client.SendRtcp(Nack(AgentSsrc, missing, (ushort)(missing + 9_000)));
        await Poll.UntilAsync(() => client.Rtp.Count == 3, "it came again");

        Assert.Equal((missing, 960u), (Read(client.Rtp.Last()).Sequence, Read(client.Rtp.Last()).Timestamp - Read(client.Rtp.First()).Timestamp));
        Assert.Equal(lost, again);
        Assert.Equal((2, 1), (_peer!.Statistics.PacketsRequestedByClient, _peer.Statistics.PacketsRetransmitted));
    }

    [Theory]
    [InlineData(false, true)]
    [InlineData(true, false)]
    public async Task WithoutAnAgreement_ANackIsCounted_AndNothingIsSentAgain(bool nack, bool isOffered)
    {
        using var client = await ConnectAsync(nack, isOffered);
        Assert.DoesNotContain("nack", client.Answered);
        Assert.True(_peer!.TrySendAudio(Opus, 0, marker: false));
        await Poll.UntilAsync(() => client.Rtp.Count == 1, "it came");
        client.SendRtcp(Nack(AgentSsrc, Read(client.Rtp.First()).Sequence));
        client.SendRtcp(Nack(AgentSsrc + 1, 5));        // of another's stream
        await TellRoundTripAsync(client);
        client.SendRtp(Microphone(1));
        client.SendRtp(Microphone(3));
        client.SendRtp(Microphone(4));
        await Poll.UntilAsync(() => _sink.Audio.Count == 3, "the microphone came");
        Assert.True(_peer.TrySendAudio(Opus, 960, marker: false));
        await Poll.UntilAsync(() => client.Rtp.Count == 3, "the next came");

        Assert.Equal(2, (short)(Read(client.Rtp.Last()).Sequence - Read(client.Rtp.First()).Sequence));
        Assert.Equal((1, 0, 0), (_peer.Statistics.PacketsRequestedByClient, _peer.Statistics.PacketsRetransmitted, _peer.Statistics.PacketsRequested));
        Assert.Empty(client.Rtcp.SelectMany(Nacked));
    }

    [Fact]
    public async Task WhatTheMicrophoneLacks_IsAskedFor_WhereItCanStillBePlayed()
    {
        using var client = await ConnectAsync(nack: true);
        Assert.Contains("a=rtcp-fb:111 nack\r\n", client.Answered);
        client.SendRtp(Microphone(1));
        client.SendRtp(Microphone(3));
        client.SendRtp(Microphone(4));
        await Poll.UntilAsync(() => _sink.Audio.Count == 3, "the microphone came");
        Assert.Equal(0, _peer!.Statistics.PacketsRequested);        // the round trip is not known yet

        await TellRoundTripAsync(client);
        _clock.Advance(TimeSpan.FromMilliseconds(500));             // too late for what was missing
        client.SendRtp(Microphone(5));
        client.SendRtp(Microphone(8));
        await Poll.UntilAsync(() => client.Rtcp.SelectMany(Nacked).Any(), "we asked");
        Assert.Equal([(ClientSsrc, (ushort)6), (ClientSsrc, (ushort)7)], client.Rtcp.SelectMany(Nacked));

        client.SendRtp(Microphone(7));
        client.SendRtp(Microphone(2));
        await Poll.UntilAsync(() => _sink.Audio.Count == 7, "they came");
        Assert.Equal((2, 1), (_peer.Statistics.PacketsRequested, _peer.Statistics.PacketsRecovered));

        _sink.PlayoutDelay = TimeSpan.FromMilliseconds(20);
        client.SendRtp(Microphone(11));
        client.SendRtp(Microphone(12));
        client.SendRtp(Microphone(13));
        await Poll.UntilAsync(() => _sink.Audio.Count == 10, "the microphone came");
        Assert.Equal(2, _peer.Statistics.PacketsRequested);
    }

    private async Task<NativeClient> ConnectAsync(bool nack, bool isOffered = true)
    {
        _peer = new PeerConnection(
            new PeerConnectionOptions { Endpoint = _endpoint, Certificate = _certificate, AgentStreamId = "PA_a|TR_a", AgentTrackId = "TR_a", AgentSsrc = AgentSsrc, Nack = nack },
            _sink, _clock, NullLogger.Instance);
        var client = new NativeClient(_endpoint.Port, _certificate.Fingerprint, _clock);
        client.Offer = AsClient(client.Offer);
        if (isOffered)
            client.Offer = client.Offer.Replace("a=rtcp-fb:111 transport-cc", "a=rtcp-fb:111 transport-cc\r\na=rtcp-fb:* nack");
        client.Answered = _peer.Answer(client.Offer);
        await client.StartAsync(client.Answered);
        await Poll.UntilAsync(() => client.IsConnected && _sink.States.Count == 2, "the connection is up");
        return client;
    }

    /// <summary>Answers our next sender report, 30 ms after it.</summary>
    private async Task TellRoundTripAsync(NativeClient client)
    {
        var (audio, reports) = (client.Rtp.Count, client.Rtcp.Count);
        Assert.True(_peer!.TrySendAudio(Opus, 480, marker: false));
        await Poll.UntilAsync(() => client.Rtp.Count == audio + 1, "audio came");
        _clock.Advance(TimeSpan.FromSeconds(5));
        RtcpSenderInfo info = default;
        await Poll.UntilAsync(() => client.Rtcp.Count > reports && TryReadInfo(client.Rtcp.Last(), out info), "a report came");
        var age = _clock.GetUtcNow();
        _clock.Advance(TimeSpan.FromMilliseconds(30));
        var delay = NtpTime.Middle(NtpTime.From(age)) - NtpTime.Middle(info.NtpTime);
        client.SendRtcp(ReceiverReport(new RtcpReportBlock(AgentSsrc, 0, 0, 0, 0, NtpTime.Middle(info.NtpTime), delay)));
        await Poll.UntilAsync(() => _peer.Statistics.RoundTrip is not null, "the client's report came");
        Assert.InRange(_peer.Statistics.RoundTrip!.Value.TotalMilliseconds, 29, 31);
    }

    private static (ushort Sequence, uint Timestamp) Read(byte[] bytes)
    {
        Assert.True(RtpPacket.TryRead(bytes, out var packet));
        return (packet.Sequence, packet.Timestamp);
    }

    private static bool TryReadInfo(byte[] datagram, out RtcpSenderInfo info)
    {
        Assert.True(RtcpReader.TryOpen(datagram, out var reader));
        Assert.True(reader.TryRead(out var packet));
        return packet.TryReadSenderInfo(out info);
    }

    private static IEnumerable<(uint Ssrc, ushort Sequence)> Nacked(byte[] datagram)
    {
        var found = new List<(uint, ushort)>();
        Assert.True(RtcpReader.TryOpen(datagram, out var reader));
        Span<ushort> lost = stackalloc ushort[64];
        while (reader.TryRead(out var packet))
        {
            if (!packet.TryReadNack(out var ssrc, lost, out var count))
                continue;
            foreach (var sequence in lost[..count])
                found.Add((ssrc, sequence));
        }
        return found;
    }
}
