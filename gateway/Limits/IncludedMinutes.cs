using Microsoft.Extensions.Options;
using VoiceGrains.Gateway.Billing;
using VoiceGrains.GrainInterfaces;
using VoiceGrains.GrainInterfaces.Accounts;
using VoiceGrains.Grains.Accounts;
using VoiceGrains.Grains.Usage;

namespace VoiceGrains.Gateway.Limits;

/// <summary>What is left of a plan's minutes in the billing cycle, counted as <c>billing/usage</c> shows them: by the calls that have ended.</summary>
internal sealed class IncludedMinutes(Plans plans, UsageStore usage, IOptions<BillingOptions> billing, TimeProvider clock)
{
    /// <exception cref="PlatformException"><see cref="ErrorCode.PlanSpent"/>.</exception>
    public async Task RequireLeftAsync(Account account, CancellationToken cancellationToken)
    {
        if (plans.Of(account).IncludedMinutes is not (> 0 and var included)) return;
        var cycle = BillingPeriod.Current(DateOnly.FromDateTime(clock.GetUtcNow().UtcDateTime), billing.Value.CycleDay);
        var days = await usage.ReadBilledMinutesAsync(account.AccountId.ToString(), cycle.From, cycle.To, cancellationToken);
        if (days.Values.Sum() < included) return;
        throw new PlatformException(ErrorCode.PlanSpent, $"The plan's {included} minutes of this billing cycle, which began on {cycle.From:yyyy-MM-dd}, are used up.");
    }
}
