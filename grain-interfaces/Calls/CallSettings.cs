using System.Text.Json.Nodes;

namespace VoiceGrains.GrainInterfaces.Calls;

/// <summary>What a call was created with; frozen, so that later edits of its agent change nothing.</summary>
public sealed record CallSettings
{
    public required string CallId { get; init; }
    public required string AccountId { get; init; }
    public string? AgentId { get; init; }
    public string? AgentName { get; init; }
    public required DateTimeOffset Created { get; init; }
    public required CallMedium Medium { get; init; }
    public TimeSpan JoinTimeout { get; init; } = TimeSpan.FromSeconds(30);
    public TimeSpan MaxDuration { get; init; } = TimeSpan.FromHours(1);
    public bool RecordingEnabled { get; init; }
    public required FirstSpeakerSettings FirstSpeaker { get; init; }
    public MessageMedium InitialOutputMedium { get; init; } = MessageMedium.Voice;
    /// <summary>Query parameter of creation: adds a prompt for a greeting where the history gives the model nothing to answer.</summary>
    public bool EnableGreetingPrompt { get; init; } = true;
    public bool TranscriptOptional { get; init; } = true;
    public required StageSettings FirstStage { get; init; }
    public IReadOnlyDictionary<string, string> Metadata { get; init; } = new Dictionary<string, string>();
    public JsonNode? RequestContext { get; init; }
    [Secret] public JsonObject? DataConnection { get; init; }
    [Secret] public JsonObject? Callbacks { get; init; }
    /// <summary><c>retain</c>, <c>auto_delete</c> or null.</summary>
    public string? RetentionPolicy { get; init; }
}
