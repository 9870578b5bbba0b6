namespace VoiceGrains.Grains.Usage;

/// <summary><c>ConcurrencyBucket</c>: how many calls were there at once. A call is active from its creation to its end.</summary>
/// <param name="Timestamp">Where the bucket begins.</param>
/// <param name="MaxTotalCalls">Most active calls at one moment.</param>
/// <param name="MaxJoinedCalls">Most joined calls at one moment.</param>
/// <param name="AvgTotalCalls">Average over time, not over calls.</param>
/// <param name="AvgJoinedCalls">Average over time, not over calls.</param>
public sealed record ConcurrencyBucket(DateTimeOffset Timestamp, int MaxTotalCalls, int MaxJoinedCalls, double AvgTotalCalls, double AvgJoinedCalls);
