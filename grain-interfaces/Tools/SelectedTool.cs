using System.ComponentModel.DataAnnotations;
using System.Text.Json.Nodes;
using VoiceGrains.GrainInterfaces.Validation;

namespace VoiceGrains.GrainInterfaces.Tools;

/// <summary><c>ultravox.v1.SelectedTool</c>: a tool and how a call uses it.</summary>
[AtMostOne("toolId", "toolName", "temporaryTool", Required = true)]
public sealed record SelectedTool
{
    public string? ToolId { get; init; }
    public string? ToolName { get; init; }
    public BaseToolDefinition? TemporaryTool { get; init; }
    [ToolName] public string? NameOverride { get; init; }
    public string? DescriptionOverride { get; init; }
    /// <summary>By the name of the security requirement that each satisfies.</summary>
    [MaxLength(20), Secret] public IReadOnlyDictionary<string, string>? AuthTokens { get; init; }
    /// <summary>Fixed values of parameters, hidden from the model.</summary>
    [Secret] public JsonObject? ParameterOverrides { get; init; }
    public string? TransitionId { get; init; }
}

/// <summary>A model-facing tool name.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class ToolNameAttribute() : RegularExpressionAttribute("^[a-zA-Z0-9_-]{1,64}$");

/// <summary><c>ultravox.v1.ToolOverrides</c>: changes an agent's tools for one call; removals come first.</summary>
[AtMostOne("remove", "removeAll")]
public sealed record ToolOverrides
{
    /// <summary>Model-facing names.</summary>
    public IReadOnlyList<string>? Remove { get; init; }
    public bool? RemoveAll { get; init; }
    [MaxLength(200)] public IReadOnlyList<SelectedTool>? Add { get; init; }
}
