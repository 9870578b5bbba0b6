using System.Globalization;
using System.Net;

namespace VoiceGrains.WebRtc.Ice;

public enum IceTransport : byte
{
    Udp = 0,

    /// <summary>TCP to a listening address (RFC 6544 "passive").</summary>
    TcpPassive = 1,
}

/// <summary>A local host candidate of component 1 (RFC 8445 §5.1.1; RFC 6544 §4.5). RTCP shares the component.</summary>
/// <param name="Foundation">Equal for equal transport and base address.</param>
/// <param name="Priority">RFC 8445 §5.1.2.1.</param>
public sealed record IceCandidate(string Foundation, IceTransport Transport, uint Priority, IPAddress Address, int Port)
{
    /// <summary>The value of <c>a=candidate</c> and of a trickled candidate (RFC 8839 §5.1): <c>candidate:1 1 udp 2130706431 203.0.113.10 40000 typ host</c>.</summary>
    public override string ToString()
    {
        var (name, suffix) = Transport == IceTransport.Udp ? ("udp", "") : ("tcp", " tcptype passive");
        return string.Create(CultureInfo.InvariantCulture, $"candidate:{Foundation} 1 {name} {Priority} {Address} {Port} typ host{suffix}");
    }
}
