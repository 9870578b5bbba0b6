namespace VoiceGrains.Grains.Accounts;

/// <summary>What of an account is to be another.</summary>
public sealed record AccountChanges
{
    /// <summary>Null to leave it.</summary>
    public string? Name { get; init; }

    /// <summary>Null to leave it.</summary>
    public string? Plan { get; init; }

    /// <summary>Null to leave it; a null number for the plan's.</summary>
    public Setting? ConcurrentCalls { get; init; }

    /// <summary>Null to leave it; a null number for the server's, 0 for ever.</summary>
    public Setting? RetentionDays { get; init; }

    /// <param name="Number">The number of its own; null for the default.</param>
    public sealed record Setting(int? Number);
}
