using System.Net;
using VoiceGrains.WebRtc.Ice;

namespace VoiceGrains.WebRtc.Tests.Ice;

public sealed class IceCandidatesTests
{
    [Fact]
    public void Candidates_AreUdpThenTcp_IPv6AndIPv4ByTurns()
    {
        var candidates = IceCandidates.Create([.. new[] { "203.0.113.10", "192.0.2.2", "2001:db8::2" }.Select(IPAddress.Parse)], 40_000, withTcp: true);

        Assert.Equal(
            [
                "candidate:1 1 udp 2130706431 2001:db8::2 40000 typ host",
                "candidate:2 1 udp 2130706175 203.0.113.10 40000 typ host",
                "candidate:3 1 udp 2130705919 192.0.2.2 40000 typ host",
                "candidate:4 1 tcp 1520435199 2001:db8::2 40000 typ host tcptype passive",
                "candidate:5 1 tcp 1520434943 203.0.113.10 40000 typ host tcptype passive",
                "candidate:6 1 tcp 1520434687 192.0.2.2 40000 typ host tcptype passive",
            ],
            candidates.Select(candidate => candidate.ToString()));
    }

    [Fact]
    public void WithoutTcp_ThereAreUdpOnesAlone()
    {
        var candidate = Assert.Single(IceCandidates.Create([IPAddress.Loopback], 9, withTcp: false));
        Assert.Equal(new IceCandidate("1", IceTransport.Udp, 2_130_706_431, IPAddress.Loopback, 9), candidate);
    }
}
