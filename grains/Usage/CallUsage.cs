namespace VoiceGrains.Grains.Usage;

/// <summary><c>CallUsage</c>. Days and hours without calls are left out.</summary>
public sealed record CallUsage(CallStatistics AllTime, IReadOnlyList<DailyCallStatistics> Daily, IReadOnlyList<HourlyCallStatistics> Hourly);

/// <summary><c>CallStatistics</c>.</summary>
public record CallStatistics
{
    public required int TotalCount { get; init; }

    /// <summary>Calls that a lost connection or a fault of the system ended.</summary>
    public required int ErrorCount { get; init; }

    public required int JoinedCount { get; init; }

    /// <summary>Of all ended calls, join to end.</summary>
    public required TimeSpan Duration { get; init; }

    /// <summary>The same with each call rounded up to 6 s, without calls that a fault of the system ended.</summary>
    public required double BilledMinutes { get; init; }
}

/// <summary><c>DailyCallStatistics</c>: of the calls created on one day (UTC).</summary>
public record DailyCallStatistics : CallStatistics
{
    public required DateOnly Date { get; init; }
}

/// <summary><c>HourlyCallStatistics</c>: of the calls created in one hour (UTC).</summary>
public sealed record HourlyCallStatistics : DailyCallStatistics
{
    /// <summary>0 to 23.</summary>
    public required int Hour { get; init; }
}
