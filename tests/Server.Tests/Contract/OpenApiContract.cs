using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.Json.Nodes;
using NJsonSchema;
using YamlDotNet.Serialization;

namespace VoiceGrains.Server.Tests.Contract;

/// <summary>
/// The published API description as a judge of real answers. It is read more strictly than it is written: no undocumented field may appear,
/// and every documented one must be there.
/// </summary>
internal static class OpenApiContract
{
    /// <summary>Messages that the service itself sends as null when they are unset, although the description does not say so.</summary>
    private static readonly string[] NullWhenUnset =
    [
        "Call.agent", "Call.medium", "Call.externalVoice", "Call.voiceOverrides", "Call.vadSettings", "Call.dataConnectionConfig", "Call.callbacks", "Call.sipDetails",
        "Call.requestContext", "Call.experimentalSettings",
        "CallStage.externalVoice", "CallStage.voiceOverrides", "CallStage.experimentalSettings",
        "ultravox.v1.CallTemplate.medium", "ultravox.v1.CallTemplate.externalVoice", "ultravox.v1.CallTemplate.voiceOverrides", "ultravox.v1.CallTemplate.dataConnection",
        "Voice.definition",
    ];

    /// <summary>Documented, but for requests only.</summary>
    private static readonly string[] WriteOnly =
    [
        "ultravox.v1.CallTemplate.sharedSecrets", "TwilioConfig.authToken", "TelnyxConfig.apiKey", "TelnyxConfig.publicKey", "PlivoConfig.authToken",
    ];

    /// <summary>Whose every field is in every answer. Other messages leave unset fields out.</summary>
    private static readonly string[] Whole =
    [
        "Account", "Agent", "AgentStatistics", "ultravox.v1.CallTemplate", "ultravox.v1.VadSettings", "Call", "CallStage", "Voice", "ModelAlias",
        "PaginatedAgentList", "PaginatedVoiceList", "PaginatedModelAliasList", "PaginatedCallList", "PaginatedCallStageList", "PaginatedCallEventList",
        "CallEvent", "CallTool", "CallTombstone", "PaginatedCallTombstoneList",
        "Tool", "PaginatedToolList", "ToolHistory", "PaginatedToolHistoryList",
        "Webhook", "WebhookFailure", "PaginatedWebhookList",
        "APIKey", "APIKeyCreate", "PaginatedAPIKeyList",
        "CallUsage", "CallStatistics", "DailyCallStatistics", "HourlyCallStatistics", "AgentUsage", "AgentDailyUsage", "ConcurrencyResponse", "ConcurrencyBucket",
        "AccountBillingInfo", "UsageResponse", "BillingUsageDay", "PaginatedInvoiceList",
        "TwilioConfig", "TelnyxConfig", "PlivoConfig", "AccountTelephonyConfig",
    ];

    private static readonly Lazy<JsonObject> Document = new(Load);
    private static readonly ConcurrentDictionary<string, Task<JsonSchema>> Compiled = new();

    /// <summary>Every method of every path.</summary>
    public static IEnumerable<(string Method, string Path)> Operations =>
        from path in Document.Value["paths"]!.AsObject()
        from operation in path.Value!.AsObject()
        where operation.Key is "get" or "post" or "put" or "patch" or "delete"
        select (operation.Key.ToUpperInvariant(), path.Key);

    /// <summary>The description itself. Not to be changed.</summary>
    public static JsonObject Published => Document.Value;

    /// <summary>One operation as it is published; null when it is not. Parameters in the path may have any names.</summary>
    public static JsonObject? Find(string method, string path)
    {
        var wanted = Shape(path);
        return Document.Value["paths"]!.AsObject().FirstOrDefault(published => Shape(published.Key) == wanted).Value?[method.ToLowerInvariant()]?.AsObject();
    }

    /// <summary>What a reference stands for; anything else as it is.</summary>
    public static JsonNode? Resolve(JsonNode? schema)
        => schema?["$ref"]?.GetValue<string>() is { } reference ? Document.Value["components"]!["schemas"]![reference.Split('/')[^1]] : schema;

    /// <summary>A path without the names of its parameters, its constraints and its last slash.</summary>
    public static string Shape(string path)
        => "/" + string.Join('/', path.Split('/', StringSplitOptions.RemoveEmptyEntries).Select(segment => segment[0] == '{' ? "{}" : segment));

    /// <summary>Fails with every way in which the answer differs from its description.</summary>
    public static async Task AssertMatchesAsync(string schema, JsonElement answer)
    {
        var judge = await Compiled.GetOrAdd(schema, Compile);
        var problems = judge.Validate(answer.GetRawText()).Select(p => $"{p.Path}: {p.Kind}").ToList();
        Assert.True(problems.Count == 0, $"Not a {schema}: {string.Join("; ", problems)}\n{answer.GetRawText()}");
    }

    private static Task<JsonSchema> Compile(string schema)
    {
        var definitions = new JsonObject();
        foreach (var (name, value) in Document.Value["components"]!["schemas"]!.AsObject()) definitions[Name(name)] = Translate(value!.DeepClone(), name);
        var document = definitions[Name(schema)]!.DeepClone().AsObject();
        document["definitions"] = definitions;
        return JsonSchema.FromJsonAsync(document.ToJsonString());
    }

    private static JsonNode Translate(JsonNode node, string? schemaName = null)
    {
        if (node is JsonArray list)
        {
            for (var i = 0; i < list.Count; i++) if (list[i] is JsonObject item) list[i] = Translate(item.DeepClone());
            return list;
        }
        if (node is not JsonObject schema) return node;
        if (schema["$ref"]?.GetValue<string>() is { } reference)
        {
            var target = new JsonObject { ["$ref"] = "#/definitions/" + Name(reference.Split('/')[^1]) };
            return schema["nullable"]?.GetValue<bool>() == true ? new JsonObject { ["anyOf"] = new JsonArray(new JsonObject { ["type"] = "null" }, target) } : target;
        }
        if (schema["properties"] is JsonObject properties) TranslateProperties(schema, properties, schemaName);
        foreach (var key in new[] { "allOf", "oneOf", "anyOf" }) if (schema[key] is JsonArray parts) schema[key] = Translate(parts.DeepClone());
        foreach (var key in new[] { "items", "additionalProperties" }) if (schema[key] is JsonObject inner) schema[key] = Translate(inner.DeepClone());
        foreach (var annotation in new[] { "description", "example", "default", "readOnly", "format" })
            if (annotation != "format" || schema["format"]?.GetValue<string>() is not ("uuid" or "date-time" or "uri")) schema.Remove(annotation);
        if (!schema.Remove("nullable", out var nullable) || !nullable!.GetValue<bool>()) return schema;
        return new JsonObject { ["anyOf"] = new JsonArray(new JsonObject { ["type"] = "null" }, schema) };
    }

    private static void TranslateProperties(JsonObject schema, JsonObject properties, string? schemaName)
    {
        foreach (var (name, value) in properties.ToList())
        {
            var property = value!.DeepClone().AsObject();
            if (NullWhenUnset.Contains($"{schemaName}.{name}")) property["nullable"] = true;
            properties[name] = Translate(property);
        }
        if (schema["additionalProperties"] is null) schema["additionalProperties"] = false;
        if (schemaName is null || !Whole.Contains(schemaName)) return;
        schema["required"] = new JsonArray([.. properties.Select(p => p.Key).Where(p => !WriteOnly.Contains($"{schemaName}.{p}")).Select(p => (JsonNode)p)]);
    }

    /// <summary>Without the points that a path in NJsonSchema's messages would break at.</summary>
    private static string Name(string schema) => schema.Replace('.', '_');

    private static JsonObject Load()
    {
        using var file = File.OpenText(Path.Combine(AppContext.BaseDirectory, "Contract", "ultravox-openapi.yaml"));
        var yaml = new DeserializerBuilder().WithAttemptingUnquotedStringTypeDeserialization().Build().Deserialize<object>(file);
        return JsonSerializer.SerializeToNode(Plain(yaml))!.AsObject();
    }

    private static object? Plain(object? yaml) => yaml switch
    {
        IDictionary<object, object> map => map.ToDictionary(p => p.Key.ToString()!, p => Plain(p.Value)),
        IList<object> list => list.Select(Plain).ToList(),
        _ => yaml,
    };
}
