using System.Net;
using FsCheck;
using FsCheck.Fluent;
using VoiceGrains.Providers.Http;

namespace VoiceGrains.Providers.Tests.Http;

public sealed class OutboundGuardTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("127.0.0.1", "a loopback address")]
    [InlineData("127.255.255.254", "a loopback address")]
    [InlineData("0.0.0.0", "an unspecified address")]
    [InlineData("10.1.2.3", "a private address")]
    [InlineData("172.16.0.1", "a private address")]
    [InlineData("172.31.255.255", "a private address")]
    [InlineData("192.168.1.1", "a private address")]
    [InlineData("169.254.169.254", "a link-local address")]
    [InlineData("100.64.0.1", "a carrier-grade NAT address")]
    [InlineData("168.63.129.16", "a cloud metadata address")]
    [InlineData("224.0.0.1", "a multicast address")]
    [InlineData("255.255.255.255", "a reserved address")]
    [InlineData("198.18.0.1", "a reserved address")]
    [InlineData("203.0.113.9", "a documentation address")]
    [InlineData("::1", "a loopback address")]
    [InlineData("::", "an unspecified address")]
    [InlineData("fe80::1%3", "a link-local address")]
    [InlineData("fd00:ec2::254", "a private address")]
    [InlineData("ff02::1", "a multicast address")]
    [InlineData("::ffff:127.0.0.1", "a loopback address")]        // mapped
    [InlineData("::ffff:a00:1", "a private address")]
    [InlineData("::7f00:1", "a loopback address")]                // compatible
    [InlineData("64:ff9b::10.0.0.1", "a private address")]        // NAT64
    [InlineData("64:ff9b:1::1", "a private address")]
    [InlineData("2002:7f00:1::", "a loopback address")]           // 6to4
    [InlineData("2001:0:7f00:1::", "a reserved address")]         // Teredo
    [InlineData("2001:db8::1", "a documentation address")]
    [InlineData("4000::1", "a reserved address")]
    [InlineData("8.8.8.8", null)]
    [InlineData("172.32.0.1", null)]
    [InlineData("100.128.0.1", null)]
    [InlineData("2606:4700::1111", null)]
    [InlineData("::ffff:8.8.8.8", null)]
    [InlineData("64:ff9b::8.8.8.8", null)]
    [InlineData("2002:808:808::", null)]
    public void AnAddress_IsPublicOrNot(string address, string? kind) => Assert.Equal(kind, AddressRules.WhyNotPublic(IPAddress.Parse(address)));

    [Fact]
    public void WrappingAnIpv4Address_NeverChangesItsKind()
        => Prop.ForAll(Arb.From(Gen.ArrayOf(Gen.Choose(0, 255).Select(b => (byte)b), 4)), v4 =>
        {
            var kind = AddressRules.WhyNotPublic(new IPAddress(v4));
            Assert.Equal(kind, AddressRules.WhyNotPublic(new IPAddress(v4).MapToIPv6()));
            Assert.Equal(kind, AddressRules.WhyNotPublic(new IPAddress([0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0, .. v4])));
            Assert.Equal(kind, AddressRules.WhyNotPublic(new IPAddress([0x20, 0x02, .. v4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])));
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void EveryAddressOfAPrivateNetwork_IsRefusedAndItsNeighboursAreNot()
    {
        var networks = new[] { "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "100.64.0.0/10", "169.254.0.0/16" }.Select(IPNetwork.Parse).ToArray();
        Prop.ForAll(Arb.From(Gen.Zip(Gen.Elements(networks), Gen.Choose(0, int.MaxValue))), sample =>
        {
            var (network, random) = sample;
            var first = System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(network.BaseAddress.GetAddressBytes());
            var size = 1u << (32 - network.PrefixLength);
            Assert.NotNull(AddressRules.WhyNotPublic(Address(first + (uint)(random % size))));
            Assert.Null(AddressRules.WhyNotPublic(Address(first + size)));
        }).QuickCheckThrowOnFailure();
        static IPAddress Address(uint value) => new([(byte)(value >> 24), (byte)(value >> 16), (byte)(value >> 8), (byte)value]);
    }

    [Theory]
    [InlineData("file:///etc/passwd", "URL scheme 'file' is not allowed: use http, https, ws or wss.")]
    [InlineData("gopher://example.com/", "URL scheme 'gopher' is not allowed: use http, https, ws or wss.")]
    [InlineData("https://user:secret@example.com/", "Credentials in a URL are not allowed: send them in a header.")]
    [InlineData("http://[::1]:8080/", "Host '[::1]' leads to a loopback address: only public addresses and those of the setting Outbound:AllowedNetworks are allowed.")]
    [InlineData("http://2130706433/", "Host '127.0.0.1' leads to a loopback address: only public addresses and those of the setting Outbound:AllowedNetworks are allowed.")]
    [InlineData("http://0x7f.1/", "Host '127.0.0.1' leads to a loopback address: only public addresses and those of the setting Outbound:AllowedNetworks are allowed.")]
    public void AUrl_IsRefusedWithItsRule(string url, string message)
        => Assert.Equal(message, Assert.Throws<OutboundBlockedException>(() => Guard([]).Check(new Uri(url))).Message);

    [Theory]
    [InlineData("https://example.com/x?y=1")]
    [InlineData("wss://example.com/")]
    [InlineData("http://8.8.8.8:81/")]
    public void AUrlToThePublic_Passes(string url) => Guard([]).Check(new Uri(url));

    [Fact]
    public async Task AHostWithOneInsideAddress_IsRefusedWhole()
    {
        var guard = Guard(["8.8.8.8", "10.0.0.1"]);
        var refused = await Assert.ThrowsAsync<OutboundBlockedException>(() => guard.ConnectAsync("rebind.example", 80, Cancel));
        Assert.Equal("Host 'rebind.example' leads to a private address: only public addresses and those of the setting Outbound:AllowedNetworks are allowed.", refused.Message);
    }

    [Fact]
    public async Task TheName_IsResolvedOnceAndTheCheckedAddressIsUsed()
    {
        await using var server = await FakeServer.StartAsync(context => context.Response.BodyWriter.FlushAsync().AsTask());
        var resolved = 0;
        var guard = new OutboundGuard(new() { AllowedNetworks = ["127.0.0.0/8"] }, (_, _) =>
        {
            resolved++;
            return Task.FromResult(new[] { IPAddress.Loopback });
        });
        await using var stream = await guard.ConnectAsync("anything.example", new Uri(server.Url).Port, Cancel);
        Assert.Equal(1, resolved);
    }

    [Fact]
    public async Task AnAllowedNetwork_OpensExactlyItself()
    {
        var guard = new OutboundGuard(new() { AllowedNetworks = ["10.20.0.0/16", "fd00:1::/64"] }, (_, _) => throw new InvalidOperationException());
        Assert.Single(await guard.ResolveAsync("10.20.3.4", Cancel));
        Assert.Single(await guard.ResolveAsync("::ffff:10.20.3.4", Cancel));
        Assert.Single(await guard.ResolveAsync("[fd00:1::5]", Cancel));
        await Assert.ThrowsAsync<OutboundBlockedException>(() => guard.ResolveAsync("10.21.0.1", Cancel));
    }

    [Fact]
    public async Task ARedirectInside_IsRefusedByTheConnectCallback()
    {
        await using var inside = await FakeServer.StartAsync(context => context.Response.BodyWriter.FlushAsync().AsTask());
        await using var outside = await FakeServer.StartAsync(context =>
        {
            context.Response.Redirect($"http://localhost:{new Uri(inside.Url).Port}/secret");
            return Task.CompletedTask;
        });
        var guard = new OutboundGuard(new() { AllowedNetworks = ["127.0.0.1/32"] }, (_, _) => Task.FromResult(new[] { IPAddress.Parse("192.168.9.9") }));
        using var client = new HttpClient(new SocketsHttpHandler { ConnectCallback = guard.ConnectAsync, AllowAutoRedirect = true });
        var refused = await Assert.ThrowsAnyAsync<HttpRequestException>(() => client.GetAsync(outside.Url, Cancel));
        Assert.Contains("leads to a private address", refused.ToString(), StringComparison.Ordinal);
        Assert.Empty(inside.Requests);
    }

    private static OutboundGuard Guard(string[] addresses) => new(new(), (_, _) => Task.FromResult(addresses.Select(IPAddress.Parse).ToArray()));
}
