using VoiceGrains.WebRtc.Ice;

namespace VoiceGrains.WebRtc.Transport;

/// <summary>One remote address behind a UDP socket.</summary>
internal sealed class UdpPath(UdpPort port, TransportAddress remote) : IcePath
{
    private readonly byte[] _socketAddress = remote.ToSocketAddress().Buffer.ToArray();

    public override TransportAddress Remote => remote;

    public override bool TrySend(ReadOnlySpan<byte> datagram) => port.TrySend(datagram, _socketAddress);

    public override void Bind(IcePair pair) => port.Bind(remote, pair);

    public override void Unbind(IcePair pair) => port.Unbind(remote, pair);
}
