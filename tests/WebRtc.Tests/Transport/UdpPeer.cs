using System.Net;
using System.Net.Sockets;
using System.Text;
using VoiceGrains.WebRtc.Ice;
using VoiceGrains.WebRtc.Stun;

namespace VoiceGrains.WebRtc.Tests.Transport;

/// <summary>A client on one UDP socket.</summary>
internal sealed class UdpPeer : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly Socket _socket;
    private readonly byte[] _buffer = new byte[65_536];

    public UdpPeer(IPAddress address, int port)
    {
        _socket = new Socket(address.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        _socket.Connect(address, port);
        Local = (IPEndPoint)_socket.LocalEndPoint!;
    }

    public IPEndPoint Local { get; }

    public void Send(ReadOnlySpan<byte> datagram) => _socket.Send(datagram);

    public async Task<byte[]> ReceiveAsync()
    {
        using var deadline = new CancellationTokenSource(Patience);
        return _buffer[..await _socket.ReceiveAsync(_buffer, SocketFlags.None, deadline.Token)];
    }

    /// <summary>True when something waits to be read.</summary>
    public bool HasMore => _socket.Available > 0;

    /// <summary>Sends a check and expects success.</summary>
    public async Task CheckAsync(IceCredentials to, bool useCandidate = true)
    {
        var check = new Check(to) { UseCandidate = useCandidate };
        Send(check.ToBytes());
        AssertSuccess(check, await ReceiveAsync(), Local);
    }

    public static void AssertSuccess(Check check, byte[] answer, IPEndPoint mapped)
    {
        Assert.True(StunMessage.TryParse(answer, out var message, out var error), error.ToString());
        Assert.Equal(StunClass.SuccessResponse, message.Class);
        Assert.Equal(StunFormat.Binding, message.Method);
        Assert.Equal(check.TransactionId, message.TransactionId.ToArray());
        Assert.True(message.HasValidIntegrity(Encoding.ASCII.GetBytes(check.To.Password)));
        Assert.True(message.HasValidFingerprint());
        Assert.True(message.TryGetMappedAddress(out var address));
        Assert.Equal(mapped, address.ToEndPoint());
        Assert.True(answer.Length <= check.ToBytes().Length);
    }

    public void Dispose() => _socket.Dispose();
}
