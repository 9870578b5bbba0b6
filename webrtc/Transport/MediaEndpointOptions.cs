using System.ComponentModel.DataAnnotations;
using System.Net;

namespace VoiceGrains.WebRtc.Transport;

/// <summary>The port of all WebRTC calls of a silo.</summary>
public sealed class MediaEndpointOptions
{
    /// <summary>
    /// Address to listen on. Default null: every address of the interfaces in <see cref="Interfaces"/>, IPv4 and IPv6. <see cref="IPAddress.Any"/> is all of
    /// IPv4 alone, <see cref="IPAddress.IPv6Any"/> all of IPv6 alone.
    /// </summary>
    public IPAddress? BindAddress { get; set; }

    /// <summary>UDP port, and TCP port of the same number. Default 0: the system's choice.</summary>
    [Range(0, 65_535)] public int Port { get; set; }

    /// <summary>Addresses that a 1:1 NAT in front maps to this machine, port by port. Default none. They are advertised before the machine's own.</summary>
    public IList<IPAddress> PublicAddresses { get; set; } = [];

    /// <summary>Whether the machine's own addresses are advertised beside <see cref="PublicAddresses"/>. Default true; without public addresses always so.</summary>
    public bool AdvertiseHostAddresses { get; set; } = true;

    /// <summary>Names of the interfaces to use, such as "eth0". Default empty: all that are up; loopback only where there is no other.</summary>
    public IList<string> Interfaces { get; set; } = [];

    /// <summary>Whether clients without UDP may connect by TCP (RFC 6544, passive). Default true.</summary>
    public bool Tcp { get; set; } = true;

    /// <summary>SO_RCVBUF asked for each UDP socket, in bytes. Default 4 MiB; Linux grants at most net.core.rmem_max.</summary>
    [Range(4_096, 1 << 30)] public int ReceiveBufferBytes { get; set; } = 4 << 20;

    /// <summary>SO_SNDBUF asked for each UDP socket, in bytes. Default 2 MiB; Linux grants at most net.core.wmem_max.</summary>
    [Range(4_096, 1 << 30)] public int SendBufferBytes { get; set; } = 2 << 20;

    /// <summary>Validated remote addresses of one call. Default 16; the one not checked for longest makes room.</summary>
    [Range(2, 256)] public int MaxPairsPerAgent { get; set; } = 16;

    /// <summary>Time without an authenticated check after which nothing more is sent. Default 30 s (RFC 7675 §5.1).</summary>
    public TimeSpan ConsentLifetime { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>TCP connections at the same time. Default 1024; further ones are closed at once.</summary>
    [Range(1, 65_536)] public int MaxTcpConnections { get; set; } = 1_024;

    /// <summary>TCP connections from one address (one /64 of IPv6) that have not authenticated yet. Default 16; further ones are closed at once.</summary>
    [Range(1, 65_536)] public int MaxPendingTcpConnectionsPerAddress { get; set; } = 16;

    /// <summary>Time for the first frame of a TCP connection, an authenticated check. Default 5 s.</summary>
    public TimeSpan TcpFirstFrameTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Time without a frame after which a TCP connection is closed. Default 60 s.</summary>
    public TimeSpan TcpIdleTimeout { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>Bytes that wait for a slow TCP reader, of each connection. Default 32 KiB, a few seconds of audio; what does not fit is lost as UDP would lose it.</summary>
    [Range(4_096, 1 << 20)] public int TcpSendQueueBytes { get; set; } = 32 << 10;

    /// <summary>Time that the send queue may stand still before the connection is closed. Default 10 s.</summary>
    public TimeSpan TcpStallTimeout { get; set; } = TimeSpan.FromSeconds(10);
}
