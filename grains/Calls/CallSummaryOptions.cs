using System.ComponentModel.DataAnnotations;

namespace VoiceGrains.Grains.Calls;

/// <summary>How ended calls are summarized; section <c>Calls:Summary</c>.</summary>
public sealed class CallSummaryOptions
{
    /// <summary>Default true. Without, calls have no summaries.</summary>
    public bool Enabled { get; set; } = true;

    /// <summary>Bound of one attempt, both texts together. Default 60 s.</summary>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>
    /// How long webhooks and callbacks of the end wait for the summary. Then one made of the transcript stands in, until the model's comes. Default 10 s.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:00", "01:00:00")] public TimeSpan Budget { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Attempts before a call stays without, or with what stands in. Default 3, counted over restarts.</summary>
    [Range(1, 100)] public int Attempts { get; set; } = 3;

    /// <summary>Wait after the first failed attempt; doubles. Default 5 s.</summary>
    public TimeSpan RetryDelay { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Summaries written at once on a silo; others wait their turn. Default 8.</summary>
    [Range(1, 1_000)] public int Concurrency { get; set; } = 8;

    /// <summary>Characters of transcript given to the model; of longer calls the middle is left out. Default 48,000, some 12,000 tokens.</summary>
    [Range(1_000, 10_000_000)] public int TranscriptCharacters { get; set; } = 48_000;
}
