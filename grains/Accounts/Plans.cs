using Microsoft.Extensions.Options;
using VoiceGrains.GrainInterfaces.Accounts;
using VoiceGrains.GrainInterfaces.Calls;

namespace VoiceGrains.Grains.Accounts;

/// <summary>Which limits hold for an account: the one place that knows.</summary>
public sealed class Plans(IOptions<AccountOptions> options)
{
    private static readonly Plan Unlimited = new();

    public Plan Of(Account account) => options.Value.Plans.GetValueOrDefault(account.Plan, Unlimited);

    /// <summary>Whether accounts may have it: the configured plans, and the one of those who run the server, which needs no limits.</summary>
    public bool IsKnown(string name) => name == AccountSetup.SelfHostedPlan || options.Value.Plans.ContainsKey(name);

    /// <summary>In the order of their names.</summary>
    public IEnumerable<string> Names => options.Value.Plans.Keys.Append(AccountSetup.SelfHostedPlan).Distinct(StringComparer.OrdinalIgnoreCase).Order(StringComparer.Ordinal);

    /// <summary>Limits of creating calls, without any throttle.</summary>
    public CallLimits CallLimits(Account account)
    {
        var plan = Of(account);
        var rates = new List<CallRate>(2);
        if (plan.CallsPerSecond > 0) rates.Add(new(plan.CallsPerSecond, 1));
        if (plan.CallsPerMinute > 0) rates.Add(new(plan.CallsPerMinute, 60));
        return new()
        {
            ConcurrentCalls = account.AllowedConcurrentCalls ?? (plan.ConcurrentCalls > 0 ? plan.ConcurrentCalls : null),
            Rates = rates,
        };
    }
}
