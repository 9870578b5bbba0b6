using Orleans.Runtime;

namespace VoiceGrains.GrainRuntime.Streams;

/// <summary>
/// The stream is cut off from other processes, for example by a lost broker. Who is subscribed stays so: events, and a
/// <see cref="StreamGapException"/> for those that were lost, follow when the connection is back.
/// </summary>
public sealed class StreamInterruptedException(string message, Exception? innerException = null) : OrleansException(message, innerException!);
