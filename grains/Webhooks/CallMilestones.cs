namespace VoiceGrains.Grains.Webhooks;

/// <summary>What of a call its receivers are to be told when its state is stored next.</summary>
[Flags]
internal enum CallMilestones
{
    None = 0,
    Started = 1,
    Joined = 2,
    Ended = 4,
    /// <summary>Its summary, or what stands in for one, is there: what waited for it may go.</summary>
    Summarized = 8,
}
