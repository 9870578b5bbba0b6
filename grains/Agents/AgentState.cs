using VoiceGrains.GrainInterfaces.Agents;

namespace VoiceGrains.Grains.Agents;

/// <summary>What is stored of an agent.</summary>
public sealed record AgentState
{
    public Agent? Agent { get; init; }
}
