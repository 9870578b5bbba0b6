using System.ComponentModel.DataAnnotations;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using VoiceGrains.Gateway.Preconditions;
using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.GrainInterfaces.Tools;
using VoiceGrains.GrainInterfaces.Validation;
using VoiceGrains.Grains.Tools;

namespace VoiceGrains.Gateway.Tools;

/// <summary><c>Tool</c>. The definition is written as protobuf JSON, without its unset fields.</summary>
internal sealed record ToolResponse(string ToolId, string Name, DateTimeOffset Created, [property: Shape(typeof(BaseToolDefinition))] JsonNode Definition, [property: AllowedValues(ToolResponse.Public, ToolResponse.Private)] string Ownership) : IVersioned
{
    [JsonIgnore] public long Version { get; init; }

    public const string Public = "public", Private = "private";

    public static ToolResponse From(Tool tool)
        => new(tool.ToolId, tool.Name, tool.Created, CallResponse.Sparse(tool.Definition)!, tool.IsPublic ? Public : Private) { Version = tool.Version };
}

/// <summary><c>ToolHistory</c>.</summary>
internal sealed record ToolHistoryResponse(CallResponse Call, int ErrorCount)
{
    public static ToolHistoryResponse From(ToolUsage usage) => new(CallResponse.From(usage.Call), usage.Errors);
}

/// <summary>The answer to a test: what the model would read, and what the call would do with it.</summary>
internal sealed record ToolTestResponse(
    string Result, string ResponseType, string? AgentReaction, JsonObject? UpdateCallState, string? ErrorDetails, TimeSpan Duration)
{
    public static ToolTestResponse From(ToolTest test)
        => new(test.Result, test.ResponseType, test.AgentReaction, test.UpdateCallState, test.ErrorDetails, test.Duration);
}
