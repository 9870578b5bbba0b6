namespace VoiceGrains.Grains.Calls.Conversations.Threads;

/// <summary>What a thread does. The first four are what tools see in <c>KNOWN_PARAM_THREAD_STATES</c>.</summary>
internal enum CallThreadState : byte
{
    /// <summary>Waits for a message.</summary>
    Idle,
    /// <summary>The model writes, or the thread waits for its turn to generate.</summary>
    Generating,
    /// <summary>Its tools run.</summary>
    CallingTool,
    /// <summary>Its model failed. It takes no more messages; its id can be used again.</summary>
    Failed,
    /// <summary>Terminated, and so no thread of the call any more.</summary>
    Ended,
}

internal static class CallThreadStateNames
{
    public static string ToWire(this CallThreadState state) => state switch
    {
        CallThreadState.Idle => "idle",
        CallThreadState.Generating => "generating",
        CallThreadState.CallingTool => "calling_tool",
        CallThreadState.Failed => "failed",
        _ => "ended",
    };
}
