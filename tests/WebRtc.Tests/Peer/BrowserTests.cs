using VoiceGrains.WebRtc.Ice;
using VoiceGrains.WebRtc.Tests.Transport;

namespace VoiceGrains.WebRtc.Tests.Peer;

/// <summary>The connection as a real browser sees it.</summary>
public sealed class BrowserTests(BrowserPage page) : IClassFixture<BrowserPage>
{
    [Fact]
    public async Task Call_CarriesAudioAndDataBothWays_ThroughALaterMicrophoneAndAnIceRestart()
    {
        await using var peer = new EchoPeer(EchoPeer.DefaultOptions with { ReportInterval = TimeSpan.FromSeconds(1) });
        // What a LiveKit client of today offers first.
        await page.CallAsync("open", "call", new[] { "recvonly", "recvonly", "recvonly", "video", "video", "video", "data" });
        await NegotiateAsync("call", peer);
        await page.CallAsync("connected", "call");
        await page.CallAsync("heard", "call");
        Assert.Equal("PA_agent|TR_agent", (await page.CallAsync("stream", "call")).GetString());

        foreach (var size in new[] { 1, 1_200, 16_384, 65_536 })
        {
            await page.CallAsync("echo", "call", "reliable", size);
            await page.CallAsync("echo", "call", "lossy", size);
        }

        var cid = (await page.CallAsync("add", "call", "sendonly")).GetString();
        await NegotiateAsync("call", peer);
        await Poll.UntilAsync(() => peer.Packets > 25, "the microphone's packets came");
        await Poll.UntilAsync(() => peer.TakePeak() > 1_000, "the microphone's beep was heard");
        var track = Assert.Single(peer.Tracks);
        Assert.True(BrowserPage.IsFirefox || cid == track.TrackId);     // Firefox's SDP has ids of its own
        Assert.True(peer.Levels > 0);

        var told = await page.CallAsync("reports", "call");
        await Poll.UntilAsync(() => peer.Connection.Statistics.RoundTrip is not null, "the browser reported on the agent's stream");
        var statistics = peer.Connection.Statistics;
        Assert.Equal((PeerState.Connected, IceState.Connected, true, IceTransport.Udp), (statistics.State, statistics.Ice, statistics.IsSecured, statistics.Transport));
        Assert.True(statistics is { PacketsSent: > 50, BytesSent: > 1_000, PacketsReceived: > 25, BytesReceived: > 1_000, PacketsUnrouted: 0, RemoteAddress: not null });

        // The browser's view of our reports: remote-inbound-rtp and remote-outbound-rtp of its getStats.
        Assert.InRange(told.GetProperty("roundTrip").GetDouble(), 0, 5);
        Assert.InRange(told.GetProperty("jitter").GetDouble(), 0, 5);
        Assert.InRange(told.GetProperty("lost").GetInt64(), -10, statistics.PacketsReceived);
        Assert.InRange(told.GetProperty("packets").GetInt64(), 1, statistics.PacketsSent);

        var before = (await page.CallAsync("pair", "call")).GetProperty("usernameFragment").GetString();
        await NegotiateAsync("call", peer, restartIce: true);
        await Poll.UntilAsync(async () => (await page.CallAsync("pair", "call")).GetProperty("usernameFragment").GetString() != before, "the path was made anew");
        var packets = peer.Packets;
        await page.CallAsync("heard", "call");
        await Poll.UntilAsync(() => peer.Packets > packets + 25, "the microphone went on");
        await page.CallAsync("echo", "call", "reliable", 1_200);
        Assert.Single(peer.Tracks);
        Assert.Equal([PeerState.Connecting, PeerState.Connected], peer.States);
        Assert.DoesNotContain("disconnected", (await page.CallAsync("states", "call")).EnumerateArray().Select(state => state.GetString()));

        await page.CallAsync("close", "call");
        await Poll.UntilAsync(() => peer.States.Contains(PeerState.Closed), "the browser's goodbye came");
        Assert.Equal([PeerState.Connecting, PeerState.Connected, PeerState.Closed], peer.States);
    }

    [Fact]
    public async Task Call_OverTcpAsDtlsServer_WithOneSectionForBothDirections()
    {
        await using var peer = new EchoPeer();
        await page.CallAsync("open", "tcp", new[] { "sendrecv", "data" });
        var offer = (await page.CallAsync("offer", "tcp", false)).GetString()!;
        // The browser is asked to start DTLS, and sees no UDP candidate.
        var answer = peer.Connection.Answer(offer.Replace("a=setup:actpass", "a=setup:active"));
        Assert.Contains("a=setup:passive", answer);
        var directions = await page.CallAsync("answer", "tcp", string.Concat(answer.Split("\r\n").Where(line => !line.Contains(" udp ")).Select(line => line + "\r\n")).TrimEnd() + "\r\n");
        Assert.Equal(["sendrecv"], directions.EnumerateArray().Select(direction => direction.GetString()));

        await page.CallAsync("connected", "tcp");
        await page.CallAsync("heard", "tcp");
        Assert.Equal("tcp", (await page.CallAsync("pair", "tcp")).GetProperty("protocol").GetString());
        await page.CallAsync("echo", "tcp", "reliable", 65_536);
        await Poll.UntilAsync(() => peer.TakePeak() > 1_000, "the microphone's beep was heard");

        await peer.Connection.DisposeAsync();
        await page.CallAsync("gone", "tcp");
        await page.CallAsync("close", "tcp");
    }

    [Fact]
    public async Task Answer_TakesTurnsWithTheTracksOfTheClient()
    {
        await using var peer = new EchoPeer();
        await page.CallAsync("open", "tracks", new[] { "recvonly", "sendonly", "sendonly", "video" });
        Assert.Equal(["recvonly", "sendonly", "inactive", "inactive"], await NegotiateAsync("tracks", peer));
        await page.CallAsync("connected", "tracks");
        await page.CallAsync("heard", "tracks");
        await Poll.UntilAsync(() => peer.Packets > 25, "the first microphone's packets came");

        await page.CallAsync("direction", "tracks", 1, "inactive");
        Assert.Equal(["recvonly", "inactive", "sendonly", "inactive"], await NegotiateAsync("tracks", peer));
        await Poll.UntilAsync(() => peer.Tracks.Count == 2, "the second one's packets came");
        Assert.Equal(["1", "2"], peer.Tracks.Select(track => track.Mid));

        // A stopped section is rejected for good; the next one takes its place under another mid.
        await page.CallAsync("stop", "tracks", 1);
        Assert.Equal(["recvonly", "sendonly", "inactive"], await NegotiateAsync("tracks", peer));
        await page.CallAsync("add", "tracks", "data");
        await page.CallAsync("add", "tracks", "sendonly");
        await NegotiateAsync("tracks", peer);
        await page.CallAsync("echo", "tracks", "reliable", 1_200);
        await page.CallAsync("heard", "tracks");
        await page.CallAsync("close", "tracks");
    }

    /// <returns>What each of the browser's transceivers does now.</returns>
    private async Task<string[]> NegotiateAsync(string name, EchoPeer peer, bool restartIce = false)
    {
        var offer = (await page.CallAsync("offer", name, restartIce)).GetString()!;
        var directions = await page.CallAsync("answer", name, peer.Connection.Answer(offer));
        return [.. directions.EnumerateArray().Select(direction => direction.GetString()!)];
    }
}
