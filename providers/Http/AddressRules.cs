using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace VoiceGrains.Providers.Http;

/// <summary>Tells public addresses from all others (IANA special-purpose address registries, RFC 6890).</summary>
internal static class AddressRules
{
    private static readonly (IPNetwork Network, string Kind)[] Special =
    [
        (IPNetwork.Parse("0.0.0.0/8"), "an unspecified address"),
        (IPNetwork.Parse("10.0.0.0/8"), "a private address"),
        (IPNetwork.Parse("100.64.0.0/10"), "a carrier-grade NAT address"),
        (IPNetwork.Parse("127.0.0.0/8"), "a loopback address"),
        (IPNetwork.Parse("169.254.0.0/16"), "a link-local address"),            // cloud metadata too
        (IPNetwork.Parse("172.16.0.0/12"), "a private address"),
        (IPNetwork.Parse("192.0.0.0/24"), "a reserved address"),
        (IPNetwork.Parse("192.0.2.0/24"), "a documentation address"),
        (IPNetwork.Parse("192.88.99.0/24"), "a reserved address"),              // 6to4 relays
        (IPNetwork.Parse("192.168.0.0/16"), "a private address"),
        (IPNetwork.Parse("198.18.0.0/15"), "a reserved address"),               // benchmarking
        (IPNetwork.Parse("198.51.100.0/24"), "a documentation address"),
        (IPNetwork.Parse("203.0.113.0/24"), "a documentation address"),
        (IPNetwork.Parse("224.0.0.0/4"), "a multicast address"),
        (IPNetwork.Parse("240.0.0.0/4"), "a reserved address"),                 // broadcast too
        (IPNetwork.Parse("168.63.129.16/32"), "a cloud metadata address"),      // Azure's, in public space
        (IPNetwork.Parse("100.100.100.200/32"), "a cloud metadata address"),
        (IPNetwork.Parse("::/128"), "an unspecified address"),
        (IPNetwork.Parse("::1/128"), "a loopback address"),
        (IPNetwork.Parse("fc00::/7"), "a private address"),                     // fd00:ec2::254 too
        (IPNetwork.Parse("fe80::/10"), "a link-local address"),
        (IPNetwork.Parse("fec0::/10"), "a site-local address"),
        (IPNetwork.Parse("ff00::/8"), "a multicast address"),
        (IPNetwork.Parse("100::/64"), "a discard-only address"),
        (IPNetwork.Parse("2001:db8::/32"), "a documentation address"),
        (IPNetwork.Parse("3fff::/20"), "a documentation address"),
        (IPNetwork.Parse("2001::/23"), "a reserved address"),                   // Teredo and other protocol assignments
        (IPNetwork.Parse("5f00::/16"), "a reserved address"),
        (IPNetwork.Parse("64:ff9b:1::/48"), "a private address"),               // local-use NAT64
    ];

    private static readonly IPNetwork Nat64 = IPNetwork.Parse("64:ff9b::/96");
    private static readonly IPNetwork SixToFour = IPNetwork.Parse("2002::/16");
    private static readonly IPNetwork V4Compatible = IPNetwork.Parse("::/96");
    private static readonly IPNetwork GlobalUnicast = IPNetwork.Parse("2000::/3");

    /// <summary>Why the address is not public ("a private address"), or null when it is. IPv4 addresses inside IPv6 ones are judged as IPv4.</summary>
    public static string? WhyNotPublic(IPAddress address)
    {
        var inner = Unwrap(address);
        foreach (var (network, kind) in Special)
        {
            if (network.Contains(inner)) return kind;
        }
        return inner.AddressFamily == AddressFamily.InterNetworkV6 && !GlobalUnicast.Contains(inner) ? "a reserved address" : null;
    }

    /// <summary>The IPv4 address inside a mapped (::ffff:0:0/96), compatible (::/96), NAT64 (RFC 6052) or 6to4 (RFC 3056) address, else the address itself.</summary>
    public static IPAddress Unwrap(IPAddress address)
    {
        if (address.AddressFamily != AddressFamily.InterNetworkV6) return address;
        if (address.IsIPv4MappedToIPv6) return address.MapToIPv4();
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out _);
        var bare = address.ScopeId == 0 ? address : new IPAddress(bytes);
        if (SixToFour.Contains(bare)) return new IPAddress(bytes.Slice(2, 4));
        if (Nat64.Contains(bare)) return new IPAddress(bytes[12..]);
        return V4Compatible.Contains(bare) && BinaryPrimitives.ReadUInt32BigEndian(bytes[12..]) > 1 ? new IPAddress(bytes[12..]) : bare;
    }
}
