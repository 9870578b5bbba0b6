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

/// <summary>A room by itself, with peers without a network and a clock that is moved.</summary>
public abstract class ClockedRoomTests : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private static readonly StageSettings Stage = new() { CallStageId = "stage", Model = "rules" };
    private protected readonly ManualClock _clock = new();
    private readonly Pacer _pacer;
    private protected readonly FakePeers _peers = new();
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private protected readonly RoomTokens _tokens;
    private protected readonly CallRoom _room;
    private protected readonly Task<MediaEnd> _media;
    private protected readonly List<Task> _serving = [];
    private protected readonly List<FakeSocket> _sockets = [];

    protected ClockedRoomTests()
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

    public async ValueTask DisposeAsync()
    {
        await _room.DisposeAsync();
        foreach (var socket in _sockets) socket.Abort();
        await Task.WhenAll(_serving).WaitAsync(Patience);
        _pacer.Dispose();
        await _services.DisposeAsync();
    }

    private protected FakePeer Connect(out FakeSocket signal)
    {
        signal = Enter();
        var peer = _peers.All[^1];
        peer.Connect();
        return peer;
    }

    private protected FakeSocket Enter() => Enter(new RoomJoin { Offer = new SessionDescription { Sdp = "offer", Id = 1 } });

    private protected FakeSocket Enter(RoomJoin join)
    {
        var signal = new FakeSocket();
        _sockets.Add(signal);
        _serving.Add(_room.ServeAsync(signal, new RoomGrant("call", RoomGrant.UserIdentity), join, CancellationToken.None));
        return signal;
    }

    private protected FakeSocket OpenJoinSocket()
    {
        var socket = new FakeSocket();
        _sockets.Add(socket);
        _serving.Add(_room.ServeAsync(new JoinSocket(socket, _clock), "ws://room", "token", CancellationToken.None));
        return socket;
    }

    private protected void Pass(int seconds)
    {
        for (var i = 0; i < 2 * seconds; i++)
        {
            _clock.Advance(TimeSpan.FromMilliseconds(500));
            _room.Tick();
        }
    }

    private protected static List<SignalResponse> Sent(FakeSocket socket)
    {
        lock (socket.Sent) return [.. socket.Sent];
    }

    private protected Task UntilEmptyAsync() => Poll.UntilAsync(() => _room.Participants == 0, () => $"{_room.Participants} are still in the room.");

    private protected static Task UntilSentAsync(FakeSocket signal, Predicate<SignalResponse> what)
        => Poll.UntilAsync(() => Sent(signal).Exists(what), () => $"It was never sent, but {string.Join('\n', Sent(signal))}");

    private protected static Task UntilDisposedAsync(FakePeer peer) => Poll.UntilAsync(() => peer.IsDisposed, () => "The peer is kept.");

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
