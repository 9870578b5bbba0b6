using VoiceGrains.GrainInterfaces.Validation;

namespace VoiceGrains.GrainInterfaces.Calls;

/// <summary><c>ultravox.v1.FirstSpeakerSettings</c>: exactly one is set.</summary>
[AtMostOne("user", "agent", Required = true)]
public sealed record FirstSpeakerSettings
{
    public UserGreeting? User { get; init; }
    public AgentGreeting? Agent { get; init; }
}

/// <summary>The user speaks first; after the fallback's delay the agent does.</summary>
public sealed record UserGreeting
{
    public FallbackAgentGreeting? Fallback { get; init; }
}

/// <summary>The agent speaks first: a fixed text, a prompted greeting, or one generated from the system prompt.</summary>
[AtMostOne("text", "prompt")]
public sealed record AgentGreeting
{
    public bool? Uninterruptible { get; init; }
    public string? Text { get; init; }
    public string? Prompt { get; init; }
    [DurationRange("0s", "3600s")] public TimeSpan? Delay { get; init; }
}

[AtMostOne("text", "prompt")]
public sealed record FallbackAgentGreeting
{
    [DurationRange("0s", "3600s")] public TimeSpan? Delay { get; init; }
    public string? Text { get; init; }
    public string? Prompt { get; init; }
}
