using VoiceGrains.GrainInterfaces.Tools;
using VoiceGrains.GrainInterfaces.Validation;

namespace VoiceGrains.Grains.Tools;

/// <summary>A tool that calls and agents can select by id or name: an account's own, or a built-in one.</summary>
public sealed record Tool
{
    public required string ToolId { get; init; }
    /// <summary>Unique among the account's own tools. Need not be the name that the model sees.</summary>
    public required string Name { get; init; }
    public required DateTimeOffset Created { get; init; }
    public required BaseToolDefinition Definition { get; init; }
    /// <summary>Built-in tools belong to nobody and everybody may use them.</summary>
    public required bool IsPublic { get; init; }

    /// <summary>Rises with every change, from 0.</summary>
    public long Version { get; init; }

    /// <summary>What the server itself does instead of the definition's implementation; null for an account's own tools.</summary>
    public string? BuiltIn => IsPublic ? Name : null;
}

/// <summary>What a client gives of a durable tool.</summary>
public sealed record ToolDraft(string Name, BaseToolDefinition Definition)
{
    /// <summary>The operation of an uploaded file that it was made of, <c>GET /pets</c>; null when it was given as it is.</summary>
    public string? Source { get; init; }

    /// <summary>Tells of a problem at the place that the client gave.</summary>
    internal void Tell(InputErrors errors, string field, string problem)
    {
        if (Source is null) errors.Field(field).Add(problem);
        else errors.Field("file").Add($"{Source}, as '{Name}': {problem}");
    }
}
