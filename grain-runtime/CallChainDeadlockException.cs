namespace VoiceGrains.GrainRuntime;

/// <summary>
/// A call waits for a turn that itself waits, through other calls, for that call. Orleans lets such calls run into their timeout;
/// this is the same error, found earlier and with the circle in its message.
/// </summary>
public sealed class CallChainDeadlockException(string message) : TimeoutException(message);
