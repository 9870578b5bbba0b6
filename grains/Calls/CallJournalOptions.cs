using System.ComponentModel.DataAnnotations;

namespace VoiceGrains.Grains.Calls;

/// <summary>How messages and events of live calls reach the database.</summary>
public sealed class CallJournalOptions
{
    /// <summary>Most entries held while the database is slow or away. Default 20,000: some 40 MB of ordinary conversation.</summary>
    [Range(1, 1_000_000)] public int Capacity { get; set; } = 20_000;

    /// <summary>Most characters of text held, whatever the number of entries. Default 16 Mi (32 MB).</summary>
    [Range(1, int.MaxValue)] public long CharacterCapacity { get; set; } = 16 * 1024 * 1024;

    /// <summary>Most entries of one transaction. Default 1,000.</summary>
    [Range(1, 10_000)] public int BatchSize { get; set; } = 1_000;

    /// <summary>How long an entry waits for others to share its transaction. Default 50 ms.</summary>
    public TimeSpan Linger { get; set; } = TimeSpan.FromMilliseconds(50);

    /// <summary>Wait after the first failed attempt; doubles up to <see cref="LongestRetryDelay"/>. Default 100 ms.</summary>
    public TimeSpan RetryDelay { get; set; } = TimeSpan.FromMilliseconds(100);

    /// <summary>Default 2 s.</summary>
    public TimeSpan LongestRetryDelay { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>Bound of one transaction. Default 10 s.</summary>
    public TimeSpan CommandTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>How long a stopping silo goes on trying to store what is left. Default 3 s.</summary>
    public TimeSpan ShutdownTimeout { get; set; } = TimeSpan.FromSeconds(3);
}
