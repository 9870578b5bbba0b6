using System.ComponentModel.DataAnnotations;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace VoiceGrains.GrainInterfaces.Tools;

/// <summary>A tool as one call uses it: overrides applied, secrets resolved. Listed by <c>/api/calls/{id}/tools</c> without its secrets.</summary>
public sealed record CallTool
{
    public required string CallToolId { get; init; }
    /// <summary>The durable or built-in tool behind it; null for temporary ones.</summary>
    public string? ToolId { get; init; }
    /// <summary>The model-facing name, <c>^[a-zA-Z0-9_-]{1,64}$</c>, unique in the call.</summary>
    public required string Name { get; init; }
    public required CallToolDefinition Definition { get; init; }
    /// <summary>Header values that authenticate an HTTP tool, by header name. Never shown.</summary>
    [Secret] public IReadOnlyDictionary<string, string> AuthHeaders { get; init; } = new Dictionary<string, string>();
    /// <summary>Query values that authenticate an HTTP tool. Never shown.</summary>
    [Secret] public IReadOnlyDictionary<string, string> AuthQueryParams { get; init; } = new Dictionary<string, string>();
    /// <summary>Fixed values that are secrets, by the name of their parameter. Never shown.</summary>
    [Secret] public IReadOnlyDictionary<string, JsonNode?> SecretParameters { get; init; } = new Dictionary<string, JsonNode?>();
    /// <summary>Dynamic parameters that the call fixed: hidden from the model.</summary>
    public IReadOnlyDictionary<string, JsonNode?> ParameterOverrides { get; init; } = new Dictionary<string, JsonNode?>();
    /// <summary>The built-in behaviour's name, for example <c>hangUp</c>; null for HTTP, client and data connection tools.</summary>
    public string? BuiltIn { get; init; }
}

/// <summary><c>ultravox.v1.CallTool</c>.</summary>
public sealed record CallToolDefinition
{
    public string? Description { get; init; }
    public IReadOnlyList<DynamicParameter> DynamicParameters { get; init; } = [];
    public IReadOnlyList<StaticParameter> StaticParameters { get; init; } = [];
    public IReadOnlyList<AutomaticParameter> AutomaticParameters { get; init; } = [];
    /// <summary>Default 2.5 s, at most 40 s.</summary>
    public TimeSpan? Timeout { get; init; }
    public bool? Precomputable { get; init; }
    public HttpToolDetails? Http { get; init; }
    public EmptyDetails? Client { get; init; }
    public EmptyDetails? DataConnection { get; init; }
    public AgentReaction? DefaultReaction { get; init; }
    public StaticToolResponse? StaticResponse { get; init; }
}

/// <summary>Details without fields, written as <c>{}</c>.</summary>
public sealed record EmptyDetails;

/// <summary><c>ultravox.v1.HttpCallToolDetails</c>; names of auth headers and parameters only.</summary>
public sealed record HttpToolDetails
{
    public string? BaseUrlPattern { get; init; }
    public string? HttpMethod { get; init; }
    public IReadOnlyList<string>? AuthHeaders { get; init; }
    public IReadOnlyList<string>? AuthQueryParams { get; init; }
    public IReadOnlyList<string>? CallTokenScopes { get; init; }
}

/// <summary><c>ultravox.v1.DynamicParameter</c>: filled by the model, by its JSON Schema.</summary>
public sealed record DynamicParameter
{
    [Required] public string? Name { get; init; }
    [Required] public ParameterLocation? Location { get; init; }
    [Required] public JsonObject? Schema { get; init; }
    public bool? Required { get; init; }
}

/// <summary><c>ultravox.v1.StaticParameter</c>.</summary>
public sealed record StaticParameter
{
    [Required] public string? Name { get; init; }
    [Required] public ParameterLocation? Location { get; init; }
    public JsonNode? Value { get; init; }
}

/// <summary><c>ultravox.v1.AutomaticParameter</c>.</summary>
public sealed record AutomaticParameter
{
    [Required] public string? Name { get; init; }
    [Required] public ParameterLocation? Location { get; init; }
    [Required] public KnownParameter? KnownValue { get; init; }
}

/// <summary><c>ultravox.v1.StaticToolResponse</c>.</summary>
public sealed record StaticToolResponse { [Required] public string? ResponseText { get; init; } }

public enum ParameterLocation : byte
{
    [JsonStringEnumMemberName("PARAMETER_LOCATION_UNSPECIFIED")] Unspecified = 0,
    [JsonStringEnumMemberName("PARAMETER_LOCATION_QUERY")] Query = 1,
    [JsonStringEnumMemberName("PARAMETER_LOCATION_PATH")] Path = 2,
    [JsonStringEnumMemberName("PARAMETER_LOCATION_HEADER")] Header = 3,
    [JsonStringEnumMemberName("PARAMETER_LOCATION_BODY")] Body = 4,
}

public enum KnownParameter : byte
{
    [JsonStringEnumMemberName("KNOWN_PARAM_UNSPECIFIED")] Unspecified = 0,
    [JsonStringEnumMemberName("KNOWN_PARAM_CALL_ID")] CallId = 1,
    [JsonStringEnumMemberName("KNOWN_PARAM_CONVERSATION_HISTORY")] ConversationHistory = 2,
    [JsonStringEnumMemberName("KNOWN_PARAM_OUTPUT_SAMPLE_RATE")] OutputSampleRate = 3,
    [JsonStringEnumMemberName("KNOWN_PARAM_CALL_STATE")] CallState = 4,
    [JsonStringEnumMemberName("KNOWN_PARAM_CALL_STAGE_ID")] CallStageId = 5,
    [JsonStringEnumMemberName("KNOWN_PARAM_THREAD_ID")] ThreadId = 6,
    [JsonStringEnumMemberName("KNOWN_PARAM_THREAD_STATES")] ThreadStates = 7,
    [JsonStringEnumMemberName("KNOWN_PARAM_CALL_METADATA")] CallMetadata = 8,
}

/// <summary>How the agent goes on after a tool.</summary>
public enum AgentReaction : byte
{
    [JsonStringEnumMemberName("AGENT_REACTION_UNSPECIFIED")] Unspecified = 0,
    [JsonStringEnumMemberName("AGENT_REACTION_SPEAKS")] Speaks = 1,
    [JsonStringEnumMemberName("AGENT_REACTION_LISTENS")] Listens = 2,
    [JsonStringEnumMemberName("AGENT_REACTION_SPEAKS_ONCE")] SpeaksOnce = 3,
}
