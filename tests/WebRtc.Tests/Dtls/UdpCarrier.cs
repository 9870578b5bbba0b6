using System.Net;
using System.Net.Sockets;

namespace VoiceGrains.WebRtc.Tests.Dtls;

/// <summary>Carries the datagrams of one end over a real UDP socket, and lets a test wait for what came of it.</summary>
internal sealed class UdpCarrier : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
    private readonly CancellationTokenSource _stop = new();
    private readonly SemaphoreSlim _news = new(0);
    private readonly DtlsPeer _peer;
    private readonly Task _receiving;
    private EndPoint? _remote;

    /// <param name="remotePort">Where the other end listens, or null to answer whoever speaks first.</param>
    public UdpCarrier(DtlsPeer peer, int? remotePort = null)
    {
        _peer = peer;
        _socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _remote = remotePort is { } port ? new IPEndPoint(IPAddress.Loopback, port) : null;
        peer.Carry = Send;
        _receiving = ReceiveAsync();
    }

    public int Port => ((IPEndPoint)_socket.LocalEndPoint!).Port;

    public void Send(byte[] datagram)
    {
        try
        {
            _socket.SendTo(datagram, _remote!);
        }
        catch (SocketException)
        {
            // The other end is gone; datagrams to nobody are lost.
        }
    }

    /// <summary>Waits until a condition holds; it is looked at after each datagram.</summary>
    public async Task UntilAsync(Func<bool> condition)
    {
        using var deadline = new CancellationTokenSource(Patience);
        try
        {
            while (!condition())
                await _news.WaitAsync(deadline.Token);
        }
        catch (OperationCanceledException)
        {
            Assert.Fail($"It never came to that. Closed: '{string.Join("', '", _peer.Closed)}'; {_peer.Transport.Statistics}.");
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _receiving;
        _peer.Transport.Dispose();
        _socket.Dispose();
        _stop.Dispose();
    }

    private async Task ReceiveAsync()
    {
        var buffer = new byte[65_536];
        try
        {
            while (true)
            {
                try
                {
                    var received = await _socket.ReceiveFromAsync(buffer, SocketFlags.None, new IPEndPoint(IPAddress.Any, 0), _stop.Token);
                    _remote ??= received.RemoteEndPoint;
                    _peer.Transport.OnDatagram(buffer.AsSpan(0, received.ReceivedBytes));
                    _news.Release();
                }
                catch (SocketException)
                {
                    // ICMP said that the other end is gone.
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The end of the test.
        }
    }
}
