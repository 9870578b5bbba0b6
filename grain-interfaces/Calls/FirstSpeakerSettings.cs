namespace VoiceGrains.GrainInterfaces.Calls;

/// <summary><c>ultravox.v1.FirstSpeakerSettings</c>: exactly one is set.</summary>
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
public sealed record AgentGreeting
{
    public bool? Uninterruptible { get; init; }
    public string? Text { get; init; }
    public string? Prompt { get; init; }
    public TimeSpan? Delay { get; init; }
}

public sealed record FallbackAgentGreeting
{
    public TimeSpan? Delay { get; init; }
    public string? Text { get; init; }
    public string? Prompt { get; init; }
}
