using System.Net.WebSockets;
using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.Grains.Calls;
using VoiceGrains.Grains.Signing;
using VoiceGrains.Media;
using VoiceGrains.Silo.LiveKit.Protocol;
using VoiceGrains.Silo.WebRtc;

namespace VoiceGrains.Silo.LiveKit;

/// <summary>
/// The room of one call on this silo: the user, the agent and those who listen. Signalling connections, peers and join sockets come and go; the room and its
/// <see cref="Port"/> stay as long as the conversation. One short lock guards who is in it; sound passes it by.
/// </summary>
internal sealed partial class CallRoom : IRoomMedia, IAsyncDisposable
{
    internal const double DataPacketsPerSecond = 100, DataPacketBurst = 300;
    internal const double DataBytesPerSecond = 1 << 20, DataByteBurst = 4 << 20;
    internal const double OffersPerSecond = 1, OfferBurst = 30;

    private const int PingSeconds = 5, PingTimeoutSeconds = 15;
    /// <summary>From 14 on clients open their data channels only with something else to negotiate, which they have here.</summary>
    private const int ProtocolVersion = 16;
    private static readonly string ServerVersion = typeof(CallRoom).Assembly.GetName().Version!.ToString(3);

    private readonly Lock _gate = new();
    private readonly CallSnapshot _call;
    private readonly IRoomPeerFactory _peers;
    private readonly RoomTokens _tokens;
    private readonly WebRtcOptions _options;
    private readonly TimeProvider _clock;
    private readonly RoomMetrics _metrics;
    private readonly string _joinToken;
    private readonly RoomAgent _agent;
    private readonly string _sid = RoomSid.Room();
    private readonly DateTimeOffset _created;
    private readonly Dictionary<string, RoomParticipant> _participants = new(StringComparer.Ordinal);
    private readonly List<Task> _leaving = [];
    private bool _isOver, _mayReturn;

    /// <param name="joinToken">Of the call's join URL: renewed access tokens carry it on.</param>
    public CallRoom(
        CallSnapshot call, string joinToken, IRoomPeerFactory peers, RoomTokens tokens, WebRtcOptions options, Pacer pacer, TimeProvider clock, RoomMetrics metrics)
    {
        (_call, _joinToken, _peers, _tokens, _options, _clock, _metrics) = (call, joinToken, peers, tokens, options, clock, metrics);
        _agent = new RoomAgent(call.Settings.AgentName ?? "", clock);
        _created = _absentSince = clock.GetUtcNow();
        Port = new WebRtcPort(this, pacer, clock, metrics.Receivers);
    }

    public string CallId => _call.Settings.CallId;

    public CallSnapshot Call => _call;

    /// <summary>What the conversation talks through.</summary>
    public WebRtcPort Port { get; }

    /// <summary>How many are in it, the agent not counted.</summary>
    public int Participants
    {
        get
        {
            lock (_gate) return _participants.Count;
        }
    }

    /// <summary>Serves one signalling connection until it ends, however it does.</summary>
    public async Task ServeAsync(WebSocket socket, RoomGrant grant, RoomJoin join, CancellationToken cancellationToken)
    {
        await using var signal = new SignalSocket(socket, _clock);
        var participant = Enter(signal, grant, join);
        if (participant is null)
        {
            await signal.RunAsync(static _ => { }, cancellationToken);
            return;
        }
        if (!join.IsReconnect)
        {
            if (join.Offer is { } offer) Answer(participant, offer);
            else signal.TrySend(new SignalResponse { MediaSectionsRequirement = new MediaSectionsRequirement { NumAudios = 1 } });
        }
        if (join.SyncState is { } state) Synchronize(participant, state);
        var end = await signal.RunAsync(request => Handle(participant, signal, request), cancellationToken);
        OnSignalEnded(participant, signal, end);
    }

    /// <summary>Whoever is there is told to leave; nobody gets in any more.</summary>
    /// <param name="mayReturn">The server goes away, not the call: clients should come back, to another server that has the call by then.</param>
    public void Close(bool mayReturn)
    {
        var (reason, action) = mayReturn
            ? (DisconnectReason.ServerShutdown, LeaveRequest.Types.Action.Reconnect)
            : (DisconnectReason.RoomDeleted, LeaveRequest.Types.Action.Disconnect);
        lock (_gate)
        {
            if (_isOver) return;
            (_isOver, _mayReturn) = (true, mayReturn);
            foreach (var participant in _participants.Values)
            {
                participant.Signal?.Leave(reason, action);
                ReleasePeer(participant);
            }
            _participants.Clear();
            UpdateHearing();
        }
        _started.TrySetResult(false);
        _joinSocket?.Close(mayReturn);
    }

    public async ValueTask DisposeAsync()
    {
        Close(mayReturn: false);
        Task[] leaving;
        lock (_gate) leaving = [.. _leaving];
        await Task.WhenAll(leaving).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await Port.DisposeAsync();
    }

    /// <summary>Lets a connection in as a new participant or as one that comes back. Null: it may not, and was told to leave.</summary>
    private RoomParticipant? Enter(SignalSocket signal, RoomGrant grant, RoomJoin join)
    {
        lock (_gate)
        {
            if (_isOver) return _mayReturn ? Refuse(signal, DisconnectReason.ServerShutdown, LeaveRequest.Types.Action.Reconnect) : Refuse(signal, DisconnectReason.RoomDeleted);
            if (grant.Identity == RoomAgent.Identity) return Refuse(signal, DisconnectReason.JoinFailure);
            _participants.TryGetValue(grant.Identity, out var known);
            if (join.IsReconnect) return Resume(signal, known, join);
            if (known is null && grant.Identity != RoomGrant.UserIdentity && _participants.Values.Count(one => !one.IsUser) >= _options.MaxListeners)
                return Refuse(signal, DisconnectReason.JoinFailure);
            if (known is not null) Remove(known, DisconnectReason.DuplicateIdentity);
            return Admit(signal, grant, join);
        }
    }

    private RoomParticipant Admit(SignalSocket signal, RoomGrant grant, RoomJoin join)
    {
        if (grant.Identity != RoomGrant.UserIdentity) grant = grant with { CanPublish = false, CanPublishData = false };
        var participant = new RoomParticipant(grant, join, _clock) { LastSeen = _clock.GetUtcNow(), NextToken = _clock.GetUtcNow() + _options.TokenLifetime / 2 };
        foreach (var (name, value) in join.Attributes.Take(MostAttributes)) participant.Attributes[name] = value;
        signal.TrySend(new SignalResponse { Join = JoinResponse(participant) });
        participant.Signal = signal;
        _participants.Add(participant.Identity, participant);
        if (participant.IsUser) OnUserEntered();
        TellOthers(participant);
        _metrics.Joined(participant.IsUser ? "user" : "listener");
        return participant;
    }

    private RoomParticipant? Resume(SignalSocket signal, RoomParticipant? known, RoomJoin join)
    {
        // Not known here any more, joined anew since, or without its peer: the client forgets what it has and joins as if for the first time.
        if (known is null || known.Sid != join.ParticipantSid || known.HasLostPeer) return Refuse(signal, DisconnectReason.StateMismatch, LeaveRequest.Types.Action.Reconnect);
        known.Signal?.Abort();
        signal.TrySend(new SignalResponse { Reconnect = new ReconnectResponse { ServerInfo = ServerInfo(), LastMessageSeq = known.LastSequence } });
        var update = new ParticipantUpdate { Participants = { known.ToInfo(), _agent.ToInfo() } };
        update.Participants.Add(OthersOf(known).Select(static one => one.ToInfo()));
        signal.TrySend(new SignalResponse { Update = update });
        known.Signal = signal;
        known.LastSeen = _clock.GetUtcNow();
        _metrics.Joined("resume");
        return known;
    }

    private RoomParticipant? Refuse(SignalSocket signal, DisconnectReason reason, LeaveRequest.Types.Action action = LeaveRequest.Types.Action.Disconnect)
    {
        signal.Leave(reason, action);
        _metrics.Joined("refused");
        return null;
    }

    private void OnSignalEnded(RoomParticipant participant, SignalSocket signal, SignalEnd end)
    {
        lock (_gate)
        {
            if (participant.Signal != signal) return;
            participant.Signal = null;
            participant.LastSeen = _clock.GetUtcNow();
            if (end == SignalEnd.Refused) Expel(participant, "The client broke the rules of signalling.");
        }
    }

    /// <summary>Breaking the rules ends the session, and where it is the user's, the call.</summary>
    private void Expel(RoomParticipant participant, string why)
    {
        if (!IsHere(participant)) return;       // another has its place, and the call
        Remove(participant, DisconnectReason.ParticipantRemoved);
        if (!participant.IsUser) return;
        Port.OnNotice(new MediaNotice("protocol_error", why));
        Port.End(MediaEnd.ProtocolError);
        _started.TrySetResult(false);
    }

    /// <summary>Needs the lock. Does nothing for one that has been replaced.</summary>
    private void Remove(RoomParticipant participant, DisconnectReason reason, LeaveRequest.Types.Action action = LeaveRequest.Types.Action.Disconnect)
    {
        if (!IsHere(participant)) return;
        _participants.Remove(participant.Identity);
        participant.Signal?.Leave(reason, action);
        participant.Signal = null;
        ReleasePeer(participant);
        if (participant.IsUser) OnUserGone();
        participant.Changed();
        TellOthers(participant, ParticipantInfo.Types.State.Disconnected);
    }

    private void ReleasePeer(RoomParticipant participant)
    {
        if (participant.Peer is not { } peer) return;
        if (participant.IsUser) Port.OnConnectionEnded(peer.Statistics);
        (participant.Peer, participant.IsConnected) = (null, false);
        UpdateHearing();
        _leaving.RemoveAll(static task => task.IsCompleted);
        // Not under the lock: it says good-bye on the network, and may tell us of its end.
        _leaving.Add(Task.Run(async () => await peer.DisposeAsync()));
    }

    private IEnumerable<RoomParticipant> OthersOf(RoomParticipant participant) => _participants.Values.Where(one => one != participant && !one.Grant.Hidden);

    private void TellOthers(RoomParticipant about, ParticipantInfo.Types.State? state = null)
    {
        if (about.Grant.Hidden) return;
        var update = new SignalResponse { Update = new ParticipantUpdate { Participants = { about.ToInfo(state) } } };
        foreach (var other in _participants.Values)
        {
            if (other != about) other.Signal?.TrySend(update);
        }
    }

    private void TellAll(RoomParticipant about)
    {
        about.Changed();
        TellOthers(about);
        about.Signal?.TrySend(new SignalResponse { Update = new ParticipantUpdate { Participants = { about.ToInfo() } } });
    }

    private JoinResponse JoinResponse(RoomParticipant participant)
    {
        var response = new JoinResponse
        {
            Room = new Protocol.Room
            {
                Sid = _sid, Name = CallId, CreationTime = _created.ToUnixTimeSeconds(), CreationTimeMs = _created.ToUnixTimeMilliseconds(),
                NumParticipants = (uint)_participants.Count + 2, NumPublishers = 1, ActiveRecording = _call.Settings.RecordingEnabled,
                DepartureTimeout = (uint)_options.ReconnectGrace.TotalSeconds,
            },
            Participant = participant.ToInfo(),
            ServerVersion = ServerVersion,
            ServerInfo = ServerInfo(),
            PingInterval = PingSeconds,
            PingTimeout = PingTimeoutSeconds,
            FastPublish = participant.Grant.CanPublish,
            EnabledPublishCodecs = { new Codec { Mime = "audio/opus" } },
        };
        response.OtherParticipants.Add(_agent.ToInfo());
        response.OtherParticipants.Add(OthersOf(participant).Select(static one => one.ToInfo()));
        return response;
    }

    private static ServerInfo ServerInfo() => new() { Version = ServerVersion, Protocol = ProtocolVersion };
}
