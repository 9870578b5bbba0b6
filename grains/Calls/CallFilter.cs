namespace VoiceGrains.Grains.Calls;

/// <summary>Which calls a list holds; null is no condition.</summary>
public sealed record CallFilter
{
    /// <summary>Any of these.</summary>
    public IReadOnlyList<string>? AgentIds { get; init; }

    /// <summary>Inclusive, by creation.</summary>
    public DateTimeOffset? From { get; init; }

    /// <summary>Inclusive, by creation.</summary>
    public DateTimeOffset? To { get; init; }

    /// <summary>UTC, inclusive, by creation. After <see cref="TimeOfDayEnd"/>: the night between.</summary>
    public TimeOnly? TimeOfDayStart { get; init; }

    /// <summary>UTC, inclusive, by creation.</summary>
    public TimeOnly? TimeOfDayEnd { get; init; }

    /// <summary>Inclusive, join to end; calls without it do not match.</summary>
    public TimeSpan? DurationMin { get; init; }

    /// <summary>Inclusive, join to end; calls without it do not match.</summary>
    public TimeSpan? DurationMax { get; init; }

    /// <summary>All of these.</summary>
    public IReadOnlyDictionary<string, string>? Metadata { get; init; }

    /// <summary>Any of these, as the call named its voice.</summary>
    public IReadOnlyList<string>? Voices { get; init; }

    /// <summary>Words somewhere in the messages or the summary.</summary>
    public string? Search { get; init; }

    public CallSort Sort { get; init; } = CallSort.Created;

    /// <summary>Default: newest first.</summary>
    public bool Descending { get; init; } = true;
}

/// <summary>What calls may be sorted by. A call without the value comes after all others.</summary>
public enum CallSort : byte { Created, Joined, Ended, Duration }
