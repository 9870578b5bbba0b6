using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace VoiceGrains.Gateway.Connection;

/// <summary><c>ConnectionDetailsRequest</c>, read and checked. As a handler's parameter it is bound before the handler runs.</summary>
/// <param name="AgentId">Whose template the call has.</param>
/// <param name="DynamicVariables">Fill the template. Flat: text, numbers and booleans.</param>
/// <param name="Tts">Overrides of the voice; null for none.</param>
internal sealed record ConnectionDetailsRequest(string AgentId, JsonObject DynamicVariables, TtsParams? Tts)
{
    private const int MaxVariables = 1_000;

    /// <exception cref="UnprocessableException">With every problem.</exception>
    public static async ValueTask<ConnectionDetailsRequest?> BindAsync(HttpContext context, ParameterInfo parameter)
        => Read(await ConnectionBody.ReadAsync(context.Request, context.RequestAborted));

    /// <exception cref="UnprocessableException">With every problem.</exception>
    public static ConnectionDetailsRequest Read(JsonElement json)
    {
        var problems = new RequestProblems();
        if (!FieldReader.IsObject(json, [], problems)) problems.ThrowIfAny();
        var fields = new FieldReader(json, [], problems);
        fields.OnlyHas("agent_id", "dynamic_variables", "agent_overrides");
        if (fields.Get("agent_id", mayBeNull: true).ValueKind == JsonValueKind.Undefined) problems.Add(["agent_id"], "Field required", "missing");
        var agentId = fields.Text("agent_id", mayBeNull: true);
        var variables = Variables(fields.Get("dynamic_variables", mayBeNull: true), problems);
        var tts = Overrides(fields.Get("agent_overrides", mayBeNull: true), problems);
        problems.ThrowIfAny();
        return new(agentId!, variables, tts);
    }

    private static JsonObject Variables(JsonElement json, RequestProblems problems)
    {
        const string place = "dynamic_variables";
        var variables = new JsonObject();
        if (json.ValueKind == JsonValueKind.Undefined || !FieldReader.IsObject(json, [place], problems)) return variables;
        if (json.GetPropertyCount() > MaxVariables)
        {
            problems.Add([place], $"Dictionary should have at most {MaxVariables} items", "too_long");
            return variables;
        }
        foreach (var variable in json.EnumerateObject())
        {
            if (!JsonLeaf.TryName(variable, out var name)) problems.Add([place], "A name is not valid text.", "string_unicode");
            else if (Value(variable.Value) is { } value) variables[name] = value;
            else problems.Add([place, JsonLeaf.Shorten(name)], "Input should be a valid string, number or boolean", "value_error");
        }
        return variables;
    }

    private static JsonNode? Value(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => FieldReader.TextOf(value) is { } text ? JsonValue.Create(text) : null,
        JsonValueKind.Number => value.TryGetDouble(out var number) && double.IsFinite(number) ? JsonValue.Create(value) : null,
        JsonValueKind.True or JsonValueKind.False => JsonValue.Create(value.GetBoolean()),
        _ => null,
    };

    private static TtsParams? Overrides(JsonElement json, RequestProblems problems)
    {
        const string place = "agent_overrides";
        if (json.ValueKind == JsonValueKind.Undefined || !FieldReader.IsObject(json, [place], problems)) return null;
        var fields = new FieldReader(json, [place], problems);
        fields.OnlyHas("tts_params");
        var tts = fields.Get("tts_params", mayBeNull: true);
        return tts.ValueKind == JsonValueKind.Undefined || !FieldReader.IsObject(tts, [place, "tts_params"], problems) ? null
            : TtsParams.Read(new FieldReader(tts, [place, "tts_params"], problems));
    }
}
