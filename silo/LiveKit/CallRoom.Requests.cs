using VoiceGrains.Silo.LiveKit.Protocol;

namespace VoiceGrains.Silo.LiveKit;

/// <summary>What clients ask for. Runs on the receiving loop of each client's signalling, so that an answer that takes a while holds up nobody else.</summary>
internal sealed partial class CallRoom
{
    private const int MostAttributes = 64;
    private const int LongestMetadata = 16 * 1024, LongestName = 256;

    private void Handle(RoomParticipant participant, SignalSocket signal, SignalRequest request)
    {
        switch (request.MessageCase)
        {
            case SignalRequest.MessageOneofCase.Offer: Answer(participant, request.Offer); break;
            case SignalRequest.MessageOneofCase.AddTrack: Publish(participant, request.AddTrack); break;
            case SignalRequest.MessageOneofCase.Mute: Mute(participant, request.Mute); break;
            case SignalRequest.MessageOneofCase.TrackSetting: Hear(participant, request.TrackSetting.TrackSids, !request.TrackSetting.Disabled); break;
            case SignalRequest.MessageOneofCase.Subscription: Subscribe(participant, request.Subscription); break;
            case SignalRequest.MessageOneofCase.Leave: OnLeave(participant); break;
            case SignalRequest.MessageOneofCase.SyncState: Synchronize(participant, request.SyncState); break;
            case SignalRequest.MessageOneofCase.Ping: signal.TrySend(new SignalResponse { Pong = _clock.GetUtcNow().ToUnixTimeMilliseconds() }); break;
            case SignalRequest.MessageOneofCase.PingReq: signal.TrySend(new SignalResponse { PongResp = Pong(request.PingReq) }); break;
            case SignalRequest.MessageOneofCase.UpdateMetadata: signal.TrySend(new SignalResponse { RequestResponse = Update(participant, request.UpdateMetadata) }); break;
            // Candidates tell nothing that checks from their addresses do not; an answer is for an offer of ours, and we make none.
            default: break;
        }
    }

    private Pong Pong(Ping ping) => new() { LastPingTimestamp = ping.Timestamp, Timestamp = _clock.GetUtcNow().ToUnixTimeMilliseconds() };

    /// <summary>One answer for each offer, with its id: clients wait for just that.</summary>
    private void Answer(RoomParticipant participant, SessionDescription offer)
    {
        try
        {
            WebRtc.IRoomPeer peer;
            lock (_gate)
            {
                if (!IsHere(participant)) return;
                if (!participant.OfferRate.TryTake())
                {
                    Expel(participant, "The client made too many offers.");
                    return;
                }
                peer = participant.Peer ??= _peers.Create(_agent.Track, new PeerEvents(this, participant));
            }
            var answer = peer.Answer(offer.Sdp);
            lock (_gate)
            {
                if (participant.Peer != peer) return;
                participant.Signal?.TrySend(new SignalResponse { Answer = new SessionDescription { Type = "answer", Sdp = answer, Id = offer.Id } });
                CheckOfferedTracks(participant, offer.Sdp);
            }
        }
        catch (FormatException)
        {
            lock (_gate) Expel(participant, "The client's offer could not be answered.");
        }
    }

    /// <summary>A track that an earlier offer had and this one has not is not published any more.</summary>
    private void CheckOfferedTracks(RoomParticipant participant, string sdp)
    {
        if (participant.Microphone is not { } microphone) return;
        if (OfferedTracks.Read(sdp).Contains(microphone.Cid)) microphone.WasOffered = true;
        else if (microphone.WasOffered)
        {
            participant.Microphone = null;
            Port.IsMuted = true;
            TellAll(participant);
        }
    }

    private void Publish(RoomParticipant participant, AddTrackRequest request)
    {
        lock (_gate)
        {
            if (!IsHere(participant)) return;
            if (participant.Microphone is { } same && same.Cid == request.Cid)
            {
                participant.Signal?.TrySend(new SignalResponse { TrackPublished = new TrackPublishedResponse { Cid = same.Cid, Track = same.Info } });
                return;
            }
            var (reason, why) = !participant.Grant.CanPublish ? (RequestResponse.Types.Reason.NotAllowed, "The token does not allow to publish.")
                : request.Type != TrackType.Audio ? (RequestResponse.Types.Reason.UnsupportedType, "Only audio can be published.")
                : participant.Microphone is not null ? (RequestResponse.Types.Reason.LimitExceeded, "One audio track can be published.")
                : request.Cid.Length is 0 or > 512 ? (RequestResponse.Types.Reason.InvalidRequest, "A track needs a cid of at most 512 characters.")
                : (RequestResponse.Types.Reason.Ok, "");
            if (reason != RequestResponse.Types.Reason.Ok)
            {
                participant.Signal?.TrySend(new SignalResponse { RequestResponse = new RequestResponse { Reason = reason, Message = why } });
                return;
            }
            var info = new TrackInfo
            {
                Sid = RoomSid.Track(), Type = TrackType.Audio, Name = Truncate(request.Name, LongestName), Source = request.Source, MimeType = "audio/opus", Muted = request.Muted,
                Stream = Truncate(request.Stream, LongestName), DisableDtx = request.DisableDtx, DisableRed = true,
            };
            participant.Microphone = new PublishedTrack(request.Cid, info);
            if (participant.IsUser) Port.IsMuted = request.Muted;
            participant.Changed();
            participant.Signal?.TrySend(new SignalResponse { TrackPublished = new TrackPublishedResponse { Cid = request.Cid, Track = info } });
            TellOthers(participant);
        }
    }

    private void Mute(RoomParticipant participant, MuteTrackRequest request)
    {
        lock (_gate)
        {
            if (!IsHere(participant) || participant.Microphone is not { } microphone || microphone.Info.Sid != request.Sid || microphone.Info.Muted == request.Muted) return;
            microphone.Info.Muted = request.Muted;
            if (participant.IsUser) Port.IsMuted = request.Muted;
            participant.Changed();
            TellOthers(participant);
        }
    }

    private void Subscribe(RoomParticipant participant, UpdateSubscription request)
        => Hear(participant, request.TrackSids.Concat(request.ParticipantTracks.SelectMany(static tracks => tracks.TrackSids)), request.Subscribe);

    /// <summary>The client itself does not silence what it does not want: it is up to us.</summary>
    private void Hear(RoomParticipant participant, IEnumerable<string> trackSids, bool hears)
    {
        if (!trackSids.Contains(_agent.TrackSid)) return;
        lock (_gate)
        {
            participant.Hears = hears;
            UpdateHearing();
        }
    }

    /// <summary>What a client that comes back knows: whether it wants sound, and the last message that it has.</summary>
    private void Synchronize(RoomParticipant participant, SyncState state)
    {
        Hear(participant, [_agent.TrackSid], !state.TrackSidsDisabled.Contains(_agent.TrackSid));
        if (!participant.IsUser) return;
        foreach (var received in state.DatachannelReceiveStates)
        {
            if (received.PublisherSid == _agent.Sid) SendAgain(received.LastSeq);
        }
    }

    private RequestResponse Update(RoomParticipant participant, UpdateParticipantMetadata request)
    {
        var response = new RequestResponse { RequestId = request.RequestId };
        lock (_gate)
        {
            if (!IsHere(participant)) return response;
            var size = request.Metadata.Length + request.Attributes.Sum(static pair => pair.Key.Length + pair.Value.Length);
            if (size > LongestMetadata || request.Name.Length > LongestName || request.Attributes.Count > MostAttributes)
            {
                (response.Reason, response.Message) = (RequestResponse.Types.Reason.LimitExceeded, $"Metadata and attributes are at most {LongestMetadata} characters, a name {LongestName}.");
                return response;
            }
            if (request.Metadata.Length > 0) participant.Metadata = request.Metadata;
            if (request.Name.Length > 0) participant.Name = request.Name;
            foreach (var (name, value) in request.Attributes)
            {
                if (value.Length == 0) participant.Attributes.Remove(name);
                else if (participant.Attributes.Count < MostAttributes || participant.Attributes.ContainsKey(name)) participant.Attributes[name] = value;
            }
            TellAll(participant);
        }
        return response;
    }

    private bool IsHere(RoomParticipant participant) => _participants.TryGetValue(participant.Identity, out var known) && known == participant;

    private static string Truncate(string text, int length) => text.Length > length ? text[..length] : text;
}
