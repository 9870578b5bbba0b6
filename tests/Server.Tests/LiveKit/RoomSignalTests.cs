using System.Net.WebSockets;
using Google.Protobuf;
using VoiceGrains.Grains.Signing;
using VoiceGrains.Silo.LiveKit.Protocol;
using VoiceGrains.Tests.Shared;
using Kind = VoiceGrains.Silo.LiveKit.Protocol.SignalResponse.MessageOneofCase;

namespace VoiceGrains.Server.Tests.LiveKit;

/// <summary>Signalling as clients of the protocol know it, and as nobody should use it.</summary>
public sealed class RoomSignalTests(RoomSilo silo)
{
    private const string UserFirst = """{"firstSpeakerSettings":{"user":{}}}""";

    [Fact]
    public async Task Join_ComesFirst_WithTheAgentAndItsTrack_AndAsksForASectionToSendItOn()
    {
        await using var call = await RoomCall.CreateAsync(silo, UserFirst);
        await call.EnterAsync();
        Assert.Equal([Kind.Join, Kind.MediaSectionsRequirement, Kind.Answer], call.Signal.Received.Take(3).Select(message => message.MessageCase));
        var join = call.Signal.Join;
        Assert.Equal((call.CallId, false, 5, 15, "user"), (join.Room.Name, join.SubscriberPrimary, join.PingInterval, join.PingTimeout, join.Participant.Identity));
        Assert.True(join.ServerInfo.Version.Length > 0 && join.ServerInfo.Protocol >= 15 && join.Room.Sid.StartsWith("RM_", StringComparison.Ordinal));
        Assert.Equal((true, true, true), (join.Participant.Permission.CanPublish, join.Participant.Permission.CanPublishData, join.Participant.Permission.CanSubscribe));
        var agent = Assert.Single(join.OtherParticipants);
        Assert.Equal(("agent", ParticipantInfo.Types.Kind.Agent, ParticipantInfo.Types.State.Active), (agent.Identity, agent.Kind, agent.State));
        var track = Assert.Single(agent.Tracks);
        Assert.Equal(("audio", TrackType.Audio, TrackSource.Microphone, "audio/opus"), (track.Name, track.Type, track.Source, track.MimeType));
        Assert.Equal(($"{agent.Sid}|{track.Sid}", track.Sid), (call.Peer.Agent.StreamId, call.Peer.Agent.TrackId));
        Assert.StartsWith("TR_", track.Sid, StringComparison.Ordinal);
        Assert.Equal(1u, call.Signal.Received[1].MediaSectionsRequirement.NumAudios);
    }

    [Fact]
    public async Task EachOffer_GetsOneAnswerWithItsId_AlsoThatOfTheJoinRequest()
    {
        await using var call = await RoomCall.CreateAsync(silo, UserFirst);
        var request = new JoinRequest { ClientInfo = new ClientInfo { Sdk = 1, Version = "2.23.0" }, PublisherOffer = new SessionDescription { Type = "offer", Sdp = "first", Id = 1 } };
        var signal = call.Keep(await SignalClient.ConnectV1Async(call.RoomUrl, call.UserToken(), request));
        await signal.WaitForAsync(Kind.Answer, message => message.Answer is { Id: 1, Type: "answer", Sdp: "answer to first" });
        await signal.OfferAsync(2, "second");
        await signal.WaitForAsync(Kind.Answer, message => message.Answer is { Id: 2, Sdp: "answer to second" });
        Assert.DoesNotContain(signal.Received, message => message.MessageCase == Kind.MediaSectionsRequirement);
        Assert.Equal(2, signal.Received.Count(message => message.MessageCase == Kind.Answer));
        await signal.LeaveAsync();
    }

    [Fact]
    public async Task OneMicrophoneIsPublished_AndTheRestRefusedPolitely()
    {
        await using var call = await RoomCall.CreateAsync(silo, UserFirst);
        await call.EnterAsync();
        var signal = call.Signal;
        await signal.SendAsync(AddTrack("camera", TrackType.Video));
        await signal.WaitForAsync(Kind.RequestResponse, message => message.RequestResponse.Reason == RequestResponse.Types.Reason.UnsupportedType);
        await signal.SendAsync(AddTrack("mic"));
        var published = (await signal.WaitForAsync(Kind.TrackPublished)).TrackPublished;
        Assert.Equal(("mic", "audio", TrackSource.Microphone, "audio/opus"), (published.Cid, published.Track.Name, published.Track.Source, published.Track.MimeType));
        await signal.SendAsync(AddTrack("mic"));        // asked again, answered again
        for (var i = 2; i <= 5; i++) await signal.SendAsync(AddTrack($"mic {i}"));
        await signal.WaitForAsync(Kind.RequestResponse, message => message.RequestResponse.Reason == RequestResponse.Types.Reason.LimitExceeded);
        Assert.All(signal.Received.Where(message => message.MessageCase == Kind.TrackPublished), message => Assert.Equal(published, message.TrackPublished));

        // The offer that has the track no more takes it back, and another one has room.
        await signal.OfferAsync(2, Sections("mic"));
        await signal.OfferAsync(3, "v=0\r\nm=audio 9 x\r\na=recvonly\r\n");
        await signal.WaitForAsync(Kind.Answer, message => message.Answer.Id == 3);
        await signal.SendAsync(AddTrack("another"));
        Assert.NotEqual(published.Track.Sid, (await signal.WaitForAsync(Kind.TrackPublished, message => message.TrackPublished.Cid == "another")).TrackPublished.Track.Sid);
    }

    /// <summary>Not in every browser has a track the id in the offer that it had when it was announced.</summary>
    [Fact]
    public async Task ATrackWithAnotherIdInTheOffer_IsTheOneThatIsPublished()
    {
        await using var call = await RoomCall.CreateAsync(silo, UserFirst);
        await call.EnterAsync();
        var signal = call.Signal;
        await signal.SendAsync(AddTrack("{mic}"));
        await signal.OfferAsync(2, Sections("{another id}"));
        await signal.OfferAsync(3, Sections("{another id}"));
        await signal.WaitForAsync(Kind.Answer, message => message.Answer.Id == 3);
        await signal.SendAsync(AddTrack("second"));
        await signal.WaitForAsync(Kind.RequestResponse, message => message.RequestResponse.Reason == RequestResponse.Types.Reason.LimitExceeded);
        await signal.OfferAsync(4, Sections("{another id}").Replace("sendonly", "inactive", StringComparison.Ordinal));
        await signal.WaitForAsync(Kind.Answer, message => message.Answer.Id == 4);
        await signal.SendAsync(AddTrack("second"));
        await signal.WaitForAsync(Kind.TrackPublished, message => message.TrackPublished.Cid == "second");
    }

    [Fact]
    public async Task ATokenForACamera_PublishesNoMicrophone()
    {
        await using var call = await RoomCall.CreateAsync(silo, UserFirst);
        await call.EnterAsync(silo.Tokens.Create(new RoomGrant(call.CallId, RoomGrant.UserIdentity) { JoinToken = call.JoinToken, CanPublishSources = ["camera", "hologram"] }, TimeSpan.FromHours(1)));
        Assert.Equal([TrackSource.Camera], call.Signal.Join.Participant.Permission.CanPublishSources);
        await call.Signal.SendAsync(AddTrack("mic"));
        await call.Signal.WaitForAsync(Kind.RequestResponse, message => message.RequestResponse.Reason == RequestResponse.Types.Reason.NotAllowed);
    }

    [Fact]
    public async Task TheAgentsTrack_CanBeUnsubscribed_AndComesBack()
    {
        await using var call = await RoomCall.CreateAsync(silo, UserFirst);
        await call.EnterAsync();
        Assert.True(call.Peer.SendsAgent);
        foreach (var (id, subscribes) in new[] { (2u, false), (3u, true) })
        {
            var before = call.Signal.Received.Count;
            await call.Signal.SendAsync(new SignalRequest { Subscription = new UpdateSubscription { TrackSids = { call.AgentTrack }, Subscribe = subscribes } });
            await call.Signal.WaitForAsync(Kind.MediaSectionsRequirement, message => message.MediaSectionsRequirement.NumAudios == 0, before);     // which makes the client offer
            await call.Signal.OfferAsync(id);
            await call.Signal.WaitForAsync(Kind.Answer, message => message.Answer.Id == id);
            Assert.Equal(subscribes, call.Peer.SendsAgent);
            var heard = call.Peer.Audio.Count;
            if (subscribes) await call.UntilAsync(() => call.Peer.Audio.Count > heard + 2, "sound again");
        }
        await call.Signal.LeaveAsync();

        await using var another = await RoomCall.CreateAsync(silo, UserFirst);
        var signal = another.Keep(await SignalClient.ConnectAsync(another.RoomUrl, another.UserToken(), "&auto_subscribe=0"));
        await signal.OfferAsync(1);
        await signal.WaitForAsync(Kind.Answer);
        Assert.False(another.PeerOf(signal, 0).SendsAgent);
        await signal.LeaveAsync();
    }

    [Fact]
    public async Task Pings_Metadata_AndMute_AreAnswered()
    {
        await using var call = await RoomCall.CreateAsync(silo, UserFirst);
        await call.EnterAsync();
        var signal = call.Signal;
        await signal.SendAsync(new SignalRequest { PingReq = new Ping { Timestamp = 17 } });
        await signal.SendAsync(new SignalRequest { Ping = 17 });
        var pong = (await signal.WaitForAsync(Kind.PongResp)).PongResp;
        Assert.Equal(17, pong.LastPingTimestamp);
        Assert.InRange(DateTimeOffset.FromUnixTimeMilliseconds(pong.Timestamp), DateTimeOffset.UtcNow.AddMinutes(-1), DateTimeOffset.UtcNow.AddMinutes(1));
        await signal.WaitForAsync(Kind.Pong);

        var listener = await call.ListenAsync("listener");
        await signal.SendAsync(new SignalRequest { UpdateMetadata = new UpdateParticipantMetadata { RequestId = 7, Name = "Zoë", Metadata = "m", Attributes = { ["a"] = "1" } } });
        await signal.WaitForAsync(Kind.RequestResponse, message => message.RequestResponse is { RequestId: 7, Reason: RequestResponse.Types.Reason.Ok });
        var named = (await listener.WaitForAsync(Kind.Update, message => message.Update.Participants[0].Name == "Zoë")).Update.Participants[0];
        await signal.SendAsync(new SignalRequest { UpdateMetadata = new UpdateParticipantMetadata { RequestId = 8, Metadata = new string('m', 20_000) } });
        await signal.WaitForAsync(Kind.RequestResponse, message => message.RequestResponse is { RequestId: 8, Reason: RequestResponse.Types.Reason.LimitExceeded });

        await signal.SendAsync(AddTrack("mic"));
        var track = (await signal.WaitForAsync(Kind.TrackPublished)).TrackPublished.Track.Sid;
        await signal.SendAsync(new SignalRequest { Mute = new MuteTrackRequest { Sid = track, Muted = true } });
        var muted = (await listener.WaitForAsync(Kind.Update, message => message.Update.Participants[0].Tracks is [{ Muted: true }])).Update.Participants[0];
        await signal.SendAsync(new SignalRequest { Mute = new MuteTrackRequest { Sid = track } });
        var audible = (await listener.WaitForAsync(Kind.Update, message => message.Update.Participants[0] is { Tracks: [{ Muted: false }] } user && user.Version > muted.Version)).Update.Participants[0];
        Assert.True(named.Version < muted.Version && muted.Version < audible.Version);
    }

    [Fact]
    public async Task ALostConnection_IsResumedWithTheSameParticipant_AndOnlyThat()
    {
        await using var call = await RoomCall.CreateAsync(silo, UserFirst);
        await call.EnterAsync();
        await call.WaitForMessageAsync("state");
        call.Peer.SendJson("""{"type":"ping","timestamp":1}""", 4);
        await call.WaitForMessageAsync("pong");
        call.Signal.Vanish();

        var sid = call.Signal.Join.Participant.Sid;
        await using var back = await SignalClient.ConnectAsync(call.RoomUrl, call.UserToken(), $"&reconnect=1&sid={sid}&reconnect_reason=1");
        var reconnect = Assert.IsType<ReconnectResponse>((await back.WaitForAsync(Kind.Reconnect)).Reconnect);
        Assert.Equal((Kind.Reconnect, 4u), (back.Received[0].MessageCase, reconnect.LastMessageSeq));
        await back.SendAsync(new SignalRequest
        {
            SyncState = new SyncState { DatachannelReceiveStates = { new DataChannelReceiveState { PublisherSid = call.Signal.Join.OtherParticipants[0].Sid, LastSeq = 1 } } },
        });
        await back.OfferAsync(5, "restart");
        await back.WaitForAsync(Kind.Answer, message => message.Answer.Id == 5);
        Assert.Equal("restart", call.Peer.Offers[^1]);
        // What it had not received comes again, under its old number.
        Assert.Contains(call.Peer.Data.GroupBy(packet => packet.Sequence), same => same.Key == 2 && same.Count() == 2 && same.Distinct().Count() == 1);
        Assert.DoesNotContain(call.Peer.Data.GroupBy(packet => packet.Sequence), same => same.Key == 1 && same.Count() > 1);
        // What it sends again is not taken twice.
        var pongs = call.Messages.Count(message => message.GetProperty("type").GetString() == "pong");
        call.Peer.SendJson("""{"type":"ping","timestamp":1}""", 4);
        call.Peer.SendJson("""{"type":"ping","timestamp":2}""", 5);
        await call.WaitForMessageAsync("pong", message => message.GetProperty("timestamp").GetDouble() == 2);
        Assert.Equal(pongs + 1, call.Messages.Count(message => message.GetProperty("type").GetString() == "pong"));

        await using var stranger = await SignalClient.ConnectAsync(call.RoomUrl, call.UserToken(), "&reconnect=1&sid=PA_unknown");
        Assert.Equal((DisconnectReason.StateMismatch, LeaveRequest.Types.Action.Reconnect), (stranger.Received[0].Leave.Reason, stranger.Received[0].Leave.Action));
        await back.LeaveAsync();
        Assert.Equal("hangup", (await call.EndedAsync()).GetProperty("endReason").GetString());
    }

    [Fact]
    public async Task ASecondClientWithTheSameIdentity_TakesThePlace()
    {
        await using var call = await RoomCall.CreateAsync(silo, UserFirst);
        await call.EnterAsync();
        var (first, firstPeer) = (call.Signal, call.Peer);
        await call.WaitForMessageAsync("state");
        await call.EnterAsync();
        Assert.Equal(DisconnectReason.DuplicateIdentity, (await first.WaitForAsync(Kind.Leave)).Leave.Reason);
        Assert.Equal(WebSocketCloseStatus.NormalClosure, await first.WaitForCloseAsync());
        await call.UntilAsync(() => firstPeer.IsDisposed, "the end of the first one's media");
        // It learns where the conversation is, in numbers that go on.
        await call.WaitForMessageAsync("state");
        Assert.Equal("call_started", call.Messages[0].GetProperty("type").GetString());
        Assert.True(call.Peer.Data[0].Sequence > firstPeer.Data[^1].Sequence);
    }

    [Fact]
    public async Task Listeners_HearTheAgent_AndDoNothingElse()
    {
        await using var call = await RoomCall.CreateAsync(silo, """{"firstSpeakerSettings":{"agent":{"text":"Welcome."}}}""");
        await using var early = await SignalClient.ConnectAsync(call.RoomUrl, call.ListenerToken("early"));
        Assert.Equal(DisconnectReason.RoomClosed, early.Received[0].Leave.Reason);      // nobody is there yet
        await call.EnterAsync();
        await call.WaitForMessageAsync("state");

        var listener = await call.ListenAsync("listener");
        Assert.Equal((false, false, true), (listener.Join.Participant.Permission.CanPublish, listener.Join.Participant.Permission.CanPublishData, listener.Join.Participant.Permission.CanSubscribe));
        Assert.Equal(["agent", "user"], listener.Join.OtherParticipants.Select(one => one.Identity).Order());
        await call.Signal.WaitForAsync(Kind.Update, message => message.Update.Participants[0].Identity == "listener");
        await listener.OfferAsync(1);
        await listener.WaitForAsync(Kind.Answer);
        var peer = call.PeerOf(listener, 1);
        peer.Connect();
        await call.UntilAsync(() => peer.Audio.Count > 5, "sound for the listener");
        peer.SendJson("""{"type":"hang_up"}""");
        await listener.SendAsync(AddTrack("mic"));
        await listener.WaitForAsync(Kind.RequestResponse, message => message.RequestResponse.Reason == RequestResponse.Types.Reason.NotAllowed);
        Assert.Empty(peer.Data);

        // Who wants no sound gets none: the client itself would go on playing it.
        await listener.SendAsync(new SignalRequest { TrackSetting = new UpdateTrackSettings { TrackSids = { call.AgentTrack }, Disabled = true } });
        await listener.SendAsync(new SignalRequest { PingReq = new Ping() });
        await listener.WaitForAsync(Kind.PongResp);
        var heard = peer.Audio.Count;
        var others = call.Peer.Audio.Count;
        await call.UntilAsync(() => call.Peer.Audio.Count > others + 10, "sound for the user");
        Assert.InRange(peer.Audio.Count, heard, heard + 1);

        await call.ListenAsync("hidden", hidden: true);
        await using var third = await SignalClient.ConnectAsync(call.RoomUrl, call.ListenerToken("third"));
        Assert.Equal(DisconnectReason.JoinFailure, third.Received[0].Leave.Reason);     // WebRtc:MaxListeners
        await using var agent = await SignalClient.ConnectAsync(call.RoomUrl, call.ListenerToken("agent"));
        Assert.Equal(DisconnectReason.JoinFailure, agent.Received[0].Leave.Reason);
        await listener.LeaveAsync();
        var left = await call.Signal.WaitForAsync(Kind.Update, message => message.Update.Participants[0] is { Identity: "listener", State: ParticipantInfo.Types.State.Disconnected });
        Assert.DoesNotContain(call.Signal.Received, message => message.MessageCase == Kind.Update && message.Update.Participants.Any(one => one.Identity == "hidden"));
        Assert.True(left.Update.Participants[0].Version > 1);
    }

    [Theory]
    [InlineData("noise", WebSocketCloseStatus.InvalidPayloadData)]
    [InlineData("text", WebSocketCloseStatus.InvalidMessageType)]
    [InlineData("large", WebSocketCloseStatus.MessageTooBig)]
    [InlineData("flood", WebSocketCloseStatus.PolicyViolation)]
    public async Task WhoeverBreaksTheRules_IsClosedByTheBook_AndTheCallEnds(string what, WebSocketCloseStatus status)
    {
        await using var call = await RoomCall.CreateAsync(silo, UserFirst);
        await call.EnterAsync();
        await call.WaitForMessageAsync("state");
        try
        {
            switch (what)
            {
                case "noise": await call.Signal.SendAsync([0xFF, 0xFF, 0xFF], WebSocketMessageType.Binary); break;
                case "text": await call.Signal.SendAsync("{}"u8.ToArray(), WebSocketMessageType.Text); break;
                case "large": await call.Signal.SendAsync(new byte[300_000], WebSocketMessageType.Binary); break;
                default:
                    for (var i = 0; i < 1_000; i++) await call.Signal.SendAsync(new SignalRequest { Ping = i });
                    break;
            }
        }
        catch (WebSocketException)
        {
            // Closed amid the flood.
        }
        Assert.Equal(status, await call.Signal.WaitForCloseAsync());
        Assert.Equal("connection_error", (await call.EndedAsync()).GetProperty("endReason").GetString());
    }

    [Fact]
    public async Task AnOfferThatCannotBeAnswered_EndsTheSession()
    {
        await using var call = await RoomCall.CreateAsync(silo, UserFirst);
        await call.EnterAsync();
        await call.Signal.OfferAsync(2, "bad");
        Assert.Equal(DisconnectReason.ParticipantRemoved, (await call.Signal.WaitForAsync(Kind.Leave)).Leave.Reason);
    }

    [Theory]
    [InlineData(1_000, 3)]          // too often
    [InlineData(100, 60_000)]       // too much
    public async Task AFloodOfData_EndsTheCall(int messages, int bytes)
    {
        await using var call = await RoomCall.CreateAsync(silo, UserFirst);
        await call.EnterAsync();
        await call.WaitForMessageAsync("state");
        for (var i = 0; i < messages; i++) call.Peer.SendRaw(new byte[bytes]);
        Assert.Equal(DisconnectReason.ParticipantRemoved, (await call.Signal.WaitForAsync(Kind.Leave)).Leave.Reason);
        Assert.Equal("connection_error", (await call.EndedAsync()).GetProperty("endReason").GetString());
    }

    [Fact]
    public async Task AFloodOfOffers_EndsTheSession()
    {
        await using var call = await RoomCall.CreateAsync(silo, UserFirst);
        await call.EnterAsync();
        try
        {
            for (var id = 2u; id < 100; id++) await call.Signal.OfferAsync(id);
        }
        catch (WebSocketException)
        {
            // Closed amid the flood.
        }
        Assert.Equal(DisconnectReason.ParticipantRemoved, (await call.Signal.WaitForAsync(Kind.Leave)).Leave.Reason);
        Assert.InRange(call.Signal.Received.Count(message => message.MessageCase == Kind.Answer), 30, 60);
    }

    /// <summary>Requests in the wrong order and without sense, and any bytes on the data channel: the room stays in order.</summary>
    [Fact]
    public async Task AnyRequestAndAnyPacket_AreTakenOrRefused()
    {
        await using var call = await RoomCall.CreateAsync(silo, UserFirst);
        await call.EnterAsync();
        await call.WaitForMessageAsync("state");
        var random = new Random(5);
        var packet = new DataPacket { Sequence = 3, User = new UserPacket { Payload = ByteString.CopyFromUtf8("""{"type":"ping","timestamp":1}""") } }.ToByteArray();
        foreach (var _ in Enumerable.Range(0, 200)) call.Peer.SendRaw(FuzzTime.MutateOrReplace(random, packet), random.Next(2) == 0 ? "_reliable" : "_lossy");
        SignalRequest[] strange =
        [
            new(), new() { Answer = new SessionDescription { Sdp = "x" } }, new() { Mute = new MuteTrackRequest { Sid = "TR_none", Muted = true } }, new() { Trickle = new TrickleRequest { CandidateInit = "{" } },
            new() { Subscription = new UpdateSubscription { ParticipantTracks = { new ParticipantTracks() } } }, new() { TrackSetting = new UpdateTrackSettings() }, new() { SyncState = new SyncState() },
            new() { AddTrack = new AddTrackRequest() }, new() { UpdateMetadata = new UpdateParticipantMetadata { Attributes = { [""] = "" } } }, new() { Offer = new SessionDescription() },
        ];
        foreach (var request in strange) await call.Signal.SendAsync(request);
        await call.Signal.SendAsync(new SignalRequest { PingReq = new Ping { Timestamp = 1 } });
        await call.Signal.WaitForAsync(Kind.PongResp);
        call.Peer.SendJson("""{"type":"ping","timestamp":42}""", uint.MaxValue);
        await call.WaitForMessageAsync("pong", message => message.GetProperty("timestamp") is { ValueKind: System.Text.Json.JsonValueKind.Number } number && number.GetDouble() == 42);
    }

    private static SignalRequest AddTrack(string cid, TrackType type = TrackType.Audio)
        => new() { AddTrack = new AddTrackRequest { Cid = cid, Name = "audio", Type = type, Source = type == TrackType.Audio ? TrackSource.Microphone : TrackSource.Camera } };

    private static string Sections(string cid) => $"v=0\r\nm=audio 9 x\r\na=recvonly\r\nm=audio 9 x\r\na=sendonly\r\na=msid:- {cid}\r\n";
}
