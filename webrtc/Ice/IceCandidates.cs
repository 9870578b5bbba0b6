using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace VoiceGrains.WebRtc.Ice;

/// <summary>Makes the candidates of an endpoint's addresses.</summary>
internal static class IceCandidates
{
    private const uint UdpPreference = 126;        // type preference of host candidates (RFC 8445 §5.1.2.2)
    private const uint TcpPreference = 90;         // below every UDP candidate (RFC 6544 §4.2)
    private const uint PassiveDirection = 4;       // direction preference of passive host candidates (RFC 6544 §4.2)
    private const uint Component = 1;

    /// <summary>UDP candidates of all addresses, then TCP ones.</summary>
    /// <param name="addresses">Most preferred first.</param>
    public static IReadOnlyList<IceCandidate> Create(IReadOnlyList<IPAddress> addresses, int port, bool withTcp)
    {
        var ordered = Interleave(addresses);
        var candidates = new List<IceCandidate>();
        for (var i = 0; i < ordered.Count; i++)
            candidates.Add(Candidate(IceTransport.Udp, UdpPreference, 65_535 - (uint)i, ordered[i], port, candidates.Count));
        for (var i = 0; withTcp && i < ordered.Count; i++)
            candidates.Add(Candidate(IceTransport.TcpPassive, TcpPreference, (PassiveDirection << 13) + 8_191 - (uint)i, ordered[i], port, candidates.Count));
        return candidates;
    }

    private static IceCandidate Candidate(IceTransport transport, uint type, uint local, IPAddress address, int port, int index)
        => new((index + 1).ToString(CultureInfo.InvariantCulture), transport, (type << 24) + (local << 8) + 256 - Component, address, port);

    /// <summary>IPv6 and IPv4 by turns, IPv6 first, so that neither family waits for all of the other (RFC 8421 §4).</summary>
    private static List<IPAddress> Interleave(IReadOnlyList<IPAddress> addresses)
    {
        var ipv6 = new Queue<IPAddress>(addresses.Where(address => address.AddressFamily == AddressFamily.InterNetworkV6));
        var ipv4 = new Queue<IPAddress>(addresses.Where(address => address.AddressFamily == AddressFamily.InterNetwork));
        var ordered = new List<IPAddress>();
        while (ipv6.Count + ipv4.Count > 0)
        {
            if (ipv6.TryDequeue(out var six))
                ordered.Add(six);
            if (ipv4.TryDequeue(out var four))
                ordered.Add(four);
        }
        return ordered;
    }
}
