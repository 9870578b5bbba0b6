using System.Text.Json.Nodes;
using VoiceGrains.GrainInterfaces.Tools;
using VoiceGrains.GrainInterfaces.Voices;

namespace VoiceGrains.GrainInterfaces.Calls;

/// <summary>What a stage of a call runs with: templates filled, defaults applied, never changed afterwards.</summary>
public sealed record StageSettings
{
    public required string CallStageId { get; init; }
    public DateTimeOffset Created { get; init; }
    public string? SystemPrompt { get; init; }
    /// <summary>0 to 1.</summary>
    public double Temperature { get; init; }
    /// <summary>The alias that the client named, for example <c>ultravox-v0.7</c>.</summary>
    public required string Model { get; init; }
    /// <summary>Name or id as the client gave it; null with <see cref="ExternalVoice"/> or for the default voice.</summary>
    public string? Voice { get; init; }
    public ExternalVoice? ExternalVoice { get; init; }
    public ExternalVoice? VoiceOverrides { get; init; }
    public string? LanguageHint { get; init; }
    public string? TimeExceededMessage { get; init; }
    public IReadOnlyList<TimedMessage> InactivityMessages { get; init; } = [];
    public VadSettings? VadSettings { get; init; }
    public IReadOnlyList<CallTool> Tools { get; init; } = [];
    /// <summary>History before the stage began; indexes 0 to n-1 of the stage.</summary>
    public IReadOnlyList<Message> InitialMessages { get; init; } = [];
    public JsonObject InitialState { get; init; } = [];
    public JsonNode? ExperimentalSettings { get; init; }
    /// <summary>What requests to the customer's servers are signed with; each makes a signature of its own. Never shown.</summary>
    [Secret] public IReadOnlyList<string> SharedSecrets { get; init; } = [];
}
