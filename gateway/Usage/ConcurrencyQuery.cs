using Microsoft.AspNetCore.Http;
using VoiceGrains.Gateway.Calls;
using VoiceGrains.Gateway.Validation;
using VoiceGrains.GrainInterfaces.Validation;

namespace VoiceGrains.Gateway.Usage;

/// <summary>The range of a concurrency series and the size of its buckets.</summary>
/// <param name="Start">Where the first bucket begins.</param>
/// <param name="End">Exclusive, at most now.</param>
/// <param name="Bucket">Its length.</param>
internal readonly record struct ConcurrencyQuery(DateTimeOffset Start, DateTimeOffset End, TimeSpan Bucket)
{
    /// <summary>Of one answer: a week of minutes.</summary>
    public const int MaxBuckets = 7 * 24 * 60;

    /// <summary>However large the buckets are, so that one request cannot read years of calls.</summary>
    public const int MaxDays = 366;

    private static readonly TimeSpan DefaultRange = TimeSpan.FromDays(1);

    /// <summary>From the query. The start moves back to the start of its bucket, and an end in the future to now, up to which alone there is something to tell.</summary>
    /// <exception cref="InvalidInputException">A parameter is wrong, or the range is too long.</exception>
    public static ConcurrencyQuery Read(IQueryCollection query, DateTimeOffset now)
    {
        var bucket = QueryText.ReadChoice(query, "bucket", "minute", "5min", "hour", "day") switch
        {
            "5min" => TimeSpan.FromMinutes(5),
            "hour" => TimeSpan.FromHours(1),
            "day" => TimeSpan.FromDays(1),
            _ => TimeSpan.FromMinutes(1),
        };
        var end = ReadInstant(query, "end", endOfDay: true) ?? now;
        var start = ReadInstant(query, "start", endOfDay: false) ?? end - DefaultRange;
        if (start >= end) throw new InvalidInputException("start", "Must be before end.");
        if (end > now) end = now;
        start = new DateTimeOffset(start.UtcTicks - start.UtcTicks % bucket.Ticks, TimeSpan.Zero);
        if ((end - start).TotalDays > MaxDays) throw new InvalidInputException("start", $"Must be at most {MaxDays} days before end.");
        if ((end - start) / bucket > MaxBuckets) throw new InvalidInputException("bucket", $"The range has more than {MaxBuckets} of these. Use larger ones.");
        return new(start, end, bucket);
    }

    private static DateTimeOffset? ReadInstant(IQueryCollection query, string name, bool endOfDay)
    {
        var instant = CallQuery.Instant(query, name, endOfDay);
        return instant < DateTimeOffset.UnixEpoch ? throw new InvalidInputException(name, "Must not be before 1970.") : instant;
    }
}
