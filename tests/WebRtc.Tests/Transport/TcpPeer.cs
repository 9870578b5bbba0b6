using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using VoiceGrains.WebRtc.Ice;

namespace VoiceGrains.WebRtc.Tests.Transport;

/// <summary>A client on one TCP connection.</summary>
internal sealed class TcpPeer : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly Socket _socket;

    public TcpPeer(IPAddress address, int port)
    {
        _socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = 8_192 };
        _socket.Connect(address, port);
        _socket.NoDelay = true;
        Local = (IPEndPoint)_socket.LocalEndPoint!;
    }

    public IPEndPoint Local { get; }

    public static byte[] Frame(ReadOnlySpan<byte> datagram) => [(byte)(datagram.Length >> 8), (byte)datagram.Length, .. datagram];

    public void SendRaw(ReadOnlySpan<byte> bytes) => _socket.Send(bytes);

    public void Send(ReadOnlySpan<byte> datagram) => SendRaw(Frame(datagram));

    public async Task<byte[]> ReceiveAsync()
    {
        var head = await ReadAsync(2);
        return await ReadAsync(BinaryPrimitives.ReadUInt16BigEndian(head));
    }

    public async Task CheckAsync(IceCredentials to)
    {
        var check = new Check(to);
        Send(check.ToBytes());
        UdpPeer.AssertSuccess(check, await ReceiveAsync(), Local);
    }

    /// <summary>Waits until the other side has closed; what it sent before is read away.</summary>
    public async Task ReadToEndAsync()
    {
        using var deadline = new CancellationTokenSource(Patience);
        try
        {
            var buffer = new byte[65_536];
            while (await _socket.ReceiveAsync(buffer, SocketFlags.None, deadline.Token) > 0)
            {
            }
        }
        catch (SocketException)
        {
            // reset: closed as well
        }
    }

    public void Dispose() => _socket.Dispose();

    private async Task<byte[]> ReadAsync(int length)
    {
        using var deadline = new CancellationTokenSource(Patience);
        var bytes = new byte[length];
        for (var read = 0; read < length;)
        {
            var count = await _socket.ReceiveAsync(bytes.AsMemory(read), SocketFlags.None, deadline.Token);
            Assert.True(count > 0, "The connection was closed.");
            read += count;
        }
        return bytes;
    }
}
