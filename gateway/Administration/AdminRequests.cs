using System.ComponentModel.DataAnnotations;

namespace VoiceGrains.Gateway.Administration;

/// <summary>A new account.</summary>
internal sealed record AccountRequest
{
    [StringLength(200, MinimumLength = 1)] public required string Name { get; init; }
    /// <summary>Default: the first account's plan, which has no limits.</summary>
    [StringLength(50, MinimumLength = 1)] public string? Plan { get; init; }
    /// <summary>Most calls at once; null as its plan says.</summary>
    [Range(0, 1_000_000)] public int? AllowedConcurrentCalls { get; init; }
    /// <summary>Days that ended calls are kept; 0 for ever, null as the server is configured.</summary>
    [Range(0, 36_500)] public int? RetentionDays { get; init; }
    /// <summary>Of the key that is made with it.</summary>
    [StringLength(50, MinimumLength = 1)] public string? KeyName { get; init; }
}

/// <summary>What is not given stays; null goes back to the plan's number, or the server's.</summary>
internal sealed record AccountPatch
{
    [StringLength(200, MinimumLength = 1)] public string? Name { get; init; }
    [StringLength(50, MinimumLength = 1)] public string? Plan { get; init; }
    [Range(0, 1_000_000)] public int? AllowedConcurrentCalls { get; init; }
    [Range(0, 36_500)] public int? RetentionDays { get; init; }
}

internal sealed record DisableRequest
{
    /// <summary>Hang up on live calls as well. Default: calls that exist go on to their end.</summary>
    public bool? EndCalls { get; init; }
}

internal sealed record KeyRequest
{
    [StringLength(50, MinimumLength = 1)] public string? Name { get; init; }
    /// <summary>Null for never.</summary>
    public DateTimeOffset? ExpiryDate { get; init; }
}
