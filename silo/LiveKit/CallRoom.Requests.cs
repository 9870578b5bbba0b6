using VoiceGrains.Silo.LiveKit.Protocol;
using VoiceGrains.Silo.WebRtc;

namespace VoiceGrains.Silo.LiveKit;

/// <summary>What clients ask for. Runs on the receiving loop of each client's signalling, so that an answer that takes a while holds up nobody else.</summary>
internal sealed partial class CallRoom
{
    private const int MostAttributes = 64;
    private const int LongestMetadata = RoomParticipant.LongestMetadata, LongestName = 256;

    private void Handle(RoomParticipant participant, SignalSocket signal, SignalRequest request)
    {
        switch (request.MessageCase)
        {
            case SignalRequest.MessageOneofCase.Offer: Answer(participant, request.Offer); break;
            case SignalRequest.MessageOneofCase.AddTrack: Publish(participant, request.AddTrack); break;
            case SignalRequest.MessageOneofCase.Mute: Mute(participant, request.Mute); break;
            case SignalRequest.MessageOneofCase.TrackSetting: Listen(participant, request.TrackSetting.TrackSids, !request.TrackSetting.Disabled); break;
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
        if (PeerToAnswer(participant) is not { } peer) return;
        string? answer;
        try
        {
            answer = peer.Answer(offer.Sdp, participant.IsSubscribed);
        }
        catch (FormatException)
        {
            lock (_gate) Expel(participant, "The client's offer could not be answered.");
            return;
        }
        lock (_gate)
        {
            if (!IsHere(participant)) return;
            if (answer is null || participant.Peer != peer)
            {
                Reconnect(participant);
                return;
            }
            participant.Signal?.TrySend(new SignalResponse { Answer = new SessionDescription { Type = "answer", Sdp = answer, Id = offer.Id } });
            CheckOfferedTracks(participant, offer.Sdp);
        }
    }

    /// <summary>Null: there is nothing to answer.</summary>
    private IRoomPeer? PeerToAnswer(RoomParticipant participant)
    {
        lock (_gate)
        {
            if (!IsHere(participant)) return null;
            if (!participant.OfferRate.TryTake()) Expel(participant, "The client made too many offers.");
            else if (participant.HasLostPeer) Reconnect(participant);
            else return participant.Peer ??= CreatePeer(participant);
            return null;
        }
    }

    private IRoomPeer CreatePeer(RoomParticipant participant)
    {
        var events = new PeerEvents(this, participant);
        return events.Peer = _peers.Create(_agent.Track, events);
    }

    /// <summary>The client's connection cannot be mended, by an ICE restart or otherwise: it makes a new one, and enters as if for the first time.</summary>
    private void Reconnect(RoomParticipant participant) => Remove(participant, DisconnectReason.StateMismatch, LeaveRequest.Types.Action.Reconnect);

    /// <summary>A track that an earlier offer had and this one has not is not published any more.</summary>
    private void CheckOfferedTracks(RoomParticipant participant, string sdp)
    {
        if (participant.Microphone is not { } microphone) return;
        var tracks = OfferedTracks.Read(sdp);
        if (microphone.Offered is not { } offered) microphone.Offered = OfferedTracks.Find(tracks, microphone.Cid);
        else if (!tracks.Contains(offered))
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
            var (reason, why) = !participant.MayPublish(request.Source) ? (RequestResponse.Types.Reason.NotAllowed, "The token does not allow to publish that.")
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

    /// <summary>The client's track of the agent comes and goes by an answer, for which it must make an offer.</summary>
    private void Subscribe(RoomParticipant participant, UpdateSubscription request)
    {
        if (!request.TrackSids.Concat(request.ParticipantTracks.SelectMany(static tracks => tracks.TrackSids)).Contains(_agent.TrackSid)) return;
        lock (_gate)
        {
            if (!IsHere(participant) || participant.IsSubscribed == request.Subscribe) return;
            participant.IsSubscribed = request.Subscribe;
            UpdateHearing();
            if (participant.Peer is not null) participant.Signal?.TrySend(new SignalResponse { MediaSectionsRequirement = new MediaSectionsRequirement() });
        }
    }

    /// <summary>The client itself does not silence what it does not want to hear for now: it is up to us.</summary>
    private void Listen(RoomParticipant participant, IEnumerable<string> trackSids, bool listens)
    {
        if (!trackSids.Contains(_agent.TrackSid)) return;
        lock (_gate)
        {
            participant.IsListening = listens;
            UpdateHearing();
        }
    }

    /// <summary>What a client that comes back knows: whether it wants sound, and the last message that it has.</summary>
    private void Synchronize(RoomParticipant participant, SyncState state)
    {
        Listen(participant, [_agent.TrackSid], !state.TrackSidsDisabled.Contains(_agent.TrackSid));
        if (state.Subscription is { } subscription) Subscribe(participant, subscription);
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
            var metadata = request.Metadata.Length > 0 ? request.Metadata : participant.Metadata;
            var attributes = Merge(participant.Attributes, request.Attributes);
            if (RoomParticipant.Length(metadata, attributes) > LongestMetadata || request.Name.Length > LongestName || attributes.Count > MostAttributes)
            {
                response.Reason = RequestResponse.Types.Reason.LimitExceeded;
                response.Message = $"Metadata and attributes are at most {LongestMetadata} characters, {MostAttributes} attributes, a name {LongestName}.";
                return response;
            }
            (participant.Metadata, participant.Attributes) = (metadata, attributes);
            if (request.Name.Length > 0) participant.Name = request.Name;
            TellAll(participant);
        }
        return response;
    }

    /// <summary>An empty value takes an attribute away.</summary>
    private static Dictionary<string, string> Merge(IReadOnlyDictionary<string, string> attributes, IEnumerable<KeyValuePair<string, string>> changes)
    {
        var merged = new Dictionary<string, string>(attributes, StringComparer.Ordinal);
        foreach (var (name, value) in changes)
        {
            if (value.Length == 0) merged.Remove(name);
            else merged[name] = value;
        }
        return merged;
    }

    private bool IsHere(RoomParticipant participant) => _participants.TryGetValue(participant.Identity, out var known) && known == participant;

    private static string Truncate(string text, int length) => text.Length > length ? text[..length] : text;
}
