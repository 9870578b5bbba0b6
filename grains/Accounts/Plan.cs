using System.ComponentModel.DataAnnotations;

namespace VoiceGrains.Grains.Accounts;

/// <summary>What accounts of one plan may do; section <c>Accounts:Plans:NAME</c>. 0 is no limit unless a member says otherwise.</summary>
public sealed class Plan
{
    /// <summary>API requests per second of one account, counted by each gateway for itself. Default: <c>Gateway:RequestsPerSecondPerAccount</c>.</summary>
    [Range(0, int.MaxValue)] public int? RequestsPerSecond { get; set; }

    /// <summary>API requests per second of one key, counted by each gateway for itself. Default: <c>Gateway:RequestsPerSecondPerKey</c>.</summary>
    [Range(0, int.MaxValue)] public int? RequestsPerSecondPerKey { get; set; }

    /// <summary>Calls created in any second, over the whole cluster. Default no limit.</summary>
    [Range(0, 10_000)] public int CallsPerSecond { get; set; }

    /// <summary>Calls created in any minute, over the whole cluster. Default no limit.</summary>
    [Range(0, 100_000)] public int CallsPerMinute { get; set; }

    /// <summary>Hard cap: calls at once, over the whole cluster. Default no limit. An account's own <c>allowed_concurrent_calls</c> goes before it.</summary>
    [Range(0, 1_000_000)] public int ConcurrentCalls { get; set; }

    /// <summary>
    /// Billed minutes of an account in one billing cycle (<c>Billing:CycleDay</c>). Once they are used up no call is created until the next cycle; calls under way go on.
    /// Default no limit.
    /// </summary>
    [Range(0, 100_000_000)] public int IncludedMinutes { get; set; }

    /// <summary>
    /// Calls at once that may use what <c>Calls:Capacity</c> reserves, and whose refusal is a 503 and not the client's 429. Default 0: none.
    /// </summary>
    [Range(0, 1_000_000)] public int PriorityCalls { get; set; }
}
