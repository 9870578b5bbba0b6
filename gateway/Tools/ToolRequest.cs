using System.ComponentModel.DataAnnotations;
using System.Text.Json.Nodes;
using VoiceGrains.GrainInterfaces.Tools;
using VoiceGrains.GrainInterfaces.Validation;

namespace VoiceGrains.Gateway.Tools;

/// <summary><c>Tool</c> as it is created and replaced.</summary>
[ReadOnlyFields("toolId", "created", "ownership")]
internal sealed record ToolRequest
{
    [Required, StringLength(40, MinimumLength = 1)] public string? Name { get; init; }
    [Required] public BaseToolDefinition? Definition { get; init; }
}

/// <summary>What a test of a tool stands on. The published description leaves its body open.</summary>
internal sealed record ToolTestRequest
{
    /// <summary>Values as the model would give them, and of parameters that a call must override.</summary>
    public JsonObject? Parameters { get; init; }
    /// <summary>As in <c>selectedTools</c>.</summary>
    [MaxLength(20)] public IReadOnlyDictionary<string, string>? AuthTokens { get; init; }
    /// <summary>For <c>KNOWN_PARAM_CALL_STATE</c>.</summary>
    public JsonObject? CallState { get; init; }
    /// <summary>For <c>KNOWN_PARAM_CALL_METADATA</c>.</summary>
    public IReadOnlyDictionary<string, string>? Metadata { get; init; }
}
