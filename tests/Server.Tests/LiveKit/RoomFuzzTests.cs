using Google.Protobuf;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using VoiceGrains.Silo.LiveKit;
using VoiceGrains.Silo.LiveKit.Protocol;
using VoiceGrains.Tests.Shared;

namespace VoiceGrains.Server.Tests.LiveKit;

/// <summary>Anything that parses, in any order, in a room: it is taken or refused, and the room stays in order.</summary>
public sealed class RoomFuzzTests : ClockedRoomTests
{
    private const string Sdp = "v=0\r\nm=audio 9 x\r\na=mid:0\r\na=recvonly\r\nm=audio 9 x\r\na=mid:1\r\na=sendonly\r\na=msid:- mic\r\nm=application 9 x\r\na=mid:2\r\n";
    private const int Batch = 16;

    /// <summary>One of a kind, which mutations make into others.</summary>
    private SignalRequest[] Requests(string agentTrack, string participant) =>
    [
        new() { Offer = new SessionDescription { Type = "offer", Sdp = Sdp, Id = 2 } },
        new() { Offer = new SessionDescription { Type = "offer", Sdp = "another connection's", Id = 3 } },
        new() { Answer = new SessionDescription { Type = "answer", Sdp = Sdp, Id = 2 } },
        new() { Trickle = new TrickleRequest { CandidateInit = """{"candidate":"candidate:1 1 udp 1 127.0.0.1 9 typ host","sdpMid":"0"}""" } },
        new() { AddTrack = new AddTrackRequest { Cid = "mic", Name = "audio", Source = TrackSource.Microphone, Stream = "s" } },
        new() { AddTrack = new AddTrackRequest { Cid = "camera", Type = TrackType.Video, Source = TrackSource.Camera } },
        new() { Mute = new MuteTrackRequest { Sid = "TR_x", Muted = true } },
        new() { Subscription = new UpdateSubscription { TrackSids = { agentTrack }, ParticipantTracks = { new ParticipantTracks { ParticipantSid = participant, TrackSids = { agentTrack } } } } },
        new() { TrackSetting = new UpdateTrackSettings { TrackSids = { agentTrack }, Disabled = true } },
        new() { SyncState = new SyncState { Subscription = new UpdateSubscription { TrackSids = { agentTrack } }, TrackSidsDisabled = { agentTrack }, DatachannelReceiveStates = { new DataChannelReceiveState { PublisherSid = participant, LastSeq = 1 } } } },
        new() { UpdateMetadata = new UpdateParticipantMetadata { RequestId = 1, Metadata = "{}", Name = "Zoë", Attributes = { ["a"] = "1", ["b"] = "" } } },
        new() { Ping = 1 }, new() { PingReq = new Ping { Timestamp = 1, Rtt = 1 } },
        new() { Leave = new LeaveRequest { Reason = DisconnectReason.ClientInitiated } },
    ];

    [Fact]
    public async Task AnyRequests_AreTakenOrRefused_AndThePersonMayGoOn()
    {
        FakeSocket? signal = null;
        SignalRequest[] requests = [];
        foreach (var seed in FuzzTime.Cases(100))
        {
            var random = new Random(seed);
            if (signal is null || _serving[^1].IsCompleted)
            {
                await EnterAgainAsync(signal = Enter());
                var agent = Sent(signal)[0].Join.OtherParticipants[0];
                requests = Requests(agent.Tracks[0].Sid, agent.Sid);
            }
            foreach (var request in Enumerable.Range(0, Batch).Select(_ => Mutated(random, requests[random.Next(requests.Length)]))) signal.Send(request);
            if (random.Next(4) == 0) _peers.All[^1].Connect(random.Next(3) > 0);
            if (random.Next(16) == 0) _peers.All[^1].End();
            if (random.Next(64) == 0) signal.Send(FuzzTime.MutateOrReplace(random, requests[0].ToByteArray()));      // as likely as not no request at all
            signal.Send(new SignalRequest { PingReq = new Ping { Timestamp = seed + 1_000_000_000L } });
            await Poll.UntilAsync(() => _serving[^1].IsCompleted || Sent(signal).Exists(message => message.PongResp?.LastPingTimestamp == seed + 1_000_000_000L), () => $"Nothing came of batch {seed}.");
            Assert.False(_serving[^1].IsFaulted, $"Batch {seed}: {_serving[^1].Exception}");
            Assert.InRange(_room.Participants, 0, 1);
            Pass(5);
            lock (signal.Sent) signal.Sent.RemoveAll(message => message.MessageCase != SignalResponse.MessageOneofCase.Join);
        }
    }

    [Fact]
    public async Task AnyPackets_AreTakenOrDropped_AndTheNextIsTaken()
    {
        var peer = Connect(out var signal);
        byte[][] packets =
        [
            new DataPacket { Sequence = 3, ParticipantIdentity = "user", User = new UserPacket { Payload = ByteString.CopyFromUtf8("""{"type":"ping","timestamp":1}"""), Topic = "t" } }.ToByteArray(),
            new DataPacket { Kind = DataPacket.Types.Kind.Lossy, Sequence = uint.MaxValue, User = new UserPacket { Payload = ByteString.CopyFrom(0xFF, 0xFE), ParticipantSid = "PA_x" } }.ToByteArray(),
            new DataPacket { DestinationIdentities = { "agent", "" } }.ToByteArray(),
        ];
        foreach (var seed in FuzzTime.Cases(20_000))
        {
            var random = new Random(seed);
            peer.SendRaw(FuzzTime.MutateOrReplace(random, packets[random.Next(packets.Length)]), random.Next(3) switch { 0 => "_lossy", 1 => "_data_track", _ => "_reliable" });
            if (seed % 50 == 0) Pass(1);
        }
        Assert.Equal(1, _room.Participants);        // who sends nonsense slowly is no flood
        Assert.False(_media.IsCompleted);
        signal.Send(new SignalRequest { PingReq = new Ping { Timestamp = 1 } });
        await UntilSentAsync(signal, message => message.PongResp is not null);
    }

    [Fact]
    public async Task AnyJoin_EntersOrIsRefused()
    {
        JoinRequest[] joins =
        [
            new()
            {
                ClientInfo = new ClientInfo { Sdk = 1, Version = "2.23.0", Os = "x" }, ConnectionSettings = new ConnectionSettings { AutoSubscribe = true, AdaptiveStream = true }, Metadata = "{}",
                ParticipantAttributes = { ["a"] = "1" }, PublisherOffer = new SessionDescription { Type = "offer", Sdp = Sdp, Id = 1 }, AddTrackRequests = { new AddTrackRequest { Cid = "mic" } },
            },
            new() { Reconnect = true, ParticipantSid = "PA_x", SyncState = new SyncState { Subscription = new UpdateSubscription { TrackSids = { "TR_x" } }, TrackSidsDisabled = { "TR_x" } } },
        ];
        foreach (var seed in FuzzTime.Cases(100))
        {
            var random = new Random(seed);
            var known = _room.Participants > 0 ? joins[1].Clone() : joins[random.Next(2)].Clone();
            if (_sockets.Count > 0 && Sent(_sockets[^1]) is [{ Join.Participant.Sid: var sid }, ..]) known.ParticipantSid = sid;
            var text = Convert.ToBase64String(new WrappedJoinRequest { JoinRequest = ByteString.CopyFrom(FuzzTime.MutateOrReplace(random, known.ToByteArray())) }.ToByteArray());
            if (!RoomJoin.TryRead(new QueryCollection(new Dictionary<string, StringValues> { ["join_request"] = text }), out var join, out _)) continue;
            await EnterAgainAsync(Enter(join));
            Assert.False(_serving[^1].IsFaulted, $"Join {seed}: {_serving[^1].Exception}");
            Assert.InRange(_room.Participants, 0, 1);
        }
    }

    /// <summary>Only the newest connection is kept, and every one has been told something first.</summary>
    private async Task EnterAgainAsync(FakeSocket signal)
    {
        await Poll.UntilAsync(() => Sent(signal).Count > 0, () => "Nothing was said.");
        for (var i = _serving.Count - 2; i >= 0; i--)
        {
            if (!_serving[i].IsCompleted) continue;
            _serving.RemoveAt(i);
            _sockets.RemoveAt(i);
        }
    }

    /// <summary>A few steps away from the request; what is none any more is left out.</summary>
    private static SignalRequest Mutated(Random random, SignalRequest request)
    {
        try
        {
            return random.Next(3) == 0 ? request : SignalRequest.Parser.ParseFrom(FuzzTime.Mutate(random, request.ToByteArray()));
        }
        catch (InvalidProtocolBufferException)
        {
            return request;
        }
    }
}
