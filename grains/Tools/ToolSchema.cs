using System.Text.Json;
using System.Text.Json.Nodes;
using VoiceGrains.GrainInterfaces.Tools;
using VoiceGrains.Grains.Calls.Conversations;
using VoiceGrains.Providers.Language;

namespace VoiceGrains.Grains.Tools;

/// <summary>Between a tool's definition and the model: what the model may fill, what it filled, and what the call adds.</summary>
internal static class ToolSchema
{
    /// <summary>The tool as the model sees it: overridden, static and automatic parameters are hidden.</summary>
    public static ModelTool ForModel(CallTool tool)
    {
        var properties = new JsonObject();
        var required = new JsonArray();
        foreach (var parameter in Visible(tool))
        {
            properties[parameter.Name!] = parameter.Schema?.DeepClone() ?? new JsonObject();
            if (parameter.Required ?? false) required.Add(parameter.Name);
        }
        var schema = new JsonObject { ["type"] = "object", ["properties"] = properties };
        if (required.Count > 0) schema["required"] = required;
        return new ModelTool(tool.Name, tool.Definition.Description ?? "", schema);
    }

    /// <summary>Reads what the model wrote. False with an error that it can mend.</summary>
    public static bool TryReadArguments(CallTool tool, string text, out JsonObject arguments, out string error)
    {
        (arguments, error) = ([], "");
        try
        {
            if (JsonNode.Parse(string.IsNullOrWhiteSpace(text) ? "{}" : text) is JsonObject parsed) arguments = parsed;
            else error = "The arguments must be a JSON object.";
        }
        catch (JsonException)
        {
            error = "The arguments are not valid JSON.";
        }
        if (error.Length > 0) return false;
        foreach (var parameter in Visible(tool))
        {
            var present = arguments.TryGetPropertyValue(parameter.Name!, out var value) && value is not null;
            if (!present && (parameter.Required ?? false)) error = $"The parameter '{parameter.Name}' is required.";
            else if (present && !Fits(parameter.Schema, value!)) error = $"The parameter '{parameter.Name}' must be of type {TypeOf(parameter.Schema)}.";
            if (error.Length > 0) return false;
        }
        return true;
    }

    /// <summary>Everything that a client tool receives, one object: arguments, overrides, static and automatic values.</summary>
    public static JsonObject BodyParameters(Invocation invocation, ToolContext context)
    {
        var body = new JsonObject();
        foreach (var (_, name, value) in AllParameters(invocation, context)) body[name] = value;
        return body;
    }

    /// <summary>All values of an invocation and where each goes.</summary>
    public static IEnumerable<(ParameterLocation Location, string Name, JsonNode? Value)> AllParameters(Invocation invocation, ToolContext context)
    {
        var tool = invocation.Tool;
        foreach (var parameter in tool.Definition.DynamicParameters)
        {
            if (tool.ParameterOverrides.TryGetValue(parameter.Name!, out var fixedValue)) yield return (At(parameter.Location), parameter.Name!, fixedValue?.DeepClone());
            else if (invocation.Arguments.TryGetPropertyValue(parameter.Name!, out var given)) yield return (At(parameter.Location), parameter.Name!, given?.DeepClone());
        }
        foreach (var parameter in tool.Definition.StaticParameters) yield return (At(parameter.Location), parameter.Name!, parameter.Value?.DeepClone());
        foreach (var parameter in tool.Definition.AutomaticParameters) yield return (At(parameter.Location), parameter.Name!, Known(parameter.KnownValue, context));
    }

    /// <summary>Reads <c>speaks</c>, <c>listens</c>, <c>speaks-once</c>; null for anything else.</summary>
    public static ToolReaction? ReadReaction(string? text) => text?.ToLowerInvariant() switch
    {
        "speaks" or "agent_reaction_speaks" => ToolReaction.Speaks,
        "listens" or "agent_reaction_listens" => ToolReaction.Listens,
        "speaks-once" or "speaks_once" or "agent_reaction_speaks_once" => ToolReaction.SpeaksOnce,
        _ => null,
    };

    private static IEnumerable<DynamicParameter> Visible(CallTool tool)
        => tool.Definition.DynamicParameters.Where(parameter => parameter.Name is not null && !tool.ParameterOverrides.ContainsKey(parameter.Name));

    private static ParameterLocation At(ParameterLocation? location) => location ?? ParameterLocation.Unspecified;

    private static JsonNode? Known(KnownParameter? known, ToolContext context) => known switch
    {
        KnownParameter.CallId => context.CallId,
        KnownParameter.CallStageId => context.CallStageId,
        KnownParameter.ConversationHistory => context.ConversationHistory.DeepClone(),
        KnownParameter.OutputSampleRate => context.OutputSampleRateHz,
        KnownParameter.CallState => context.CallState.DeepClone(),
        KnownParameter.CallMetadata => JsonSerializer.SerializeToNode(context.Metadata),
        KnownParameter.ThreadId => "UI",
        KnownParameter.ThreadStates => new JsonObject(),
        _ => null,
    };

    private static string TypeOf(JsonObject? schema) => schema?["type"] is JsonValue value && value.TryGetValue<string>(out var type) ? type : "any";

    private static bool Fits(JsonObject? schema, JsonNode value) => TypeOf(schema) switch
    {
        "string" => value.GetValueKind() == JsonValueKind.String,
        "number" => value.GetValueKind() == JsonValueKind.Number,
        "integer" => value.GetValueKind() == JsonValueKind.Number && decimal.TryParse(value.ToJsonString(), out var number) && number == decimal.Truncate(number),
        "boolean" => value.GetValueKind() is JsonValueKind.True or JsonValueKind.False,
        "object" => value is JsonObject,
        "array" => value is JsonArray,
        _ => true,
    };
}
