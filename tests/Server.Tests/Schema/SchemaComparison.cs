using System.Text.Json.Nodes;
using VoiceGrains.Server.Tests.Contract;

namespace VoiceGrains.Server.Tests.Schema;

/// <summary>How the served description differs from the published one, place by place.</summary>
internal sealed class SchemaComparison(JsonObject served)
{
    private readonly List<string> differences = [];
    private readonly HashSet<(JsonNode, JsonNode)> open = [];

    public IReadOnlyList<string> Differences => differences;

    /// <summary>All that the served description has; what is not served is not compared.</summary>
    public void CompareAll()
    {
        foreach (var (path, operations) in served["paths"]!.AsObject())
        {
            foreach (var (method, operation) in operations!.AsObject())
            {
                var name = $"{method.ToUpperInvariant()} {OpenApiContract.Shape(path)}";
                if (OpenApiContract.Find(method, path) is { } published) CompareOperation(name, published, operation!.AsObject());
                else Add(name, "is not published");
            }
        }
    }

    private void CompareOperation(string name, JsonObject published, JsonObject ours)
    {
        Sets($"{name} security", Security(published), Security(ours));
        var (theirParameters, ourParameters) = (Query(published), Query(ours));
        Sets($"{name} query", theirParameters.Keys, ourParameters.Keys);
        foreach (var (parameter, schema) in theirParameters)
            if (ourParameters.TryGetValue(parameter, out var own)) CompareSchema($"{name} ?{parameter}", schema, own, isRequest: true);
        Sets($"{name} path", PathTypes(published), PathTypes(ours));
        CompareContent($"{name} body", published["requestBody"]?["content"], ours["requestBody"]?["content"], isRequest: true);
        Sets($"{name} responses", published["responses"]!.AsObject().Select(r => r.Key), ours["responses"]!.AsObject().Select(r => r.Key));
        foreach (var (status, response) in published["responses"]!.AsObject())
            if (ours["responses"]![status] is { } own) CompareContent($"{name} {status}", response!["content"], own["content"], isRequest: false);
    }

    private void CompareContent(string place, JsonNode? published, JsonNode? ours, bool isRequest)
    {
        Sets($"{place} types", (published as JsonObject ?? []).Select(c => c.Key), (ours as JsonObject ?? []).Select(c => c.Key));
        foreach (var (type, content) in published as JsonObject ?? [])
            if (ours?[type]?["schema"] is { } own && content!["schema"] is { } schema) CompareSchema(place, schema, own, isRequest);
    }

    private void CompareSchema(string place, JsonNode? published, JsonNode? ours, bool isRequest)
    {
        var theirs = Resolve(published, OpenApiContract.Published);
        var own = Resolve(ours, served);
        if (!open.Add((theirs, own))) return;      // told where it was met first
        var (their, our) = (TypeOf(theirs), TypeOf(own));
        if (their != our)
        {
            Add(place, $"is {our} instead of {their}");
            return;
        }
        Sets($"{place} enum", Enum(theirs), Enum(own));
        if (theirs["items"] is { } items) CompareSchema($"{place}[]", items, own["items"], isRequest);
        if (theirs["additionalProperties"] is JsonObject { Count: > 0 } values) CompareSchema($"{place}.*", values, own["additionalProperties"], isRequest);
        if (theirs["properties"] is not JsonObject properties) return;
        var known = properties.Where(p => isRequest ? p.Value!["readOnly"]?.GetValue<bool>() != true : p.Value!["writeOnly"]?.GetValue<bool>() != true).ToList();
        var named = own["properties"] as JsonObject ?? [];
        Sets($"{place} fields", known.Select(p => p.Key), named.Select(p => p.Key));
        var required = Names(theirs["required"]).Intersect(known.Select(p => p.Key)).ToList();
        // More may be required of an answer than is published: clients lose nothing by it.
        Sets($"{place} required", required, isRequest ? Names(own["required"]) : Names(own["required"]).Intersect(required));
        foreach (var (name, property) in known)
            if (named[name] is { } mine) CompareSchema($"{place}.{name}", property, mine, isRequest);
    }

    private void Sets(string place, IEnumerable<string> published, IEnumerable<string> ours)
    {
        var (their, our) = (published.ToHashSet(), ours.ToHashSet());
        if (their.Except(our).Order(StringComparer.Ordinal).ToList() is { Count: > 0 } missing) Add(place, $"lacks {string.Join(", ", missing)}");
        if (our.Except(their).Order(StringComparer.Ordinal).ToList() is { Count: > 0 } more) Add(place, $"has also {string.Join(", ", more)}");
    }

    private void Add(string place, string difference) => differences.Add($"{place} {difference}");

    private static JsonObject Resolve(JsonNode? schema, JsonObject document)
    {
        while (true)
        {
            if (schema?["$ref"]?.GetValue<string>() is { } reference) schema = document["components"]!["schemas"]![reference.Split('/')[^1]];
            else if (schema?["allOf"] is JsonArray { Count: 1 } one) schema = one[0];
            else if (schema?["oneOf"] is JsonArray { Count: > 1 } some && some.Any(s => s!["$ref"]?.GetValue<string>().EndsWith("/NullEnum", StringComparison.Ordinal) == true)) schema = some[0];
            else return schema as JsonObject ?? [];
        }
    }

    /// <summary>Names of the schemes; none where no key is needed.</summary>
    private static IEnumerable<string> Security(JsonObject operation) => (operation["security"] as JsonArray ?? []).SelectMany(one => one!.AsObject().Select(scheme => scheme.Key));

    private static string TypeOf(JsonObject schema) => schema["type"]?.GetValue<string>() ?? (schema["properties"] is not null ? "object" : "anything");

    private static IEnumerable<string> Enum(JsonObject schema) => (schema["enum"] as JsonArray ?? []).OfType<JsonNode>().Select(v => v.ToString()).Where(v => v.Length > 0);

    private static IEnumerable<string> Names(JsonNode? list) => (list as JsonArray ?? []).Select(n => n!.GetValue<string>());

    private static Dictionary<string, JsonNode?> Query(JsonObject operation)
        => (operation["parameters"] as JsonArray ?? []).Where(p => p!["in"]!.GetValue<string>() == "query").ToDictionary(p => p!["name"]!.GetValue<string>(), p => p!["schema"]);

    private static IEnumerable<string> PathTypes(JsonObject operation)
        => (operation["parameters"] as JsonArray ?? []).Where(p => p!["in"]!.GetValue<string>() == "path").Select((p, i) => $"{i} {p!["schema"]!["type"]}");
}
