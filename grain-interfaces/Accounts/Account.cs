namespace VoiceGrains.GrainInterfaces.Accounts;

/// <summary>A tenant. Everything that the API stores belongs to one, and no account sees another's.</summary>
public sealed record Account
{
    public required Guid AccountId { get; init; }
    public required string Name { get; init; }
    /// <summary>Names the limits that hold for the account, for example <c>free</c>: <c>Accounts:Plans</c> of the configuration.</summary>
    public required string Plan { get; init; }
    /// <summary>Most calls at once, whatever the plan says; null for what the plan says.</summary>
    public int? AllowedConcurrentCalls { get; init; }
    public DateTimeOffset Created { get; init; }
    /// <summary>Since when none of its keys is taken; null while they are.</summary>
    public DateTimeOffset? Disabled { get; init; }
    /// <summary>Days that ended calls are kept; 0 for ever, null as the server is configured.</summary>
    public int? RetentionDays { get; init; }
}
