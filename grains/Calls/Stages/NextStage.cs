using System.Text.Json.Nodes;
using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.Grains.Calls.Conversations;
using VoiceGrains.Providers.Recognition;

namespace VoiceGrains.Grains.Calls.Stages;

/// <summary>A stage that is ready to be entered.</summary>
internal sealed record NextStage
{
    /// <summary>What the body said over what is inherited. Initial messages and state are those of the body, if any: else the conversation has them.</summary>
    public required StageSettings Settings { get; init; }

    /// <summary>Whether the stage brings a history of its own, possibly an empty one.</summary>
    public bool HasHistory { get; init; }

    /// <summary>Null: the call's state goes on.</summary>
    public JsonObject? State { get; init; }

    /// <summary>What the tool's result says to the model.</summary>
    public required string ToolResultText { get; init; }

    public required AgentVoice Voice { get; init; }
    public AgentVoice? FallbackVoice { get; init; }
    /// <summary>Why <see cref="Voice"/> is not the one that the stage asks for.</summary>
    public string? VoiceProblem { get; init; }
    /// <summary>Null where there is none for the language: the one before goes on.</summary>
    public IRecognizer? Recognizer { get; init; }

    /// <summary>Fields of the body that no stage can change, or that nobody knows.</summary>
    public IReadOnlyList<string> IgnoredFields { get; init; } = [];
}
