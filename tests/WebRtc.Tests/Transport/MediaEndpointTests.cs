using System.Net;
using Microsoft.Extensions.Logging.Abstractions;
using VoiceGrains.Tests.Shared;
using VoiceGrains.WebRtc.Ice;
using VoiceGrains.WebRtc.Transport;

namespace VoiceGrains.WebRtc.Tests.Transport;

/// <summary>Clients on real sockets against one endpoint on loopback. The clock stands still unless a test moves it.</summary>
public sealed class MediaEndpointTests : IAsyncLifetime
{
    private static readonly byte[] Rtp = [0x80, 111, 0, 1, 0, 0, 0, 1, 0, 0, 0, 9, 1, 2, 3];
    private static readonly byte[] Dtls = [22, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

    private readonly ManualClock _clock = new();
    private readonly TestSink _sink = new();
    private MediaEndpoint _endpoint = null!;
    private IceLiteAgent _agent = null!;

    public ValueTask InitializeAsync()
    {
        Start(IPAddress.Loopback);
        return ValueTask.CompletedTask;
    }

    public ValueTask DisposeAsync() => _endpoint.DisposeAsync();

    [Fact]
    public async Task ACheck_IsAnswered_AndOpensTheWayBothWays()
    {
        using var peer = Connect();

        await peer.CheckAsync(_agent.Local);
        peer.Send(Rtp);
        await Poll.UntilAsync(() => _sink.Datagrams.Count == 1, "RTP arrives");

        Assert.Equal([Rtp], _sink.Datagrams);
        Assert.Equal([IceState.Connected], _sink.States);
        Assert.Equal(peer.Local, _agent.SelectedRemote);
        Assert.True(_agent.TrySend(Dtls));
        Assert.Equal(Dtls, await peer.ReceiveAsync());
    }

    private UdpPeer Connect() => new(_endpoint.Candidates[0].Address, _endpoint.Port);

    private void Start(IPAddress address)
    {
        _endpoint = MediaEndpoint.Start(new MediaEndpointOptions { BindAddress = address }, _clock, NullLoggerFactory.Instance);
        _agent = _endpoint.CreateAgent(_sink);
    }
}
