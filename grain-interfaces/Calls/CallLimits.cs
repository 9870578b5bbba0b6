namespace VoiceGrains.GrainInterfaces.Calls;

/// <summary>What bounds the creation of one more call. All of it holds at once.</summary>
public sealed record CallLimits
{
    public static readonly CallLimits None = new();

    /// <summary>Most calls of the account that wait for their client or are joined; null for no limit.</summary>
    public int? ConcurrentCalls { get; init; }

    /// <summary>How fast the account may create calls.</summary>
    public IReadOnlyList<CallRate> Rates { get; init; } = [];

    /// <summary>A call throttle that the call is created under, whose rules are looked up then; null for none.</summary>
    public Guid? ThrottleId { get; init; }

    public bool IsNone => ConcurrentCalls is null && Rates.Count == 0 && ThrottleId is null;
}

/// <summary>At most so many calls created in any span of so many seconds: a sliding window.</summary>
public sealed record CallRate(int MaxCalls, int WindowSeconds);
