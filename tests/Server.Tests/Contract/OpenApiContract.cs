using System.Text.Json;
using System.Text.Json.Nodes;
using YamlDotNet.Serialization;

namespace VoiceGrains.Server.Tests.Contract;

/// <summary>
/// The published API description as a judge of real answers. It is read more strictly than it is written: no undocumented field may appear,
/// and every documented one must be there.
/// </summary>
internal static class OpenApiContract
{
    /// <summary>Messages that the service itself sends as null when they are unset, although the description does not say so.</summary>
    public static readonly string[] NullWhenUnset =
    [
        "Call.agent", "Call.medium", "Call.externalVoice", "Call.voiceOverrides", "Call.vadSettings", "Call.dataConnectionConfig", "Call.callbacks", "Call.sipDetails",
        "Call.requestContext", "Call.experimentalSettings",
        "CallStage.externalVoice", "CallStage.voiceOverrides", "CallStage.experimentalSettings",
        "ultravox.v1.CallTemplate.medium", "ultravox.v1.CallTemplate.externalVoice", "ultravox.v1.CallTemplate.voiceOverrides", "ultravox.v1.CallTemplate.dataConnection",
    ];

    /// <summary>Documented, but for requests only.</summary>
    public static readonly string[] WriteOnly =
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

    /// <summary>The whole description.</summary>
    public static JsonObject Root => Document.Value;

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
    public static Task AssertMatchesAsync(string schema, JsonElement answer)
    {
        var problems = SchemaJudge.Problems(answer, new JsonObject { ["$ref"] = "#/components/schemas/" + schema });
        Assert.True(problems.Count == 0, $"Not a {schema}: {string.Join("; ", problems)}\n{answer.GetRawText()}");
        return Task.CompletedTask;
    }

    /// <summary>What every answer of a message holds; what is for requests only does not.</summary>
    public static IEnumerable<string> RequiredOf(string? name, JsonObject schema)
    {
        var required = schema["required"]?.AsArray().Select(field => (string)field!) ?? [];
        var fields = schema["properties"]?.AsObject();
        if (name is not null && Whole.Contains(name)) required = fields!.Select(field => field.Key);
        return required.Where(field => (bool?)fields?[field]?["writeOnly"] != true && !WriteOnly.Contains($"{name}.{field}"));
    }

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
