using System.Diagnostics.Metrics;
using System.Net.WebSockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.Grains.Calls;
using VoiceGrains.Grains.Secrets;
using VoiceGrains.Grains.Signing;
using VoiceGrains.Media;
using VoiceGrains.Silo.LiveKit;
using VoiceGrains.Silo.LiveKit.Protocol;
using VoiceGrains.Silo.WebRtc;
using VoiceGrains.Tests.Shared;

namespace VoiceGrains.Server.Tests.LiveKit;

/// <summary>What time brings about in a room, by a clock that is moved.</summary>
public sealed class RoomPresenceTests : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private static readonly StageSettings Stage = new() { CallStageId = "stage", Model = "rules" };
    private readonly ManualClock _clock = new();
    private readonly Pacer _pacer;
    private readonly FakePeers _peers = new();
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly RoomTokens _tokens;
    private readonly CallRoom _room;
    private readonly Task<MediaEnd> _media;
    private readonly List<Task> _serving = [];
    private readonly List<FakeSocket> _sockets = [];

    public RoomPresenceTests()
    {
        _pacer = new Pacer(new PacerOptions { Threads = 0 }, _clock, NullLogger<Pacer>.Instance);
        _tokens = new RoomTokens(new SecretKey(new byte[32]), _clock);
        var settings = new CallSettings
        {
            CallId = "call", AccountId = "account", Created = _clock.GetUtcNow(), Medium = new CallMedium { WebRtc = new WebRtcMedium() }, FirstSpeaker = new FirstSpeakerSettings(), FirstStage = Stage,
        };
        var metrics = new RoomMetrics(_services.GetRequiredService<IMeterFactory>());
        _room = new CallRoom(new CallSnapshot { Settings = settings, Stage = Stage, Generation = 1 }, "join", _peers, _tokens, new WebRtcOptions(), _pacer, _clock, metrics);
        _media = _room.Port.RunAsync(new NoSink(), CancellationToken.None);
    }

    [Fact]
    public async Task AClientThatNeverComes_IsGivenUp_ButHasNotHungUp()
    {
        Pass(29);
        Assert.False(_room.Started.IsCompleted);
        Pass(2);
        Assert.Equal((false, false, MediaEnd.Lost), (await _room.Started, _room.WasEndedByUser, await _media));
    }

    [Fact]
    public async Task AClientWithoutMedia_IsLostAfterTheGrace_AndNotBefore()
    {
        var peer = Connect(out _);
        Assert.True(await _room.Started);
        Pass(100);
        peer.Connect(false);
        Pass(19);
        peer.Connect();
        Pass(100);
        peer.Connect(false);
        Pass(19);
        Assert.False(_media.IsCompleted);
        Pass(2);
        Assert.Equal(MediaEnd.Lost, await _media);
    }

    [Fact]
    public async Task APageThatGoesAway_MayComeBack_AndHasHungUpOtherwise()
    {
        Connect(out var signal);
        var page = OpenJoinSocket();
        signal.Send(new SignalRequest { Leave = new LeaveRequest() });      // as pages say when they are closed, or loaded again
        await Poll.UntilAsync(() => _room.Participants == 0, () => $"{_room.Participants} are still in the room.");
        page.CloseBy(WebSocketCloseStatus.EndpointUnavailable);
        await _serving[^1].WaitAsync(Patience, TestContext.Current.CancellationToken);
        Assert.True(_room.MayReturn);
        Pass(19);
        OpenJoinSocket();
        var again = Connect(out _);
        Pass(100);
        Assert.False(_media.IsCompleted);
        again.Connect(false);
        _sockets[^2].CloseBy(WebSocketCloseStatus.EndpointUnavailable);
        await Poll.UntilAsync(() => _room.Participants == 0, () => $"{_room.Participants} are still in the room.");
        Pass(19);
        Assert.False(_media.IsCompleted);
        Pass(2);
        Assert.Equal(MediaEnd.ClosedByClient, await _media);
    }

    [Fact]
    public async Task ALeaveWhoseJoinSocketStaysOpen_IsAHangUp()
    {
        Connect(out var signal);
        OpenJoinSocket();
        signal.Send(new SignalRequest { Leave = new LeaveRequest() });
        await Poll.UntilAsync(() => _room.Participants == 0, () => $"{_room.Participants} are still in the room.");
        Pass(1);
        Assert.False(_media.IsCompleted);
        Pass(2);
        Assert.Equal(MediaEnd.ClosedByClient, await _media);
    }

    [Fact]
    public async Task TheTokenOfALongCall_IsRenewed_AndStillStartsIt()
    {
        Connect(out var signal);
        Pass(29 * 60);
        Assert.DoesNotContain(Sent(signal), message => message.MessageCase == SignalResponse.MessageOneofCase.RefreshToken);
        Pass(2 * 60);
        await Poll.UntilAsync(() => Sent(signal).Exists(message => message.MessageCase == SignalResponse.MessageOneofCase.RefreshToken), () => "No token came.");
        _clock.Advance(TimeSpan.FromMinutes(50));       // past the first one's end
        Assert.True(_tokens.TryVerify(Sent(signal).Last(message => message.MessageCase == SignalResponse.MessageOneofCase.RefreshToken).RefreshToken, out var grant, out _));
        Assert.Equal(("call", "user", "join"), (grant.Room, grant.Identity, grant.JoinToken));
    }

    [Theory]
    [InlineData(0, 20, 2)]
    [InlineData(0.03, 20, 1)]
    [InlineData(0.5, 20, 0)]
    [InlineData(1, 60_000, 0)]      // never as lost: clients throw such a connection away
    [InlineData(0, 300, 1)]
    public void Quality_IsThatOfPacketsAndDelay(double loss, int roundTripMs, int expected)
        => Assert.Equal((ConnectionQuality)expected, CallRoom.Rate(new PeerQuality(loss, TimeSpan.FromMilliseconds(roundTripMs))));

    public async ValueTask DisposeAsync()
    {
        await _room.DisposeAsync();
        foreach (var socket in _sockets) socket.Abort();
        await Task.WhenAll(_serving).WaitAsync(Patience);
        _pacer.Dispose();
        await _services.DisposeAsync();
    }

    private FakePeer Connect(out FakeSocket signal)
    {
        signal = new FakeSocket();
        _sockets.Add(signal);
        var join = new RoomJoin { Offer = new SessionDescription { Sdp = "offer", Id = 1 } };
        _serving.Add(_room.ServeAsync(signal, new RoomGrant("call", RoomGrant.UserIdentity), join, CancellationToken.None));
        var peer = _peers.All[^1];
        peer.Connect();
        return peer;
    }

    private FakeSocket OpenJoinSocket()
    {
        var socket = new FakeSocket();
        _sockets.Add(socket);
        _serving.Add(_room.ServeAsync(new JoinSocket(socket, _clock), "ws://room", "token", CancellationToken.None));
        return socket;
    }

    private void Pass(int seconds)
    {
        for (var i = 0; i < 2 * seconds; i++)
        {
            _clock.Advance(TimeSpan.FromMilliseconds(500));
            _room.Tick();
        }
    }

    private static List<SignalResponse> Sent(FakeSocket socket)
    {
        lock (socket.Sent) return [.. socket.Sent];
    }

    private sealed class NoSink : IMediaSink
    {
        public void OnAudio(ReadOnlySpan<short> pcm)
        {
        }

        public void OnData(ReadOnlySpan<byte> json)
        {
        }

        public void OnDtmf(char digit)
        {
        }

        public void OnNotice(MediaNotice notice)
        {
        }
    }
}
