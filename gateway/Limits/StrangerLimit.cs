using System.Net;
using System.Net.Sockets;
using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;
using VoiceGrains.Gateway.Errors;
using VoiceGrains.GrainInterfaces;

namespace VoiceGrains.Gateway.Limits;

/// <summary>
/// How often one address may come with no key or a wrong one. While it has used that up, keys that this gateway has not seen to be right are not even looked
/// up: guessing gains nothing by being fast. Of IPv6 a whole /64 counts as one address, since that is what one customer has.
/// </summary>
internal sealed class StrangerLimit(IOptions<GatewayOptions> gateway, LimitRefusals refusals, TimeProvider clock) : IDisposable
{
    private readonly PartitionedRateLimiter<IPAddress?> _addresses = PartitionedRateLimiter.Create<IPAddress?, UInt128>(
        address => gateway.Value.AnonymousRequestsPerSecond is > 0 and var permits
            ? RateLimitPartition.Get(Network(address), _ => new TokenBucket(permits, LimitName.AddressRequests, clock))
            : RateLimitPartition.GetNoLimiter(default(UInt128)));

    /// <summary>Counts a request without an account.</summary>
    public RateLimitLease Take(IPAddress? address) => _addresses.AttemptAcquire(address);

    /// <summary>Asks without counting.</summary>
    /// <exception cref="PlatformException"><see cref="HttpErrors.RateLimited"/>: the address has made too many mistakes.</exception>
    public void RequireRoom(IPAddress? address)
    {
        using var lease = _addresses.AttemptAcquire(address, 0);
        if (lease.IsAcquired) return;
        refusals.Count(LimitName.AddressRequests, $"{address}");
        throw new PlatformException(HttpErrors.RateLimited, RequestLimits.Refusal) { RetryAfter = RequestLimits.WaitOf(lease) };
    }

    public void Dispose() => _addresses.Dispose();

    private static UInt128 Network(IPAddress? address)
    {
        if (address is null) return 0;      // a Unix socket: all of them together
        if (address.IsIPv4MappedToIPv6) address = address.MapToIPv4();
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out _);
        if (address.AddressFamily == AddressFamily.InterNetworkV6) bytes[8..].Clear();
        else bytes[15] = 4;     // no /64 ends so
        return System.Buffers.Binary.BinaryPrimitives.ReadUInt128BigEndian(bytes);
    }
}
