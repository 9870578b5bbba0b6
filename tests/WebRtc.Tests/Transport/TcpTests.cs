using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using VoiceGrains.Tests.Shared;
using VoiceGrains.WebRtc.Ice;
using VoiceGrains.WebRtc.Transport;

namespace VoiceGrains.WebRtc.Tests.Transport;

/// <summary>Clients on real TCP connections against one endpoint on loopback.</summary>
public sealed class TcpTests : IAsyncLifetime
{
    private static readonly byte[] Rtp = [0x80, 111, 0, 1, 0, 0, 0, 1, 0, 0, 0, 9, 1, 2, 3];

    private readonly ManualClock _clock = new();
    private readonly TestSink _sink = new();
    private readonly MediaEndpoint _endpoint;
    private readonly IceLiteAgent _agent;

    public TcpTests()
    {
        _endpoint = MediaEndpoint.Start(
            new MediaEndpointOptions { BindAddress = IPAddress.Loopback, MaxTcpConnections = 4, MaxPendingTcpConnectionsPerAddress = 3 }, _clock, NullLoggerFactory.Instance);
        _agent = _endpoint.CreateAgent(_sink);
    }

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => _endpoint.DisposeAsync();

    [Fact]
    public async Task ACheckAndMedia_GoBothWays()
    {
        using var peer = Connect();

        await peer.CheckAsync(_agent.Local);
        peer.Send(Rtp);
        peer.Send([]);
        peer.Send(Rtp);
        await Poll.UntilAsync(() => _sink.Datagrams.Count == 2, "RTP arrives");

        Assert.Equal([Rtp, Rtp], _sink.Datagrams);
        Assert.True(_agent.TrySend(Rtp));
        Assert.True(_agent.TrySend(Rtp));
        Assert.Equal(Rtp, await peer.ReceiveAsync());
        Assert.Equal(Rtp, await peer.ReceiveAsync());
    }

    [Fact]
    public async Task FramesMayComeByteByByte_OrManyAtOnce()
    {
        using var peer = Connect();
        var check = new Check(_agent.Local);

        foreach (var value in TcpPeer.Frame(check.ToBytes()))
            peer.SendRaw([value]);
        UdpPeer.AssertSuccess(check, await peer.ReceiveAsync(), peer.Local);
        peer.SendRaw([.. Enumerable.Repeat(TcpPeer.Frame(Rtp), 500).SelectMany(frame => frame)]);
        await Poll.UntilAsync(() => _sink.Datagrams.Count == 500, "all frames arrive");

        Assert.All(_sink.Datagrams, datagram => Assert.Equal(Rtp, datagram));
    }

    [Fact]
    public async Task TheCallMayMoveFromTcpToUdp_AndLosesOnlyItsPathWhenTheConnectionBreaks()
    {
        var tcp = Connect();
        using var udp = new UdpPeer(IPAddress.Loopback, _endpoint.Port);
        await tcp.CheckAsync(_agent.Local);

        await _sink.AssertStatesAsync(IceState.Connected);
        tcp.Dispose();
        await _sink.AssertStatesAsync(IceState.Connected, IceState.Disconnected);
        await udp.CheckAsync(_agent.Local);

        Assert.True(_agent.TrySend(Rtp));
        Assert.Equal(Rtp, await udp.ReceiveAsync());
        await _sink.AssertStatesAsync(IceState.Connected, IceState.Disconnected, IceState.Connected);
    }

    [Fact]
    public async Task WhoeverBeginsWithAnythingButAnAuthenticCheck_IsClosed()
    {
        byte[][] starts =
        [
            TcpPeer.Frame(Rtp),
            TcpPeer.Frame(new Check(new IceCredentials("Zzzzzzzz", "x")).ToBytes()),
            TcpPeer.Frame(new Check(_agent.Local) { Password = "guessed guessed guessed!" }.ToBytes()),
            "GET / HTTP/1.1\r\nHost: x\r\n\r\n"u8.ToArray(),   // 18,245 bytes announced
            [22, 3, 1, 2, 0, 1],
        ];
        foreach (var start in starts)
        {
            using var peer = Connect();
            peer.SendRaw(start);
            await peer.ReadToEndAsync();
        }
        await Poll.UntilAsync(() => _endpoint.Counters.TcpRefusedCount == starts.Length, "all are counted");

        Assert.Equal(0, _endpoint.Counters.SentCount);
        Assert.Equal(IceState.New, _agent.State);
    }

    [Fact]
    public async Task AConnectionThatSaysNothing_IsClosedAfter5Seconds_AnAuthenticOneIsNot()
    {
        using var peer = Connect();
        await peer.CheckAsync(_agent.Local);
        using var halfOpen = Connect();
        halfOpen.SendRaw([0]);   // half a length
        using var empty = Connect();
        empty.Send([]);          // null packets do not keep it open
        await Poll.UntilAsync(() => _endpoint.TcpConnections == 3, "all are accepted");

        _clock.Advance(TimeSpan.FromSeconds(6));
        await halfOpen.ReadToEndAsync();
        await empty.ReadToEndAsync();

        await peer.CheckAsync(_agent.Local);
        _clock.Advance(TimeSpan.FromSeconds(61));
        await peer.ReadToEndAsync();
        await Poll.UntilAsync(() => _endpoint.TcpConnections == 0, "all are gone");
    }

    [Fact]
    public async Task ConnectionsAreBounded_ThoseOfOneStrangerMoreSo()
    {
        var strangers = Enumerable.Range(0, 3).Select(_ => Connect()).ToList();
        await Poll.UntilAsync(() => _endpoint.TcpConnections == 3, "they are accepted");
        using (var tooMany = Connect())
            await tooMany.ReadToEndAsync();

        await strangers[0].CheckAsync(_agent.Local);   // no stranger any more
        using var fourth = Connect();
        await fourth.CheckAsync(_agent.Local);
        using (var pastTheEnd = Connect())
            await pastTheEnd.ReadToEndAsync();

        strangers.ForEach(stranger => stranger.Dispose());
        await Poll.UntilAsync(() => _endpoint.TcpConnections == 1, "those that left are forgotten");
        using var again = Connect();
        await again.CheckAsync(_agent.Local);
        Assert.Equal(2, _endpoint.Counters.TcpRefusedCount);
    }

    [Fact]
    public async Task AClientThatDoesNotRead_LosesItsOwnMedia_AndItsConnectionInTheEnd()
    {
        using var slow = Connect();
        using var other = new UdpPeer(IPAddress.Loopback, _endpoint.Port);
        using var otherAgent = _endpoint.CreateAgent(new TestSink());
        await slow.CheckAsync(_agent.Local);
        await _sink.AssertStatesAsync(IceState.Connected);
        await other.CheckAsync(otherAgent.Local);

        var packet = new byte[1_200];
        packet[0] = 0x80;
        var accepted = 0;
        await Poll.UntilAsync(
            () =>
            {
                for (var i = 0; i < 100 && _agent.TrySend(packet); i++)
                    accepted++;
                return !_agent.TrySend(packet);
            },
            "the queue is full");

        Assert.True(accepted < 2_000, $"{accepted} packets were taken without a reader");
        Assert.True(_endpoint.Counters.Count(DropReason.QueueFull) > 0);
        Assert.True(otherAgent.TrySend(Rtp));
        Assert.Equal(Rtp, await other.ReceiveAsync());

        _clock.Advance(TimeSpan.FromSeconds(11));
        await Poll.UntilAsync(() => _endpoint.TcpConnections == 0, "the connection is closed");
        await _sink.AssertStatesAsync(IceState.Connected, IceState.Disconnected);
        await slow.ReadToEndAsync();
    }

    [Fact]
    public async Task TwoPathsOfOneCall_NeverEnterItsSinkAtOnce()
    {
        using var tcp = Connect();
        using var udp = new UdpPeer(IPAddress.Loopback, _endpoint.Port);
        await tcp.CheckAsync(_agent.Local);
        await udp.CheckAsync(_agent.Local);
        _sink.OnDelivery = () => Thread.SpinWait(200);

        for (var i = 0; i < 300; i++)
        {
            tcp.Send(Rtp);
            udp.Send(Rtp);
        }
        await Poll.UntilAsync(() => _sink.Datagrams.Count >= 300, "what came by TCP arrives");

        Assert.False(_sink.WasEnteredTwice);
    }

    [Fact]
    public async Task ADisposedAgent_ClosesItsConnections()
    {
        using var peer = Connect();
        await peer.CheckAsync(_agent.Local);

        _agent.Dispose();

        await peer.ReadToEndAsync();
        await Poll.UntilAsync(() => _endpoint.TcpConnections == 0, "it is forgotten");
    }

    private TcpPeer Connect() => new(IPAddress.Loopback, _endpoint.Port);
}
