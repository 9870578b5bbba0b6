using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;

namespace VoiceGrains.WebRtc.Transport;

/// <summary>Which of the machine's addresses an endpoint uses.</summary>
internal static class LocalAddresses
{
    private const int Max = 16;   // each costs a client one check; more are of no use

    public static IReadOnlyList<IPAddress> Find(MediaEndpointOptions options)
    {
        var bind = options.BindAddress;
        if (bind is not null && !bind.Equals(IPAddress.Any) && !bind.Equals(IPAddress.IPv6Any))
            return [bind];

        var interfaces = NetworkInterface.GetAllNetworkInterfaces().Where(item => item.OperationalStatus is OperationalStatus.Up or OperationalStatus.Unknown);
        var isChosen = options.Interfaces.Count > 0;
        if (isChosen)
            interfaces = interfaces.Where(item => options.Interfaces.Contains(item.Name));
        var addresses = interfaces.SelectMany(item => item.GetIPProperties().UnicastAddresses).Select(item => item.Address)
            .Where(address => IsUsable(address) && (bind is null || address.AddressFamily == bind.AddressFamily)).Distinct().ToList();
        var reachable = addresses.Where(address => !IPAddress.IsLoopback(address)).ToList();
        return [.. (reachable.Count > 0 && !isChosen ? reachable : addresses).Take(Max)];
    }

    private static bool IsUsable(IPAddress address) => address.AddressFamily switch
    {
        AddressFamily.InterNetwork => true,
        AddressFamily.InterNetworkV6 => !address.IsIPv6LinkLocal && !address.IsIPv6Multicast && !address.IsIPv4MappedToIPv6,
        _ => false,
    };
}
