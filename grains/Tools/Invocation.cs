using System.Text.Json.Nodes;
using VoiceGrains.GrainInterfaces.Tools;

namespace VoiceGrains.Grains.Tools;

/// <summary>One use of a tool. <paramref name="Arguments"/> fit the tool's schema and hold nothing that it does not name.</summary>
internal sealed record Invocation(string Id, CallTool Tool, JsonObject Arguments);

/// <summary>How a tool ended. <paramref name="Result"/> is what the model sees; errors are in words.</summary>
internal sealed record ToolOutcome(string Result)
{
    /// <summary>Null: the tool's default, but a failure is always spoken of.</summary>
    public ToolReaction? Reaction { get; init; }
    /// <summary>The call ends once everything said was heard.</summary>
    public bool HangsUp { get; init; }
    /// <summary>As <see cref="HangsUp"/>, and the user can still prevent it by acting.</summary>
    public bool HangsUpUnlessUserActs { get; init; }
    /// <summary>Set when the tool failed: the full details, for REST and the event log only.</summary>
    public string? ErrorDetails { get; init; }
    public JsonObject? UpdateCallState { get; init; }
    /// <summary>Something in an otherwise good answer that was ignored, for the event log.</summary>
    public string? Warning { get; init; }
    /// <summary>Set when the tool asks for a new stage: the raw body of its answer, not yet read or checked.</summary>
    public string? NewStage { get; init; }

    /// <param name="why">A sentence for the model.</param>
    /// <param name="details">For the event log; null is <paramref name="why"/>.</param>
    public static ToolOutcome Failed(string why, string? details = null) => new($"Error: {why}") { ErrorDetails = details ?? why };
}
