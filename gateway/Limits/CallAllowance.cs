using VoiceGrains.Gateway.Accounts;
using VoiceGrains.GrainInterfaces;
using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.GrainInterfaces.Validation;
using VoiceGrains.Grains.Accounts;
using VoiceGrains.Grains.Calls.Limits;
using VoiceGrains.Grains.Throttles;

namespace VoiceGrains.Gateway.Limits;

/// <summary>
/// What an account may still create. The gateway looks first, so that a client at its limit costs one query and no grain; the transaction that stores the call
/// looks again and decides.
/// </summary>
internal sealed class CallAllowance(Plans plans, CallThrottleStore throttles, CallLimitCheck check, CallCapacity capacity, IncludedMinutes minutes, LimitRefusals refusals)
{
    /// <summary>Null for a call that names no throttle.</summary>
    /// <exception cref="InvalidInputException">The account has no throttle of this name or id.</exception>
    public async Task<CallThrottle?> FindThrottleAsync(Caller caller, string? nameOrId, CancellationToken cancellationToken)
        => nameOrId is null ? null : await throttles.FindAsync(caller.AccountId, nameOrId, cancellationToken)
            ?? throw new InvalidInputException("throttle", $"Unknown throttle '{JsonLeaf.Shorten(nameOrId)}'.");

    /// <summary>Creates within the limits. Ask after the request proved valid, so that mistakes cost nothing.</summary>
    /// <exception cref="PlatformException">A limit is reached.</exception>
    public async Task<T> UseAsync<T>(Caller caller, CallThrottle? throttle, Func<CallLimits, Task<T>> create, CancellationToken cancellationToken)
    {
        try
        {
            await minutes.RequireLeftAsync(caller.Account, cancellationToken);
            var limits = plans.CallLimits(caller.Account) with { ThrottleId = throttle?.ThrottleId };
            await check.RequireRoomAsync(caller.AccountId, limits, cancellationToken);
            await capacity.RequireRoomAsync(caller.AccountId, plans.Of(caller.Account).PriorityCalls, cancellationToken);
            return await create(limits);
        }
        catch (PlatformException refusal)
        {
            refusals.Count(caller, refusal);
            throw;
        }
    }
}
