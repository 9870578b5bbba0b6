using System.ComponentModel.DataAnnotations;

namespace VoiceGrains.Grains.Calls;

/// <summary>How long and how often the end of a conversation is tried to be stored; section <c>Calls:Endings</c>.</summary>
public sealed class CallEndingOptions
{
    /// <summary>How long a database or broker may be away without costing a call its end reason. Default 10 min.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "24:00:00")] public TimeSpan Patience { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>Wait after the first failed attempt; doubles up to <see cref="LongestRetryDelay"/>. Default 200 ms.</summary>
    public TimeSpan RetryDelay { get; set; } = TimeSpan.FromMilliseconds(200);

    /// <summary>Default 2 s.</summary>
    public TimeSpan LongestRetryDelay { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>How long a stopping silo goes on trying. Default 3 s.</summary>
    public TimeSpan ShutdownTimeout { get; set; } = TimeSpan.FromSeconds(3);
}
