using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.RateLimiting;
using Microsoft.Extensions.Options;
using VoiceGrains.Gateway.Accounts;
using VoiceGrains.Gateway.Errors;

namespace VoiceGrains.Gateway.Limits;

/// <summary>How many requests an account, a key, or a stranger may make. Each gateway counts for itself.</summary>
internal sealed class RequestLimits(IOptions<GatewayOptions> gateway) : IConfigureOptions<RateLimiterOptions>
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private readonly GatewayOptions limits = gateway.Value;

    public void Configure(RateLimiterOptions options)
    {
        options.GlobalLimiter = PartitionedRateLimiter.CreateChained(
            PartitionedRateLimiter.Create<HttpContext, string>(PerAccount), PartitionedRateLimiter.Create<HttpContext, string>(PerKey));
        options.OnRejected = static async (rejected, _) => await ErrorBody.WriteAsync(
            rejected.HttpContext, HttpErrors.RateLimited, "Request was throttled.",
            rejected.Lease.TryGetMetadata(MetadataName.RetryAfter, out var wait) ? wait : Second);
    }

    private RateLimitPartition<string> PerAccount(HttpContext context) => Caller(context) is { } caller
        ? PerSecond("account:" + caller.AccountId, limits.RequestsPerSecondPerAccount)
        : IsApi(context) ? PerSecond("address:" + context.Connection.RemoteIpAddress, limits.AnonymousRequestsPerSecond) : Unlimited;

    private RateLimitPartition<string> PerKey(HttpContext context)
        => Caller(context) is { } caller ? PerSecond("key:" + caller.KeyPrefix, limits.RequestsPerSecondPerKey) : Unlimited;

    private static Caller? Caller(HttpContext context) => context.Features.Get<Caller>();

    private static bool IsApi(HttpContext context) => ApiRequests.IsRest(context.Request) || ApiRequests.IsGrpc(context.Request);

    private static RateLimitPartition<string> Unlimited { get; } = RateLimitPartition.GetNoLimiter("");

    private static RateLimitPartition<string> PerSecond(string who, int permits) => permits == 0 ? RateLimitPartition.GetNoLimiter("") :
        RateLimitPartition.GetFixedWindowLimiter(who, _ => new() { PermitLimit = permits, Window = Second, QueueLimit = 0 });
}
