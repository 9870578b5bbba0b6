using Orleans.Runtime;

namespace VoiceGrains.GrainRuntime.Streams;

/// <summary>A subscriber was too slow for its stream and lost events, oldest first. Later events follow.</summary>
public sealed class StreamGapException(StreamId streamId, long dropped)
    : OrleansException($"{dropped} events of stream {streamId} were dropped because the subscriber was too slow.")
{
    /// <summary>How many events were lost since the last delivered one.</summary>
    public long Dropped => dropped;
}
