using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using VoiceGrains.Gateway.Preconditions;
using VoiceGrains.GrainInterfaces;
using VoiceGrains.GrainInterfaces.Agents;
using VoiceGrains.GrainInterfaces.Validation;
using VoiceGrains.Grains.Agents;

namespace VoiceGrains.Gateway.Agents;

/// <summary><c>Agent</c>.</summary>
internal sealed record AgentResponse : IVersioned
{
    [JsonIgnore] public long Version { get; init; }
    public required string AgentId { get; init; }
    public required Guid PublishedRevisionId { get; init; }
    public required string Name { get; init; }
    public required DateTimeOffset Created { get; init; }
    [Shape(typeof(CallTemplate))] public required JsonObject CallTemplate { get; init; }
    public required AgentStatistics Statistics { get; init; }

    /// <param name="agent">The agent as stored.</param>
    /// <param name="calls">How many calls it has had.</param>
    /// <param name="defaultModel">Shown where the template names none.</param>
    public static AgentResponse From(Agent agent, int calls, string defaultModel) => new()
    {
        Version = agent.Version,
        AgentId = agent.AgentId,
        PublishedRevisionId = agent.PublishedRevisionId,
        Name = agent.Name,
        Created = agent.Created,
        CallTemplate = Template(agent, defaultModel),
        Statistics = new(calls),
    };

    /// <summary>Every documented field with its default. Messages inside leave unset fields out, as protobuf JSON does; unset messages are null.</summary>
    private static JsonObject Template(Agent agent, string defaultModel)
    {
        var template = agent.CallTemplate.WithDefaults(defaultModel) with
        {
            Name = agent.CallTemplate.Name ?? agent.Name,
            SharedSecrets = null,   // write-only
        };
        var json = JsonSerializer.SerializeToNode(template, WireJson.Sparse)!.AsObject();
        foreach (var message in (ReadOnlySpan<string>)["medium", "externalVoice", "voiceOverrides", "dataConnection"]) json.TryAdd(message, null);
        return json;
    }
}

/// <summary><c>AgentStatistics</c>.</summary>
internal sealed record AgentStatistics(int Calls);
