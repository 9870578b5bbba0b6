using System.Collections.Concurrent;
using System.Threading.RateLimiting;
using Microsoft.Extensions.Options;
using VoiceGrains.Gateway.Errors;
using VoiceGrains.GrainInterfaces;
using VoiceGrains.GrainInterfaces.Accounts;

namespace VoiceGrains.Gateway.Limits;

/// <summary>
/// How fast an account may create calls, by its plan: so many a second and so many a minute, whichever ends first. Each gateway counts for itself.
/// </summary>
public sealed class CallCreationLimits(IOptions<GatewayOptions> gateway) : IDisposable
{
    private readonly ConcurrentDictionary<Guid, (RateLimiter Second, RateLimiter Minute)> accounts = new();

    /// <summary>Takes the right to create one call. Ask after the request proved valid, so that mistakes cost nothing.</summary>
    /// <exception cref="PlatformException"><see cref="HttpErrors.RateLimited"/> with the time to wait.</exception>
    public void Take(Account account)
    {
        if (!gateway.Value.CallCreation.TryGetValue(account.Plan, out var limit)) return;
        var (second, minute) = accounts.GetOrAdd(account.AccountId, _ => (Window(limit.PerSecond, 1), Window(limit.PerMinute, 60)));
        Take(second, $"{limit.PerSecond} calls per second");
        Take(minute, $"{limit.PerMinute} calls per minute");
    }

    private static void Take(RateLimiter limiter, string rule)
    {
        using var lease = limiter.AttemptAcquire();
        if (lease.IsAcquired) return;
        throw new PlatformException(HttpErrors.RateLimited, $"Your plan allows the creation of {rule}.")
        {
            RetryAfter = lease.TryGetMetadata(MetadataName.RetryAfter, out var wait) ? wait : TimeSpan.FromSeconds(1),
        };
    }

    private static FixedWindowRateLimiter Window(int permits, int seconds)
        => new(new() { PermitLimit = permits, Window = TimeSpan.FromSeconds(seconds), QueueLimit = 0 });

    public void Dispose()
    {
        foreach (var (second, minute) in accounts.Values)
        {
            second.Dispose();
            minute.Dispose();
        }
    }
}
