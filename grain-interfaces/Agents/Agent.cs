namespace VoiceGrains.GrainInterfaces.Agents;

/// <summary>An agent as it stands.</summary>
public sealed record Agent
{
    public required string AgentId { get; init; }
    public required string AccountId { get; init; }
    public required string Name { get; init; }
    public required DateTimeOffset Created { get; init; }
    /// <summary>Changes with every change of the template, so that a call can tell which one it was made from.</summary>
    public required Guid PublishedRevisionId { get; init; }
    /// <summary>Rises with every change, from 0.</summary>
    public long Version { get; init; }
    public required CallTemplate CallTemplate { get; init; }
}
