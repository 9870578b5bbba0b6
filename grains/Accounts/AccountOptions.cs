using System.ComponentModel.DataAnnotations;

namespace VoiceGrains.Grains.Accounts;

/// <summary>What an account may have; section <c>Accounts</c>.</summary>
public sealed class AccountOptions
{
    /// <summary>API keys that an account may have, revoked and expired ones included: only deletion makes room. Default 100.</summary>
    [Range(1, 100_000)] public int MaxApiKeys { get; set; } = 100;

    /// <summary>Call throttles that an account may have. Default 100.</summary>
    [Range(1, 100_000)] public int MaxCallThrottles { get; set; } = 100;

    /// <summary>
    /// By name, in any case. The three here are those of the hosted service with its limits (docs: API introduction, scaling and call concurrency); a plan that
    /// is not named has no limits but the gateways' own. Settings change the plans that are here member by member.
    /// </summary>
    public Dictionary<string, Plan> Plans { get; set; } = new(StringComparer.OrdinalIgnoreCase)
    {
        ["free"] = new() { CallsPerSecond = 5, CallsPerMinute = 30, ConcurrentCalls = 5 },
        ["pro"] = new() { CallsPerSecond = 10, CallsPerMinute = 120 },
        ["scale"] = new() { CallsPerSecond = 30, CallsPerMinute = 360, PriorityCalls = 100 },
    };
}
