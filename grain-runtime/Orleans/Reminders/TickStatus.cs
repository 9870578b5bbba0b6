namespace Orleans.Runtime;

/// <summary>Where in its schedule a reminder is. Times are UTC.</summary>
public readonly struct TickStatus(DateTime firstTickTime, TimeSpan period, DateTime timeStamp)
{
    /// <summary>When the first tick was due.</summary>
    public DateTime FirstTickTime { get; } = firstTickTime;

    public TimeSpan Period { get; } = period;

    /// <summary>When this tick was delivered.</summary>
    public DateTime CurrentTickTime { get; } = timeStamp;
}
