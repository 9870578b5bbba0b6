using System.Diagnostics.Metrics;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using VoiceGrains.Tests.Shared;
using VoiceGrains.WebRtc.Ice;
using VoiceGrains.WebRtc.Transport;

namespace VoiceGrains.WebRtc.Tests.Transport;

/// <summary>Clients on real UDP sockets against one endpoint on loopback. The clock stands still unless a test moves it.</summary>
public sealed class MediaEndpointTests : IAsyncLifetime
{
    private static readonly byte[] Rtp = [0x80, 111, 0, 1, 0, 0, 0, 1, 0, 0, 0, 9, 1, 2, 3];
    private static readonly byte[] Dtls = [22, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

    private readonly ManualClock _clock = new();
    private readonly TestSink _sink = new();
    private readonly MediaEndpoint _endpoint;
    private readonly IceLiteAgent _agent;

    public MediaEndpointTests()
    {
        _endpoint = Start(new MediaEndpointOptions { BindAddress = IPAddress.Loopback });
        _agent = _endpoint.CreateAgent(_sink);
    }

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => _endpoint.DisposeAsync();

    [Fact]
    public async Task ACheck_IsAnswered_AndOpensTheWayBothWays()
    {
        using var peer = Connect();

        await peer.CheckAsync(_agent.Local);
        peer.Send(Rtp);
        await Poll.UntilAsync(() => _sink.Datagrams.Count == 1, "RTP arrives");

        Assert.Equal([Rtp], _sink.Datagrams);
        await _sink.AssertStatesAsync(IceState.Connected);
        Assert.Equal(peer.Local, _agent.SelectedRemote);
        Assert.True(_agent.TrySend(Dtls));
        Assert.Equal(Dtls, await peer.ReceiveAsync());
        await Poll.UntilAsync(() => _endpoint.Counters.SentCount == 2, "both are counted");
    }

    [Fact]
    public async Task IPv6_WorksAsWell()
    {
        await using var endpoint = Start(new MediaEndpointOptions { BindAddress = IPAddress.IPv6Loopback });
        var sink = new TestSink();
        using var agent = endpoint.CreateAgent(sink);
        using var peer = new UdpPeer(IPAddress.IPv6Loopback, endpoint.Port);

        await peer.CheckAsync(agent.Local);
        peer.Send(Rtp);
        await Poll.UntilAsync(() => sink.Datagrams.Count == 1, "RTP arrives");

        Assert.True(agent.TrySend(Dtls));
        Assert.Equal(Dtls, await peer.ReceiveAsync());
    }

    [Fact]
    public async Task ManyCallsShareThePort_AndEachGetsItsOwn()
    {
        var calls = Enumerable.Range(0, 20).Select(i => (Sink: new TestSink(), Peer: Connect(), Packet: (byte[])[128, 111, (byte)i])).ToList();
        var agents = calls.ConvertAll(call => _endpoint.CreateAgent(call.Sink));
        for (var i = 0; i < calls.Count; i++)
            await calls[i].Peer.CheckAsync(agents[i].Local);

        for (var round = 0; round < 5; round++)
            calls.ForEach(call => call.Peer.Send(call.Packet));
        await Poll.UntilAsync(() => calls.TrueForAll(call => call.Sink.Datagrams.Count == 5), "all have theirs");

        Assert.All(calls, call => Assert.All(call.Sink.Datagrams, datagram => Assert.Equal(call.Packet, datagram)));
        Assert.Empty(_sink.Datagrams);
        calls.ForEach(call => call.Peer.Dispose());
    }

    [Fact]
    public async Task InjectedRtpAndDtls_FromAnAddressThatNoCheckValidated_ChangeNothing()
    {
        using var peer = Connect();
        using var attacker = Connect();
        await peer.CheckAsync(_agent.Local);

        attacker.Send(Rtp);
        attacker.Send(Dtls);
        attacker.Send(new Check(_agent.Local) { Password = "guessed guessed guessed!" }.ToBytes());
        attacker.Send(Rtp);
        peer.Send(Dtls);
        await Poll.UntilAsync(() => _sink.Datagrams.Count > 0 && _endpoint.Counters.Count(DropReason.NotValidated) == 3, "all is handled");

        Assert.Equal([Dtls], _sink.Datagrams);
        Assert.Equal(1, _endpoint.Counters.Count(DropReason.WrongIntegrity));
        Assert.Equal(peer.Local, _agent.SelectedRemote);
        Assert.False(attacker.HasMore);
    }

    [Fact]
    public async Task AFloodFromStrangers_IsCounted_AnsweredByNothing_AndLeavesTheCallAlone()
    {
        using var peer = Connect();
        await peer.CheckAsync(_agent.Local);
        byte[][] junk = [Rtp, Dtls, [0, 1, 0, 0], new Check(new IceCredentials("Zzzzzzzz", "x")).ToBytes(), [9], [], [255, 1], new byte[9_000]];
        var strangers = Enumerable.Range(0, 8).Select(_ => Connect()).ToList();

        for (var i = 0; i < 4_000; i++)
            strangers[i % 8].Send(junk[i / 8 % 8]);
        for (var i = 0; _sink.Datagrams.IsEmpty; i++)   // what the system's buffer had no room for is sent again, as audio goes on
        {
            Assert.True(i < 2_000, "No RTP came through.");
            peer.Send(Rtp);
            await Task.Delay(5, TestContext.Current.CancellationToken);
        }

        Assert.All(strangers, stranger => Assert.False(stranger.HasMore));
        Assert.All(_sink.Datagrams, datagram => Assert.Equal(Rtp, datagram));
        Assert.True(_endpoint.Counters.Count(DropReason.NotValidated) > 0);
        Assert.True(_endpoint.Counters.Count(DropReason.UnknownFragment) > 0);
        Assert.Equal(0, _endpoint.Counters.Count(DropReason.Failed));
        Assert.Equal(1, _endpoint.Counters.SentCount);
        await peer.CheckAsync(_agent.Local);
        strangers.ForEach(stranger => stranger.Dispose());
    }

    [Fact]
    public async Task WhenThePeerFallsSilent_ItsCallIsToldOnce_AndAgainWhenItComesBack()
    {
        using var peer = Connect();
        await peer.CheckAsync(_agent.Local);
        await _sink.AssertStatesAsync(IceState.Connected);

        _clock.Advance(TimeSpan.FromSeconds(40));
        await _sink.AssertStatesAsync(IceState.Connected, IceState.Disconnected);
        Assert.False(_agent.TrySend(Rtp));

        using var elsewhere = Connect();
        await elsewhere.CheckAsync(_agent.Local);
        Assert.True(_agent.TrySend(Rtp));
        Assert.Equal(Rtp, await elsewhere.ReceiveAsync());
        Assert.False(peer.HasMore);
    }

    [Fact]
    public async Task ASinkThatThrows_HurtsItsOwnDatagramOnly()
    {
        using var peer = Connect();
        await peer.CheckAsync(_agent.Local);
        _sink.OnDelivery = () =>
        {
            _sink.OnDelivery = null;
            throw new InvalidOperationException("a bug");
        };

        peer.Send(Dtls);
        peer.Send(Rtp);
        await Poll.UntilAsync(() => _sink.Datagrams.Count == 1, "the second arrives");

        Assert.Equal(1, _endpoint.Counters.Count(DropReason.Failed));
        Assert.Equal([Rtp], _sink.Datagrams);
    }

    [Fact]
    public async Task ClosingTheEndpoint_ClosesItsAgents()
    {
        await _endpoint.DisposeAsync();
        await _endpoint.DisposeAsync();

        await _sink.AssertStatesAsync(IceState.Closed);
        Assert.False(_agent.TrySend(Rtp));
        Assert.Throws<ObjectDisposedException>(() => _endpoint.CreateAgent(_sink));
    }

    [Fact]
    public async Task PublicAddresses_AreAdvertisedBesideOrInsteadOfTheMachinesOwn()
    {
        var options = new MediaEndpointOptions { BindAddress = IPAddress.Loopback, PublicAddresses = [IPAddress.Parse("203.0.113.7")], Tcp = false };
        await using var beside = Start(options);
        options.AdvertiseHostAddresses = false;
        await using var instead = Start(options);

        Assert.Equal(["203.0.113.7", "127.0.0.1"], beside.Candidates.Select(candidate => candidate.Address.ToString()));
        Assert.Equal(["203.0.113.7"], instead.Candidates.Select(candidate => candidate.Address.ToString()));
        Assert.All(instead.Candidates, candidate => Assert.Equal(instead.Port, candidate.Port));
    }

    [Fact]
    public async Task ByDefault_AllAddressesShareOneNumber_UdpAndTcp()
    {
        await using var endpoint = Start(new MediaEndpointOptions());
        var sink = new TestSink();
        using var agent = endpoint.CreateAgent(sink);

        Assert.NotEmpty(endpoint.Candidates);
        Assert.All(endpoint.Candidates, candidate => Assert.Equal(endpoint.Port, candidate.Port));
        foreach (var candidate in endpoint.Candidates)
        {
            if (candidate.Transport == IceTransport.Udp)
            {
                using var peer = new UdpPeer(candidate.Address, candidate.Port);
                await peer.CheckAsync(agent.Local);
            }
            else
            {
                using var peer = new TcpPeer(candidate.Address, candidate.Port);
                await peer.CheckAsync(agent.Local);
            }
        }
    }

    [Fact]
    public async Task AChangeOfNetwork_IsFollowed()
    {
        IPAddress[] addresses = [IPAddress.Loopback];
        await using var endpoint = MediaEndpoint.Start(new MediaEndpointOptions(), _clock, NullLoggerFactory.Instance, null, () => addresses);
        using var agent = endpoint.CreateAgent(new TestSink());
        using var before = new UdpPeer(IPAddress.Loopback, endpoint.Port);
        await before.CheckAsync(agent.Local);

        addresses = [IPAddress.IPv6Loopback, IPAddress.Parse("203.0.113.99")];   // the latter is not ours: it cannot be listened on
        _clock.Advance(TimeSpan.FromSeconds(10));

        Assert.Equal(["::1", "::1"], endpoint.Candidates.Select(candidate => candidate.Address.ToString()));
        using var udp = new UdpPeer(IPAddress.IPv6Loopback, endpoint.Port);
        await udp.CheckAsync(agent.Local);
        using var tcp = new TcpPeer(IPAddress.IPv6Loopback, endpoint.Port);
        await tcp.CheckAsync(agent.Local);
        await before.CheckAsync(agent.Local);   // calls of before go on

        addresses = [];
        _clock.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal(2, endpoint.Candidates.Count);
    }

    [Fact]
    public async Task SocketsOfAnAddressThatIsGone_AreClosed_WhenNoCallIsOnThem()
    {
        IPAddress[] addresses = [IPAddress.Loopback];
        await using var endpoint = MediaEndpoint.Start(new MediaEndpointOptions(), _clock, NullLoggerFactory.Instance, null, () => addresses);
        var (former, current) = (new IPEndPoint(IPAddress.Loopback, endpoint.Port), new IPEndPoint(IPAddress.IPv6Loopback, endpoint.Port));
        using var agent = endpoint.CreateAgent(new TestSink());
        using var peer = new UdpPeer(IPAddress.Loopback, endpoint.Port);

        addresses = [IPAddress.IPv6Loopback];
        for (var i = 0; i < 9; i++)
        {
            await peer.CheckAsync(agent.Local);
            _clock.Advance(TimeSpan.FromSeconds(10));
        }
        Assert.Equal((false, false), (IsFree(former, SocketType.Dgram), IsFree(former, SocketType.Stream)));

        agent.Dispose();
        _clock.Advance(TimeSpan.FromSeconds(10));
        await Poll.UntilAsync(() => IsFree(former, SocketType.Dgram) && IsFree(former, SocketType.Stream), "both are closed");
        Assert.Null(endpoint.Problem);
        Assert.False(IsFree(current, SocketType.Dgram));

        addresses = [IPAddress.Loopback, IPAddress.IPv6Loopback];
        _clock.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal((false, false), (IsFree(former, SocketType.Dgram), IsFree(former, SocketType.Stream)));
        Assert.Equal(4, endpoint.Candidates.Count);

        static bool IsFree(IPEndPoint local, SocketType type)
        {
            using var socket = new Socket(local.AddressFamily, type, type == SocketType.Dgram ? ProtocolType.Udp : ProtocolType.Tcp);
            try
            {
                socket.Bind(local);
                return true;
            }
            catch (SocketException taken) when (taken.SocketErrorCode == SocketError.AddressAlreadyInUse)
            {
                return false;
            }
        }
    }

    [Fact]
    public void ATakenPort_AndAnUnknownInterface_AreSaidClearly()
    {
        var taken = Assert.Throws<IOException>(() => Start(new MediaEndpointOptions { BindAddress = IPAddress.Loopback, Port = _endpoint.Port }));
        Assert.Contains($"Port {_endpoint.Port} ", taken.Message);
        Assert.IsType<SocketException>(taken.InnerException);

        var nowhere = Assert.Throws<IOException>(() => Start(new MediaEndpointOptions { Interfaces = ["nowhere0"] }));
        Assert.Contains("Interfaces", nowhere.Message);
    }

    [Fact]
    public async Task TheMeter_HasAllCounts()
    {
        await using var services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        var seen = new Dictionary<string, long>();
        using var listener = new MeterListener { InstrumentPublished = (instrument, self) => { if (instrument.Meter.Name == "VoiceGrains.WebRtc") self.EnableMeasurementEvents(instrument); } };
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Note(instrument, value, tags));
        listener.SetMeasurementEventCallback<int>((instrument, value, tags, _) => Note(instrument, value, tags));
        listener.Start();
        await using var endpoint = MediaEndpoint.Start(new MediaEndpointOptions { BindAddress = IPAddress.Loopback }, _clock, NullLoggerFactory.Instance,
            services.GetRequiredService<IMeterFactory>());
        using var agent = endpoint.CreateAgent(new TestSink());
        using var peer = new UdpPeer(IPAddress.Loopback, endpoint.Port);
        using var tcp = new TcpPeer(IPAddress.Loopback, endpoint.Port);
        peer.Send(Rtp);
        peer.Send(new Check(agent.Local) { IsControlled = true }.ToBytes());
        await peer.ReceiveAsync();
        await peer.CheckAsync(agent.Local);
        await tcp.CheckAsync(agent.Local);

        await Poll.UntilAsync(() => endpoint.Counters.SentCount == 3, "all are counted");
        listener.RecordObservableInstruments();

        Assert.Equal(2, seen["voicegrains.webrtc.received kind=stun"]);
        Assert.Equal(0, seen["voicegrains.webrtc.received kind=rtp"]);
        Assert.Equal(1, seen["voicegrains.webrtc.dropped reason=not_validated"]);
        Assert.Equal(1, seen["voicegrains.webrtc.checks.refused code=487"]);
        Assert.Equal(3, seen["voicegrains.webrtc.sent"]);
        Assert.Equal(1, seen["voicegrains.webrtc.agents state=connected"]);
        Assert.Equal(0, seen["voicegrains.webrtc.agents state=new"]);
        Assert.Equal(1, seen["voicegrains.webrtc.tcp.connections"]);
        Assert.Equal(0, seen["voicegrains.webrtc.tcp.refused"]);

        void Note(Instrument instrument, long value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
            => seen[instrument.Name + string.Concat(tags.ToArray().Select(tag => $" {tag.Key}={tag.Value}"))] = value;
    }

    [Fact]
    public async Task AnEndpoint_TellsThatItIsClosed()
    {
        var endpoint = Start(new MediaEndpointOptions { BindAddress = IPAddress.Loopback });
        Assert.Null(endpoint.Problem);
        await endpoint.DisposeAsync();
        Assert.Equal("The port is closed.", endpoint.Problem);
    }

    [Fact]
    public async Task AReceiveLoopThatFails_IsNoticed_AndEndsNoProcess()
    {
        using var counters = new TransportCounters(null, () => [], () => 0);
        var log = new KeptLog();
        var context = new MediaSocketContext(new MediaEndpointOptions(), Router: null!, counters, _clock, log);
        await using var port = new UdpPort(new IPEndPoint(IPAddress.Loopback, 0), context);
        Assert.False(port.IsReceiving);
        port.Start();
        Assert.True(port.IsReceiving);
        using var peer = new UdpPeer(IPAddress.Loopback, port.Local.Port);
        for (var i = 0; i < 20; i++)
            peer.Send(Rtp);     // nobody is there to route it: a defect
        await Poll.UntilAsync(() => !port.IsReceiving, "all failed");
        Assert.Equal(20, counters.Count(DropReason.Failed));
        var told = Assert.Single(log.Entries);      // of a flood of them only one in 10 s
        Assert.Equal($"Receiving on UDP {port.Local} failed, and goes on; 0 failures before this one were not logged", told.Message);
        Assert.IsType<NullReferenceException>(told.Exception);

        _clock.Advance(TimeSpan.FromSeconds(10));
        peer.Send(Rtp);
        await Poll.UntilAsync(() => log.Entries.Count == 2, "the next is told");
        Assert.Contains("; 19 failures before", log.Entries[1].Message);
    }

    [Fact]
    public async Task AnAcceptLoopThatFails_IsNoticed_AndGoesOn()
    {
        var (log, fails, taken) = (new KeptLog(), true, 0);
        var context = new MediaSocketContext(new MediaEndpointOptions(), Router: null!, Counters: null!, _clock, log);
        await using var acceptor = new TcpAcceptor(new IPEndPoint(IPAddress.Loopback, 0), Take, context);
        Assert.False(acceptor.IsAccepting);
        acceptor.Start();
        Assert.True(acceptor.IsAccepting);
        var clients = Enumerable.Range(0, 20).Select(_ => new TcpPeer(IPAddress.Loopback, acceptor.Local.Port)).ToList();
        await UntilAsync(() => !acceptor.IsAccepting, "all failed");
        foreach (var client in clients)
        {
            await client.ReadToEndAsync();      // closed, not left open
            client.Dispose();
        }
        Assert.IsType<InvalidOperationException>(log.Entries[0].Exception);

        fails = false;
        using var late = new TcpPeer(IPAddress.Loopback, acceptor.Local.Port);
        await UntilAsync(() => acceptor.IsAccepting, "the next is taken");
        Assert.Equal(1, taken);

        void Take(Socket socket)
        {
            if (fails)
                throw new InvalidOperationException("a defect");
            taken++;
            socket.Dispose();
        }

        Task UntilAsync(Func<bool> condition, string what) => Poll.UntilAsync(() =>
        {
            _clock.Advance(TimeSpan.FromMilliseconds(100));
            return condition();
        }, what);
    }

    private UdpPeer Connect() => new(IPAddress.Loopback, _endpoint.Port);

    private MediaEndpoint Start(MediaEndpointOptions options) => MediaEndpoint.Start(options, _clock, NullLoggerFactory.Instance);
}
