using System.Buffers.Binary;
using System.Net.Sockets;
using System.Text;
using VoiceGrains.Server.Tests.Hosting;

namespace VoiceGrains.Server.Tests.WebSockets;

/// <summary>A WebSocket client that sends whatever bytes it is given (RFC 6455), so that it can do what no library lets one do.</summary>
internal sealed class RawSocket : IDisposable
{
    public const byte Text = 0x1, Close = 0x8, Ping = 0x9, Pong = 0xA;
    private const byte Final = 0x80;
    private readonly TcpClient tcp = new();
    private readonly NetworkStream stream;

    private RawSocket(Uri joinUrl)
    {
        tcp.Connect(joinUrl.Host, joinUrl.Port);
        stream = tcp.GetStream();
    }

    public static async Task<RawSocket> JoinAsync(Uri joinUrl)
    {
        var socket = new RawSocket(joinUrl);
        await socket.stream.WriteAsync(Encoding.ASCII.GetBytes(
            $"GET {joinUrl.AbsolutePath} HTTP/1.1\r\nHost: {joinUrl.Authority}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"), SiloFixture.Cancel);
        var head = new StringBuilder();
        var one = new byte[1];
        while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            await socket.stream.ReadExactlyAsync(one, SiloFixture.Cancel);
            head.Append((char)one[0]);
        }
        Assert.StartsWith("HTTP/1.1 101", head.ToString(), StringComparison.Ordinal);
        return socket;
    }

    /// <summary>A frame of up to 125 bytes, masked with zeros.</summary>
    /// <param name="first">The first byte: opcode and flags.</param>
    public static byte[] Frame(byte first, ReadOnlySpan<byte> payload) => [first, (byte)(0x80 | payload.Length), 0, 0, 0, 0, .. payload];

    public static byte[] FinalFrame(byte opcode, ReadOnlySpan<byte> payload) => Frame((byte)(Final | opcode), payload);

    public ValueTask SendAsync(ReadOnlyMemory<byte> bytes) => stream.WriteAsync(bytes, SiloFixture.Cancel);

    /// <summary>Reads frames until one of this kind; a connection that ends before fails the test.</summary>
    public async Task<byte[]> ReadAsync(byte opcode)
    {
        using var patience = new CancellationTokenSource(LiveCall.Patience);
        var head = new byte[2];
        while (true)
        {
            await stream.ReadExactlyAsync(head, patience.Token);
            var length = head[1] & 0x7F;
            if (length == 126)
            {
                var longer = new byte[2];
                await stream.ReadExactlyAsync(longer, patience.Token);
                length = BinaryPrimitives.ReadUInt16BigEndian(longer);
            }
            var payload = new byte[length];
            await stream.ReadExactlyAsync(payload, patience.Token);
            if ((head[0] & 0xF) == opcode) return payload;
        }
    }

    /// <summary>The connection is reset, as when a process dies.</summary>
    public void Reset()
    {
        tcp.Client.LingerState = new LingerOption(true, 0);
        tcp.Dispose();
    }

    public void Dispose()
    {
        stream.Dispose();
        tcp.Dispose();
    }
}
