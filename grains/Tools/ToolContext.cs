using System.Text.Json;
using System.Text.Json.Nodes;
using VoiceGrains.GrainInterfaces.Tools;

namespace VoiceGrains.Grains.Tools;

/// <summary>What a tool may know of its call: the values of the automatic parameters.</summary>
internal sealed record ToolContext
{
    public required string CallId { get; init; }
    public required string CallStageId { get; init; }
    public required int OutputSampleRateHz { get; init; }
    public required JsonObject CallState { get; init; }
    public IReadOnlyDictionary<string, string> Metadata { get; init; } = new Dictionary<string, string>();

    /// <summary>Empty unless the tool asks for it.</summary>
    public JsonArray ConversationHistory { get; init; } = [];

    /// <summary>The thread that calls the tool; the main conversation is <c>UI</c>.</summary>
    public string ThreadId { get; init; } = "UI";

    /// <summary>By thread id.</summary>
    public JsonObject ThreadStates { get; init; } = [];

    /// <summary>Of this call, valid while it lasts: for tools that require a call token.</summary>
    public string CallToken { get; init; } = "";

    /// <summary>What HTTP requests are signed with; none signs nothing.</summary>
    public IReadOnlyList<string> SharedSecrets { get; init; } = [];

    /// <summary>When the tool is invoked.</summary>
    public DateTimeOffset Now { get; init; }

    /// <summary>The value of one automatic parameter.</summary>
    public JsonNode? this[KnownParameter known] => known switch
    {
        KnownParameter.CallId => CallId,
        KnownParameter.CallStageId => CallStageId,
        KnownParameter.ConversationHistory => ConversationHistory.DeepClone(),
        KnownParameter.OutputSampleRate => OutputSampleRateHz,
        KnownParameter.CallState => CallState.DeepClone(),
        KnownParameter.CallMetadata => JsonSerializer.SerializeToNode(Metadata),
        KnownParameter.ThreadId => ThreadId,
        KnownParameter.ThreadStates => ThreadStates.DeepClone(),
        _ => null,
    };
}
