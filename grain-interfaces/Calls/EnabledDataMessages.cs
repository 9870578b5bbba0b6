namespace VoiceGrains.GrainInterfaces.Calls;

/// <summary><c>ultravox.v1.EnabledDataMessages</c>; null means the message's documented default for the connection.</summary>
public sealed record EnabledDataMessages
{
    public bool? Pong { get; init; }
    public bool? State { get; init; }
    public bool? Transcript { get; init; }
    public bool? ClientToolInvocation { get; init; }
    public bool? DataConnectionToolInvocation { get; init; }
    public bool? PlaybackClearBuffer { get; init; }
    public bool? CallStarted { get; init; }
    public bool? Debug { get; init; }
    public bool? CallEvent { get; init; }
    public bool? ToolUsed { get; init; }
    public bool? UserStartedSpeaking { get; init; }
    public bool? UserStoppedSpeaking { get; init; }
    public bool? InvokingTool { get; init; }
    public bool? ThreadSpawned { get; init; }
    public bool? ThreadRejected { get; init; }
    public bool? ThreadTerminated { get; init; }
    public bool? SideGenerationDelta { get; init; }
    public bool? SideGenerationCompleted { get; init; }
}
