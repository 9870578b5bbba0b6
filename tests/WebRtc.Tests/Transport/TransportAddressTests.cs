using System.Net;
using VoiceGrains.WebRtc.Transport;

namespace VoiceGrains.WebRtc.Tests.Transport;

public sealed class TransportAddressTests
{
    [Theory]
    [InlineData("192.0.2.1:1")]
    [InlineData("255.255.255.255:65535")]
    [InlineData("[2001:db8::1]:40000")]
    [InlineData("[fe80::1%3]:5")]
    public void AnAddress_ComesBackAsItWas(string text)
    {
        var endPoint = IPEndPoint.Parse(text);
        var address = TransportAddress.From(endPoint);

        Assert.Equal(endPoint, address.ToEndPoint());
        Assert.True(TransportAddress.TryRead(address.ToSocketAddress().Buffer.Span, out var again));
        Assert.Equal(address, again);
        Assert.Equal(address.GetHashCode(), again.GetHashCode());
    }

    [Fact]
    public void Addresses_DifferByEachPart()
    {
        string[] all = ["192.0.2.1:1", "192.0.2.1:2", "192.0.2.2:1", "[::c000:201]:1", "[2001:db8::1]:1", "[2001:db8:0:1::1]:1", "[fe80::1%3]:1", "[fe80::1%4]:1"];
        Assert.Equal(all.Length, all.Select(text => TransportAddress.From(IPEndPoint.Parse(text))).Distinct().Count());
    }

    [Theory]
    [InlineData("")]
    [InlineData("0200000100000000000000000000")]                 // IPv4, 14 bytes
    [InlineData("0a00000100000000000000000000000000000000")]     // IPv6, 20 bytes
    [InlineData("0100000100000000000000000000000000000000000000000000000000000000")]   // a Unix socket
    public void AnythingElse_IsNoAddress(string hex) => Assert.False(TransportAddress.TryRead(Convert.FromHexString(hex), out _));
}
