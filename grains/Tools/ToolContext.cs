using System.Text.Json.Nodes;

namespace VoiceGrains.Grains.Tools;

/// <summary>What a tool may know of its call: the values of the automatic parameters.</summary>
internal sealed record ToolContext(
    string CallId, string CallStageId, int OutputSampleRateHz, JsonObject CallState, IReadOnlyDictionary<string, string> Metadata, JsonArray ConversationHistory);
