using System.Text.Json.Nodes;
using VoiceGrains.GrainInterfaces.Tools;

namespace VoiceGrains.Grains.Calls.Conversations;

/// <summary>One use of a tool in a call.</summary>
internal sealed record Invocation(string Id, CallTool Tool, JsonObject Arguments)
{
    /// <summary>Counts from the invocation; metrics and events use it.</summary>
    public long StartTimestamp { get; init; }
}

/// <summary>How a tool ended. <paramref name="Result"/> is what the model sees; errors are in words.</summary>
internal sealed record ToolOutcome(Answer Answer, Invocation Invocation, string Result)
{
    public Tools.ToolReaction? Reaction { get; init; }
    /// <summary>The call ends once everything said was heard.</summary>
    public bool HangsUp { get; init; }
    /// <summary>Set when the tool failed: the full details, for REST and the event log only.</summary>
    public string? ErrorDetails { get; init; }
    public JsonObject? UpdateCallState { get; init; }
    /// <summary>Set when the tool asks for a new stage: the raw body of its answer, not yet read or checked.</summary>
    public string? NewStage { get; init; }
}
