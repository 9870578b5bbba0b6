using System.Net;
using System.Net.WebSockets;
using System.Text;
using VoiceGrains.Media;
using VoiceGrains.Server.Tests.Hosting;
using VoiceGrains.Server.Tests.WebSockets;
using VoiceGrains.Silo.LiveKit.Protocol;
using VoiceGrains.WebRtc;
using Kind = VoiceGrains.Silo.LiveKit.Protocol.SignalResponse.MessageOneofCase;

namespace VoiceGrains.Server.Tests.LiveKit;

/// <summary>Whole <c>webRtc</c> calls, but for the network between the peers.</summary>
public sealed class RoomCallTests(RoomSilo silo)
{
    private const string UserFirst = """{"firstSpeakerSettings":{"user":{}}}""";
    private const string Talk = """{"systemPrompt":"When the user says \"hello\": say \"Hello to you.\"","firstSpeakerSettings":{"agent":{"text":"Welcome aboard."}}}""";

    [Fact]
    public async Task ACall_IsJoinedGreetedTalkedAndHungUp()
    {
        await using var call = await RoomCall.CreateAsync(silo, Talk);
        var info = await call.OpenJoinAsync();
        Assert.Equal(("room_info", call.RoomUrl), (info.GetProperty("type").GetString(), info.GetProperty("roomUrl").GetString()));
        await call.EnterAsync(info.GetProperty("token").GetString(), connects: false);
        Assert.Empty(call.Peer.Audio);
        call.Peer.HasChannels = false;
        call.Peer.Connect();
        await call.UntilAsync(() => Energy(call.Peer) > 1e6, "a greeting to be heard");
        call.Peer.HasChannels = true;       // nothing that was said before is missing
        await call.WaitForMessageAsync("transcript", message => Text(message) == "Welcome aboard.");
        Assert.Equal("call_started", call.Messages[0].GetProperty("type").GetString());
        Assert.Equal(Enumerable.Range(1, call.Peer.Data.Count).Select(i => (uint)i), call.Peer.Data.Select(packet => packet.Sequence));
        Assert.All(call.Peer.Data, packet => Assert.Equal(("agent", call.Signal.Join.OtherParticipants[0].Sid, DataPacket.Types.Kind.Reliable), (packet.ParticipantIdentity, packet.ParticipantSid, packet.Kind)));
        await call.Signal.WaitForAsync(Kind.SpeakersChanged, message => message.SpeakersChanged.Speakers[0] is { Active: true, Level: > 0 });

        // One message by the data channel, and a long one by the join socket.
        call.Peer.SendJson("""{"type":"user_text_message","text":"hello"}""");
        await call.WaitForMessageAsync("transcript", message => message.GetProperty("role").GetString() == "agent" && Text(message) == "Hello to you.");
        await call.JoinSocket!.SendAsync(Encoding.UTF8.GetBytes($$"""{"type":"ping","timestamp":5,"padding":"{{new string('x', 5_000)}}"}"""), WebSocketMessageType.Text, true, SiloFixture.Cancel);
        await call.WaitForMessageAsync("pong", message => message.GetProperty("timestamp").GetDouble() == 5);

        call.Peer.Statistics = new PeerStatistics { PacketsReceived = 90, PacketsLost = 10, PacketsSent = 200, RoundTrip = TimeSpan.FromMilliseconds(42) };
        await call.Signal.LeaveAsync();
        await call.JoinSocket.CloseAsync(WebSocketCloseStatus.Empty, null, SiloFixture.Cancel);
        var ended = await call.EndedAsync();
        var measured = Assert.Single((await call.Api.GetAsync($"/api/calls/{call.CallId}/events?type=webrtc_statistics")).Json.GetProperty("results").EnumerateArray());
        Assert.StartsWith("Of the client's packets 10.0 % were lost, of ours 0.0 %; round trip 42 ms;", measured.GetProperty("text").GetString());
        Assert.Equal((1, 90, 42), (Figure("connections"), Figure("packetsReceived"), Figure("roundTripMs")));
        int Figure(string name) => (int)measured.GetProperty("extras").GetProperty(name).GetDouble();
        Assert.Equal(("hangup", "web_0.5.0"), (ended.GetProperty("endReason").GetString(), ended.GetProperty("clientVersion").GetString()));
    }

    [Fact]
    public async Task TheUsersVoice_IsHeard_UnlessItIsMuted()
    {
        await using var call = await RoomCall.CreateAsync(silo, UserFirst);
        await call.JoinAsync();
        await call.Signal.SendAsync(new SignalRequest { AddTrack = new AddTrackRequest { Cid = "mic", Name = "audio", Source = TrackSource.Microphone, Muted = true } });
        var track = (await call.Signal.WaitForAsync(Kind.TrackPublished)).TrackPublished.Track.Sid;
        await call.WaitForMessageAsync("state");
        await SpeakAsync(call, HumanSpeech.OneTurn());
        Assert.DoesNotContain(call.Messages, message => message.GetProperty("type").GetString() == "transcript");
        await call.Signal.SendAsync(new SignalRequest { Mute = new MuteTrackRequest { Sid = track } });
        await call.Signal.SendAsync(new SignalRequest { PingReq = new Ping() });
        await call.Signal.WaitForAsync(Kind.PongResp);
        await SpeakAsync(call, HumanSpeech.OneTurn());
        await call.WaitForMessageAsync("transcript", message => message.GetProperty("role").GetString() == "user");
        await call.Signal.WaitForAsync(Kind.TrackSubscribed, message => message.TrackSubscribed.TrackSid == track);
        await call.Signal.WaitForAsync(Kind.SpeakersChanged, message => message.SpeakersChanged.Speakers.Any(speaker => speaker.Sid == call.Signal.Join.Participant.Sid && speaker.Active));
    }

    [Fact]
    public async Task TheAgentHangsUp_AfterItsLastWords_OnBothSockets()
    {
        await using var call = await RoomCall.CreateAsync(silo, UserFirst);
        await call.JoinAsync();
        await call.WaitForMessageAsync("state");
        call.Peer.SendJson("""{"type":"hang_up","message":"Good bye."}""");
        var leave = (await call.Signal.WaitForAsync(Kind.Leave)).Leave;
        Assert.Equal((DisconnectReason.RoomDeleted, LeaveRequest.Types.Action.Disconnect), (leave.Reason, leave.Action));
        Assert.Equal(WebSocketCloseStatus.NormalClosure, await call.Signal.WaitForCloseAsync());
        await call.JoinSocket!.ReceiveAsync(new byte[100], SiloFixture.Cancel);
        Assert.Equal(WebSocketCloseStatus.NormalClosure, call.JoinSocket.CloseStatus);
        Assert.Equal("idle", call.Messages[^1].GetProperty("state").GetString());
        Assert.Contains(call.Messages, message => Text(message) == "Good bye.");
        Assert.Equal("agent_hangup", (await call.EndedAsync()).GetProperty("endReason").GetString());
        await using var late = await SignalClient.ConnectAsync(call.RoomUrl, call.UserToken());
        Assert.Equal(DisconnectReason.RoomClosed, late.Received[0].Leave.Reason);
    }

    [Fact]
    public async Task APageThatIsLoadedAgain_FindsItsConversation()
    {
        await using var call = await RoomCall.CreateAsync(silo, UserFirst);
        await call.JoinAsync();
        await call.WaitForMessageAsync("state");
        Assert.Equal(HttpStatusCode.Gone, await RefusalAsync(call, speaking: true));      // somebody is there
        call.Peer.SendJson("""{"type":"user_text_message","text":"hello","urgency":"later"}""");
        await call.WaitForMessageAsync("transcript");
        var (first, before) = (call.JoinSocket!, call.Peer.Data[^1].Sequence);

        await call.Signal.LeaveAsync();
        await first.CloseOutputAsync(WebSocketCloseStatus.EndpointUnavailable, null, SiloFixture.Cancel);
        await call.JoinAsync();
        await call.WaitForMessageAsync("state");
        Assert.Equal(["call_started", "state"], call.Messages.Take(2).Select(message => message.GetProperty("type").GetString()));
        Assert.True(call.Peer.Data[0].Sequence > before);
        await call.JoinSocket!.CloseAsync(WebSocketCloseStatus.NormalClosure, null, SiloFixture.Cancel);
        Assert.Equal("hangup", (await call.EndedAsync()).GetProperty("endReason").GetString());
        var messages = (await call.Api.GetAsync($"/api/calls/{call.CallId}/messages")).Json.GetProperty("results");
        Assert.Equal("hello", messages[0].GetProperty("text").GetString());
        first.Dispose();
    }

    /// <summary>The conversation goes on without its client for a while, and then waits for it as that of any other medium does.</summary>
    [Fact]
    public async Task AClientThatVanished_ComesBackByItsJoinUrl()
    {
        await using var call = await RoomCall.CreateAsync(silo, UserFirst);
        await call.JoinAsync();
        await call.WaitForMessageAsync("state");
        call.Peer.SendJson("""{"type":"user_text_message","text":"hello","urgency":"later"}""");
        await call.WaitForMessageAsync("transcript");
        var track = call.AgentTrack;
        call.Signal.Vanish();
        call.JoinSocket!.Abort();
        call.Peer.Connect(false);
        await call.UntilAsync(() => silo.Peers.Of(track)[0].IsDisposed, "the end of the grace");
        await call.JoinAsync();
        await call.WaitForMessageAsync("state");
        Assert.NotEqual(track, call.AgentTrack);
        await call.UntilAsync(async () => (await ListEventsAsync(call)).Contains("call_resumed"), "a resumed call");
    }

    [Fact]
    public async Task ABareClient_NeedsNoJoinSocket()
    {
        await using var call = await RoomCall.CreateAsync(silo, UserFirst);
        await using var nobody = await SignalClient.ConnectAsync(call.RoomUrl, call.UserToken(joins: false));
        Assert.Equal(DisconnectReason.RoomClosed, nobody.Received[0].Leave.Reason);
        await call.EnterAsync();
        await call.WaitForMessageAsync("state");
        await call.Signal.LeaveAsync();
        var ended = await call.EndedAsync();
        Assert.Equal(("hangup", "livekit_js_2.16.1"), (ended.GetProperty("endReason").GetString(), ended.GetProperty("clientVersion").GetString()));
    }

    private static async Task<string[]> ListEventsAsync(RoomCall call)
        => [.. (await call.Api.GetAsync($"/api/calls/{call.CallId}/events")).Json.GetProperty("results").EnumerateArray().Select(one => one.GetProperty("type").GetString()!)];

    private static string? Text(System.Text.Json.JsonElement message) => message.TryGetProperty("text", out var text) ? text.GetString() : null;

    private static async Task<HttpStatusCode> RefusalAsync(RoomCall call, bool speaking)
    {
        if (speaking) call.Peer.Speak(new short[320]);
        using var socket = new ClientWebSocket();
        socket.Options.CollectHttpResponseDetails = true;
        await Assert.ThrowsAsync<WebSocketException>(() => socket.ConnectAsync(new Uri(call.JoinUrl), SiloFixture.Cancel));
        return socket.HttpStatusCode;
    }

    /// <summary>In real time, as a microphone does.</summary>
    private static async Task SpeakAsync(RoomCall call, short[] pcm)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        for (var at = 0; at + 320 <= pcm.Length; at += 320)
        {
            await timer.WaitForNextTickAsync(SiloFixture.Cancel);
            call.Peer.Speak(pcm.AsSpan(at, 320));
        }
    }

    private static double Energy(FakePeer peer)
    {
        using var decoder = new OpusDecoder(16_000);
        var pcm = new short[320];
        var energy = 0d;
        foreach (var (opus, _, _) in peer.Audio)
        {
            decoder.Decode(opus, pcm);
            foreach (var sample in pcm) energy += (double)sample * sample;
        }
        return energy;
    }
}
