using System.ComponentModel.DataAnnotations;
using VoiceGrains.GrainInterfaces.Validation;

namespace VoiceGrains.GrainInterfaces.Tools;

/// <summary><c>ultravox.v1.BaseToolDefinition</c>: a tool before a call selects it.</summary>
[AtMostOne("http", "client", "dataConnection", Required = true)]
public sealed record BaseToolDefinition
{
    [Required, ToolName] public string? ModelToolName { get; init; }
    public string? Description { get; init; }
    [MaxLength(100)] public IReadOnlyList<DynamicParameter>? DynamicParameters { get; init; }
    [MaxLength(100)] public IReadOnlyList<StaticParameter>? StaticParameters { get; init; }
    [MaxLength(100)] public IReadOnlyList<AutomaticParameter>? AutomaticParameters { get; init; }
    public ToolRequirements? Requirements { get; init; }
    /// <summary>Default 2.5 s, at most 40 s.</summary>
    [DurationRange("0s", "40s")] public TimeSpan? Timeout { get; init; }
    public bool? Precomputable { get; init; }
    public BaseHttpToolDetails? Http { get; init; }
    public EmptyDetails? Client { get; init; }
    public EmptyDetails? DataConnection { get; init; }
    public AgentReaction? DefaultReaction { get; init; }
    public StaticToolResponse? StaticResponse { get; init; }
}

/// <summary><c>ultravox.v1.BaseHttpToolDetails</c>.</summary>
public sealed record BaseHttpToolDetails
{
    /// <summary>May hold <c>{placeholders}</c> of path parameters.</summary>
    [Required, WireUrl("https", "http")] public string? BaseUrlPattern { get; init; }
    [Required, RegularExpression("^(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS)$")] public string? HttpMethod { get; init; }
}

/// <summary><c>ultravox.v1.ToolRequirements</c>.</summary>
public sealed record ToolRequirements
{
    public SecurityOptions? HttpSecurityOptions { get; init; }
    /// <summary>Dynamic parameters that a call must fix.</summary>
    public IReadOnlyList<string>? RequiredParameterOverrides { get; init; }
}

/// <summary><c>ultravox.v1.SecurityOptions</c>: one must be met; the first non-empty one that can be is used.</summary>
public sealed record SecurityOptions { public IReadOnlyList<SecurityRequirements>? Options { get; init; } }

/// <summary><c>ultravox.v1.SecurityRequirements</c>: all must be met.</summary>
public sealed record SecurityRequirements
{
    public IReadOnlyDictionary<string, SecurityRequirement>? Requirements { get; init; }
    public CallTokenRequirement? UltravoxCallTokenRequirement { get; init; }
}

/// <summary><c>ultravox.v1.SecurityRequirement</c>.</summary>
[AtMostOne("queryApiKey", "headerApiKey", "httpAuth", Required = true)]
public sealed record SecurityRequirement
{
    public NamedApiKey? QueryApiKey { get; init; }
    public NamedApiKey? HeaderApiKey { get; init; }
    public HttpAuth? HttpAuth { get; init; }
}

/// <summary>The query parameter or header that carries a key.</summary>
public sealed record NamedApiKey { [Required] public string? Name { get; init; } }

/// <summary>The scheme of the <c>Authorization</c> header, for example <c>Bearer</c>.</summary>
public sealed record HttpAuth { [Required] public string? Scheme { get; init; } }

/// <summary><c>ultravox.v1.UltravoxCallTokenRequirement</c>: met by the call itself.</summary>
public sealed record CallTokenRequirement { public IReadOnlyList<string>? Scopes { get; init; } }
