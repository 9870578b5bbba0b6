using VoiceGrains.GrainInterfaces.Calls;

namespace VoiceGrains.Grains.Calls.Conversations;

/// <summary>The data messages that a connection can turn on and off, <c>ultravox.v1.EnabledDataMessages</c>.</summary>
[Flags]
internal enum DataMessages
{
    None = 0,
    Pong = 1,
    State = 1 << 1,
    Transcript = 1 << 2,
    ClientToolInvocation = 1 << 3,
    DataConnectionToolInvocation = 1 << 4,
    PlaybackClearBuffer = 1 << 5,
    CallStarted = 1 << 6,
    Debug = 1 << 7,
    CallEvent = 1 << 8,
    ToolUsed = 1 << 9,
    UserStartedSpeaking = 1 << 10,
    UserStoppedSpeaking = 1 << 11,
    InvokingTool = 1 << 12,
    ThreadSpawned = 1 << 13,
    ThreadRejected = 1 << 14,
    ThreadTerminated = 1 << 15,
    SideGenerationDelta = 1 << 16,
    SideGenerationCompleted = 1 << 17,

    /// <summary>What every connection gets that says nothing else.</summary>
    Default = Pong | State | Transcript | ClientToolInvocation | CallStarted
        | ThreadSpawned | ThreadRejected | ThreadTerminated | SideGenerationDelta | SideGenerationCompleted,
}

internal static class EnabledDataMessagesExtensions
{
    /// <summary>What a call's client wants. Only WebSocket media have a buffer that they clear when told to.</summary>
    public static DataMessages Wanted(this CallMedium medium) => medium.ServerWebSocket is { } socket
        ? socket.DataMessages.Over(DataMessages.Default | DataMessages.PlaybackClearBuffer)
        : (medium.WebRtc?.DataMessages).Over(DataMessages.Default);

    /// <summary>The defaults, where the connection does not say otherwise.</summary>
    public static DataMessages Over(this EnabledDataMessages? enabled, DataMessages defaults)
    {
        if (enabled is null) return defaults;
        Set(enabled.Pong, DataMessages.Pong);
        Set(enabled.State, DataMessages.State);
        Set(enabled.Transcript, DataMessages.Transcript);
        Set(enabled.ClientToolInvocation, DataMessages.ClientToolInvocation);
        Set(enabled.DataConnectionToolInvocation, DataMessages.DataConnectionToolInvocation);
        Set(enabled.PlaybackClearBuffer, DataMessages.PlaybackClearBuffer);
        Set(enabled.CallStarted, DataMessages.CallStarted);
        Set(enabled.Debug, DataMessages.Debug);
        Set(enabled.CallEvent, DataMessages.CallEvent);
        Set(enabled.ToolUsed, DataMessages.ToolUsed);
        Set(enabled.UserStartedSpeaking, DataMessages.UserStartedSpeaking);
        Set(enabled.UserStoppedSpeaking, DataMessages.UserStoppedSpeaking);
        Set(enabled.InvokingTool, DataMessages.InvokingTool);
        Set(enabled.ThreadSpawned, DataMessages.ThreadSpawned);
        Set(enabled.ThreadRejected, DataMessages.ThreadRejected);
        Set(enabled.ThreadTerminated, DataMessages.ThreadTerminated);
        Set(enabled.SideGenerationDelta, DataMessages.SideGenerationDelta);
        Set(enabled.SideGenerationCompleted, DataMessages.SideGenerationCompleted);
        return defaults;

        void Set(bool? on, DataMessages message)
        {
            if (on is { } known) defaults = known ? defaults | message : defaults & ~message;
        }
    }
}
