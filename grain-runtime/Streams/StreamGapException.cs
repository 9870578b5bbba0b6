using Orleans.Runtime;

namespace VoiceGrains.GrainRuntime.Streams;

/// <summary>A subscriber lost events: it was too slow for its stream, and the oldest went, or they were lost on the way. Later events follow.</summary>
/// <param name="streamId">The stream.</param>
/// <param name="dropped">How many events were lost since the last delivered one.</param>
/// <param name="atLeast">There may have been more.</param>
public sealed class StreamGapException(StreamId streamId, long dropped, bool atLeast = false)
    : OrleansException($"{(atLeast ? "At least " : "")}{dropped} events of stream {streamId} were lost.")
{
    /// <summary>How many events were lost since the last delivered one.</summary>
    public long Dropped => dropped;

    /// <summary>Whether there may have been more: the end of what a lost process produced is not known.</summary>
    public bool AtLeast => atLeast;
}
