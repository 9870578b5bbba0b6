using System.Security.Cryptography;
using System.Text;
using VoiceGrains.Grains.Calls;
using VoiceGrains.Silo.LiveKit.Protocol;
using VoiceGrains.Silo.WebRtc;

namespace VoiceGrains.Silo.LiveKit;

/// <summary>
/// Whether the user is there. What counts is the media connection: signalling and join socket may break and come back meanwhile. A user without one for
/// <see cref="WebRtcOptions.ReconnectGrace"/> is lost, or has left, where there was a good-bye.
/// </summary>
internal sealed partial class CallRoom
{
    /// <summary>A page that is closed or loaded again says on signalling that it leaves, as one that hangs up does. How its join socket closes tells the two apart.</summary>
    private static readonly TimeSpan JoinCloseWait = TimeSpan.FromSeconds(2);

    /// <summary>A page that is loaded again may be here before the end of its former socket is; a second client waits as long to be refused.</summary>
    private static readonly TimeSpan ReturnWait = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan ReturnLook = TimeSpan.FromMilliseconds(20);

    private readonly TaskCompletionSource<bool> _started = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile JoinSocket? _joinSocket;
    private DateTimeOffset _absentSince;
    private DateTimeOffset? _hangUpAt;
    private bool _pageIsGone;
    private bool _saidGoodbye;

    /// <summary>True as soon as the user's media flow for the first time; false when that will not happen.</summary>
    public Task<bool> Started => _started.Task;

    /// <summary>
    /// Whether a client that opens the call's join URL now may take the user's place: not while somebody is being heard there.
    /// </summary>
    public bool MayReturn
    {
        get
        {
            lock (_gate) return !_isOver && !Port.IsEnded && (_joinSocket is null || FindUser() is not { IsConnected: true } || Port.SilentFor > JoinCloseWait);
        }
    }

    /// <summary>Whether nobody gets in any more: the conversation here is about to end, or has.</summary>
    public bool IsOver
    {
        get
        {
            lock (_gate) return _isOver || Port.IsEnded;
        }
    }

    /// <summary>Whether <see cref="MayReturn"/> holds, or soon does.</summary>
    public async Task<bool> MayReturnSoonAsync(CancellationToken cancellationToken)
    {
        for (var since = _clock.GetTimestamp(); !MayReturn; await Task.Delay(ReturnLook, _clock, cancellationToken))
        {
            if (IsOver || _clock.GetElapsedTime(since) > ReturnWait) return false;
        }
        return true;
    }

    /// <summary>Whether the call's join URL has this unguessable part. Takes the same time wherever the two differ.</summary>
    public bool IsJoinToken(string token) => CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(token), Encoding.UTF8.GetBytes(_joinToken));

    /// <summary>Whether media of the user flow.</summary>
    public bool IsUserConnected => _userPeer is not null;

    /// <summary>Serves a join socket until it closes. An earlier one gives way.</summary>
    public async Task ServeAsync(JoinSocket socket, string roomUrl, string token, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            _joinSocket?.Close(mayReturn: false);
            (_joinSocket, _pageIsGone, _saidGoodbye, _hangUpAt) = (socket, false, false, null);
            if (FindUser() is not { IsConnected: true }) _absentSince = _clock.GetUtcNow();
            if (_isOver) socket.Close(mayReturn: false);
        }
        var end = await socket.TrySendRoomAsync(roomUrl, token, cancellationToken) ? await socket.RunAsync(Port, cancellationToken) : JoinSocketEnd.Lost;
        OnJoinSocketEnded(socket, end);
    }

    /// <summary>Looks at all that time brings about; called about twice a second.</summary>
    public void Tick()
    {
        lock (_gate)
        {
            if (_isOver) return;
            var now = _clock.GetUtcNow();
            if (_hangUpAt is { } due && now >= due) EndByUser();
            var patience = _started.Task.IsCompleted ? _options.ReconnectGrace : _options.ConnectTimeout;
            if (FindUser() is not { IsConnected: true } && now - _absentSince >= patience) GiveUp();
            ForgetListeners(now);
            foreach (var participant in _participants.Values) RenewToken(participant, now);
            TellSpeakers();
            TellQuality(now);
        }
    }

    private RoomParticipant? FindUser() => _participants.GetValueOrDefault(Grains.Signing.RoomGrant.UserIdentity);

    private void OnUserEntered()
    {
        (_saidGoodbye, _hangUpAt) = (false, null);
        _absentSince = _clock.GetUtcNow();
        Port.IsMuted = true;        // until it publishes
        Port.OnNewClient();
    }

    private void OnUserGone()
    {
        _absentSince = _clock.GetUtcNow();
        Port.IsMuted = true;
    }

    /// <summary>Media flow for a participant, or do not any more.</summary>
    private void OnConnected(RoomParticipant participant, IRoomPeer? peer, bool isConnected)
    {
        lock (_gate)
        {
            if (!IsHere(participant) || participant.Peer != peer || participant.IsConnected == isConnected) return;
            participant.IsConnected = isConnected;
            participant.LastSeen = _clock.GetUtcNow();
            if (participant.IsUser && !isConnected) _absentSince = _clock.GetUtcNow();
            UpdateHearing();
            if (!isConnected) return;
            if (!participant.WasConnected)
            {
                participant.WasConnected = true;
                TellAll(participant);
            }
            if (participant.IsUser) _started.TrySetResult(true);
        }
    }

    /// <summary>A peer that is over will not come back: an offer needs another one.</summary>
    private void OnPeerEnded(RoomParticipant participant, IRoomPeer? peer)
    {
        lock (_gate)
        {
            if (participant.Peer == peer) ReleasePeer(participant);
        }
    }

    /// <summary>
    /// The user hangs up; or the page is loaded again, or its client makes a new connection in place of one that it cannot mend. Clients say the same in all three cases,
    /// so that only what follows tells them apart: how the join socket closes or, where there is none, whether somebody enters within
    /// <see cref="WebRtcOptions.LeaveGrace"/>.
    /// </summary>
    private void OnLeave(RoomParticipant participant)
    {
        lock (_gate)
        {
            if (!IsHere(participant)) return;
            Remove(participant, DisconnectReason.ClientInitiated);
            if (!participant.IsUser) return;
            if (_joinSocket is null && _pageIsGone) _saidGoodbye = true;
            else _hangUpAt = _clock.GetUtcNow() + (_joinSocket is null ? _options.LeaveGrace : JoinCloseWait);
        }
    }

    private void OnJoinSocketEnded(JoinSocket socket, JoinSocketEnd end)
    {
        lock (_gate)
        {
            if (_joinSocket != socket) return;
            _joinSocket = null;
            if (end == JoinSocketEnd.Closed || end == JoinSocketEnd.Refused)
            {
                EndByUser();
                return;
            }
            // The page is gone, and may be loaded again; or its network has changed. Its client leaves the room as soon as it notices.
            _pageIsGone = true;
            _saidGoodbye |= end == JoinSocketEnd.GoneAway || _hangUpAt is not null;
            _hangUpAt = null;
            if (FindUser() is { } user && end == JoinSocketEnd.GoneAway) Remove(user, DisconnectReason.ClientInitiated);
        }
    }

    private void EndByUser()
    {
        Port.End(MediaEnd.ClosedByClient);
        _saidGoodbye = true;
        _started.TrySetResult(false);
    }

    /// <summary>Nobody came, or came back.</summary>
    private void GiveUp()
    {
        Port.End(_saidGoodbye ? MediaEnd.ClosedByClient : MediaEnd.Lost);
        _started.TrySetResult(false);
    }

    /// <summary>Whether the user ended it, and did not just vanish.</summary>
    public bool WasEndedByUser
    {
        get
        {
            lock (_gate) return _saidGoodbye;
        }
    }

    private void ForgetListeners(DateTimeOffset now)
    {
        List<RoomParticipant>? gone = null;
        foreach (var participant in _participants.Values)
        {
            if (participant.Signal is not null || participant.IsConnected) participant.LastSeen = now;
            else if (!participant.IsUser && now - participant.LastSeen >= _options.ReconnectGrace) (gone ??= []).Add(participant);
        }
        foreach (var participant in gone ?? []) Remove(participant, DisconnectReason.SignalClose);
    }

    /// <summary>Clients join, resume and reconnect with the newest token that they got.</summary>
    private void RenewToken(RoomParticipant participant, DateTimeOffset now)
    {
        if (participant.Signal is not { } signal || now < participant.NextToken) return;
        participant.NextToken = now + _options.TokenLifetime / 2;
        signal.TrySend(new SignalResponse { RefreshToken = _tokens.Create(participant.Grant with { JoinToken = participant.IsUser ? _joinToken : null }, _options.TokenLifetime) });
    }

    /// <summary>What one peer tells of its participant.</summary>
    private sealed class PeerEvents(CallRoom room, RoomParticipant participant) : IRoomPeerSink
    {
        /// <summary>Whose they are: one that was replaced tells nothing of the participant any more.</summary>
        public IRoomPeer? Peer { get; set; }

        public TimeSpan PlayoutDelay => participant.IsUser ? room.Port.PlayoutDelay : TimeSpan.Zero;

        public void OnConnected(bool isConnected) => room.OnConnected(participant, Peer, isConnected);

        public void OnEnded() => room.OnPeerEnded(participant, Peer);

        public void OnAudio(object stream, ushort sequence, uint timestamp, ReadOnlySpan<byte> opus, byte? level) => room.OnAudio(participant, stream, sequence, timestamp, opus, level);

        public void OnData(string label, ReadOnlySpan<byte> message) => room.OnData(participant, label, message);
    }
}
