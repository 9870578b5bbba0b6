using System.ComponentModel.DataAnnotations;
using VoiceGrains.GrainInterfaces.Agents;
using VoiceGrains.GrainInterfaces.Validation;

namespace VoiceGrains.Gateway.Agents;

/// <summary><c>Agent</c> as it is created and changed.</summary>
[ReadOnlyFields("agentId", "publishedRevisionId", "created", "statistics")]
internal sealed record AgentRequest
{
    [StringLength(64, MinimumLength = 1)] public string? Name { get; init; }
    public CallTemplate? CallTemplate { get; init; }
}
