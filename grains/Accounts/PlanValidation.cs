using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace VoiceGrains.Grains.Accounts;

/// <summary>Reports everything that is wrong with the plans at once: data annotations do not look into dictionaries.</summary>
internal sealed class PlanValidation : IValidateOptions<AccountOptions>
{
    public ValidateOptionsResult Validate(string? name, AccountOptions options)
    {
        var problems = options.Plans.SelectMany(plan => Problems(plan.Key, plan.Value)).ToList();
        return problems.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(problems);
    }

    private static IEnumerable<string> Problems(string name, Plan plan)
    {
        var section = $"Accounts:Plans:{name}";
        var results = new List<ValidationResult>();
        Validator.TryValidateObject(plan, new ValidationContext(plan), results, validateAllProperties: true);
        foreach (var result in results) yield return $"{section}: {result.ErrorMessage}";
        if (plan is { CallsPerSecond: > 0, CallsPerMinute: > 0 } && plan.CallsPerMinute < plan.CallsPerSecond)
            yield return $"{section}:CallsPerMinute must be at least CallsPerSecond.";
        if (plan.ConcurrentCalls > 0 && plan.PriorityCalls > plan.ConcurrentCalls)
            yield return $"{section}:PriorityCalls must be at most ConcurrentCalls.";
    }
}
