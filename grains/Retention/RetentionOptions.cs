using System.ComponentModel.DataAnnotations;

namespace VoiceGrains.Grains.Retention;

/// <summary>How long calls are kept, and how a silo deletes those whose time is over; section <c>Retention</c>.</summary>
public sealed class RetentionOptions
{
    /// <summary>Days from the end of a call, for accounts that have no number of their own. Default 0: for ever.</summary>
    [Range(0, 36_500)] public int Days { get; set; }

    /// <summary>How often a silo looks for calls whose time is over. Default 1 min.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "1.00:00:00")] public TimeSpan Interval { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>Calls that a silo takes upon itself at once. Default 100.</summary>
    [Range(1, 10_000)] public int BatchSize { get; set; } = 100;

    /// <summary>Calls that it deletes at the same time. Default 4, so that live calls hardly notice.</summary>
    [Range(1, 100)] public int Concurrency { get; set; } = 4;

    /// <summary>After this others may delete what a silo has taken and not deleted; longer after each failure, up to 12 times as long. Default 5 min.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00")] public TimeSpan Lease { get; set; } = TimeSpan.FromMinutes(5);
}
