namespace VoiceGrains.GrainRuntime.Streams;

/// <summary>What a producer sent.</summary>
/// <param name="Kind">Null: only where the producer is.</param>
/// <param name="Number">Of this event, or of the producer's next one.</param>
/// <param name="IsLast">The producer is done.</param>
/// <param name="Body">The event as JSON.</param>
internal readonly record struct StreamArrival(
    StreamNoticeKind? Kind, StreamSource Source, long Number, bool IsLast, ReadOnlyMemory<byte> Body = default, Exception? Error = null);
