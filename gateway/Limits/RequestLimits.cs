using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.RateLimiting;
using Microsoft.Extensions.Options;
using VoiceGrains.Gateway.Accounts;
using VoiceGrains.Gateway.Errors;
using VoiceGrains.Grains.Accounts;

namespace VoiceGrains.Gateway.Limits;

/// <summary>
/// How many requests a key, an account, or a stranger may make. Each gateway counts for itself, so n gateways together allow up to n times as many. Buckets
/// that are full are forgotten, so memory holds only who came within the last seconds.
/// </summary>
internal sealed class RequestLimits(IOptions<GatewayOptions> gateway, Plans plans, StrangerLimit strangers, LimitRefusals refusals, TimeProvider clock)
    : IConfigureOptions<RateLimiterOptions>
{
    public const string Refusal = "Request was throttled.";

    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    /// <summary>The key comes first: what it is refused does not use up what the account's other keys may do.</summary>
    public void Configure(RateLimiterOptions options)
    {
        options.GlobalLimiter = PartitionedRateLimiter.CreateChained(
            new Strangers(strangers), PartitionedRateLimiter.Create<HttpContext, Bucket>(PerKey), PartitionedRateLimiter.Create<HttpContext, Bucket>(PerAccount));
        options.OnRejected = async (rejected, _) =>
        {
            refusals.Count(rejected.HttpContext, rejected.Lease);
            await ErrorBody.WriteAsync(rejected.HttpContext, HttpErrors.RateLimited, Refusal, WaitOf(rejected.Lease));
        };
    }

    public static TimeSpan WaitOf(RateLimitLease refused) => refused.TryGetMetadata(MetadataName.RetryAfter, out var wait) ? wait : Second;

    private RateLimitPartition<Bucket> PerKey(HttpContext context) => CallerOf(context) is { } caller
        ? PerSecond(LimitName.KeyRequests, caller.KeyPrefix, plans.Of(caller.Account).RequestsPerSecondPerKey ?? gateway.Value.RequestsPerSecondPerKey) : Unlimited;

    private RateLimitPartition<Bucket> PerAccount(HttpContext context) => CallerOf(context) is { } caller
        ? PerSecond(LimitName.AccountRequests, caller.AccountId, plans.Of(caller.Account).RequestsPerSecond ?? gateway.Value.RequestsPerSecondPerAccount) : Unlimited;

    private static Caller? CallerOf(HttpContext context) => context.Features.Get<Caller>();

    private static RateLimitPartition<Bucket> Unlimited { get; } = RateLimitPartition.GetNoLimiter(default(Bucket));

    private RateLimitPartition<Bucket> PerSecond(LimitName limit, string who, int permits) => permits == 0 ? Unlimited
        : RateLimitPartition.Get(new Bucket(who, permits), bucket => new TokenBucket(bucket.PerSecond, limit, clock));

    /// <summary>With its size: an account that changes its plan gets another bucket.</summary>
    private readonly record struct Bucket(string Who, int PerSecond);

    /// <summary>Requests to the API without an account. Health checks, metrics and media connections need none.</summary>
    private sealed class Strangers(StrangerLimit limit) : PartitionedRateLimiter<HttpContext>
    {
        private static readonly RateLimiter NoLimit = RateLimitPartition.GetNoLimiter(0).Factory(0);

        public override RateLimiterStatistics? GetStatistics(HttpContext resource) => null;

        protected override RateLimitLease AttemptAcquireCore(HttpContext resource, int permitCount)
            => CallerOf(resource) is null && (ApiRequests.IsRest(resource.Request) || ApiRequests.IsTalk(resource.Request) || ApiRequests.IsAdministration(resource.Request) || ApiRequests.IsGrpc(resource.Request))
                ? limit.Take(resource.Connection.RemoteIpAddress) : NoLimit.AttemptAcquire();

        protected override ValueTask<RateLimitLease> AcquireAsyncCore(HttpContext resource, int permitCount, CancellationToken cancellationToken)
            => new(AttemptAcquireCore(resource, permitCount));
    }
}
