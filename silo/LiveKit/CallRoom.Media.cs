using Google.Protobuf;
using VoiceGrains.Gateway.Grpc;
using VoiceGrains.Grains.Calls;
using VoiceGrains.Silo.LiveKit.Protocol;
using VoiceGrains.Silo.WebRtc;

namespace VoiceGrains.Silo.LiveKit;

/// <summary>Sound and data between the conversation's port and the peers.</summary>
internal sealed partial class CallRoom
{
    private const string ReliableLabel = "_reliable", LossyLabel = "_lossy";
    /// <summary>What browsers take at most is 256 KiB, <c>a=max-message-size</c> of their offers.</summary>
    private const int LongestMessage = 250 * 1024;
    private const int LongestUserMessage = 64 * 1024;
    /// <summary>Messages that a client may have missed by its loss.</summary>
    private const int MostKeptMessages = 64;

    private static readonly MessageParser<DataPacket> Packets = DataPacket.Parser.WithDiscardUnknownFields(true);
    private readonly Lock _sending = new();
    private readonly Queue<(uint Sequence, byte[] Packet)> _sent = [];
    private volatile IRoomPeer[] _hearing = [];
    private uint _sequence;
    private volatile IRoomPeer? _userPeer;

    /// <summary>To all who listen; what one of them misses is lost to them. Takes no lock, allocates nothing.</summary>
    public void SendAudio(ReadOnlySpan<byte> opus, uint timestamp, bool marker)
    {
        foreach (var peer in _hearing) peer.TrySendAudio(opus, timestamp, marker);
    }

    /// <summary>To the user alone. False: not now.</summary>
    /// <remarks>Numbers go on through the whole call, whoever the user's client is by then: a smaller one would be taken for one sent again.</remarks>
    public bool TrySendData(ReadOnlySpan<byte> json)
    {
        if (json.Length > LongestMessage)
        {
            _metrics.DataDropped("too_long");
            return true;
        }
        if (_userPeer is not { } peer) return false;
        lock (_sending)
        {
            var packet = new DataPacket
            {
                Kind = DataPacket.Types.Kind.Reliable,
                ParticipantIdentity = RoomAgent.Identity,
                ParticipantSid = _agent.Sid,
                Sequence = _sequence + 1,
                User = new UserPacket { ParticipantIdentity = RoomAgent.Identity, ParticipantSid = _agent.Sid, Payload = ByteString.CopyFrom(json) },
            }.ToByteArray();
            if (!peer.TrySendData(ReliableLabel, packet)) return false;
            _sent.Enqueue((++_sequence, packet));
            if (_sent.Count > MostKeptMessages) _sent.Dequeue();
            return true;
        }
    }

    private void SendAgain(uint lastReceived)
    {
        if (_userPeer is not { } peer) return;
        lock (_sending)
        {
            foreach (var (sequence, packet) in _sent)
            {
                if (sequence > lastReceived && !peer.TrySendData(ReliableLabel, packet)) return;
            }
        }
    }

    /// <summary>On the receiving thread of the socket.</summary>
    private void OnAudio(RoomParticipant participant, object stream, ushort sequence, uint timestamp, ReadOnlySpan<byte> opus, byte? level)
    {
        if (!participant.IsUser) return;
        Port.OnAudio(stream, sequence, timestamp, opus);
        if (participant.Microphone is not { } microphone || microphone.Info.Muted) return;
        if (level is { } dbov) _userLevel = Math.Max(_userLevel, LevelOf(dbov));
        if (microphone.IsHeard) return;
        microphone.IsHeard = true;
        participant.Signal?.TrySend(new SignalResponse { TrackSubscribed = new TrackSubscribed { TrackSid = microphone.Info.Sid } });
    }

    /// <summary>On the receiving thread of the socket. Whoever sends more than a person can say is sent away.</summary>
    private void OnData(RoomParticipant participant, string label, ReadOnlySpan<byte> message)
    {
        if (label is not (ReliableLabel or LossyLabel)) return;
        if (!participant.DataRate.TryTake() || !participant.ByteRate.TryTake(message.Length))
        {
            _metrics.DataDropped("flood");
            lock (_gate) Expel(participant, "The client sent too many data messages.");
            return;
        }
        if (!participant.IsUser || !participant.Grant.CanPublishData) return;
        if (!UntrustedMessage.TryParse(Packets, message, out var packet)) _metrics.DataDropped("malformed");
        if (packet?.User is not { } user) return;
        if (label == ReliableLabel && packet.Sequence != 0)
        {
            if (packet.Sequence <= participant.LastSequence) return;     // sent again, for we had it before its client knew
            participant.LastSequence = packet.Sequence;
        }
        if (user.Payload.Length > LongestUserMessage) _metrics.DataDropped("too_long");
        else Port.OnData(user.Payload.Span);
    }

    /// <summary>Needs the lock. The pacer reads what this writes without one.</summary>
    private void UpdateHearing()
    {
        _hearing = [.. _participants.Values.Where(static one => one is { IsHearing: true, Peer: not null }).Select(static one => one.Peer!)];
        _userPeer = FindUser() is { IsConnected: true, Peer: { } peer } ? peer : null;
    }
}
