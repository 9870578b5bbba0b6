namespace VoiceGrains.GrainInterfaces.Calls;

/// <summary>A call as it stands: what it was created with and how far it came.</summary>
public sealed record CallSnapshot
{
    public required CallSettings Settings { get; init; }
    /// <summary>The current, or after the end the last, stage.</summary>
    public required StageSettings Stage { get; init; }
    /// <summary>Stages entered so far, this one included.</summary>
    public int StageCount { get; init; } = 1;
    /// <summary>Null once it was used or the call ended.</summary>
    public string? JoinUrl { get; init; }
    public DateTimeOffset? Joined { get; init; }
    /// <summary>Conversations begun: 1 in most calls, one more for each resumption.</summary>
    public int Generation { get; init; }
    /// <summary>Of a recorded call, in order.</summary>
    public IReadOnlyList<RecordingPart> RecordingParts { get; init; } = [];
    public DateTimeOffset? Ended { get; init; }
    public EndReason? EndReason { get; init; }
    /// <summary>Rounded up to 6 s; zero for unjoined calls; null before the end.</summary>
    public TimeSpan? BilledDuration { get; init; }
    public string? ClientVersion { get; init; }
    public string? ShortSummary { get; init; }
    public string? Summary { get; init; }
    public int ErrorCount { get; init; }
}
