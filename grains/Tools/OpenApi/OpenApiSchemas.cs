using System.Text.Json;
using System.Text.Json.Nodes;
using VoiceGrains.Grains.Validation;

namespace VoiceGrains.Grains.Tools.OpenApi;

/// <summary>
/// Turns a document's schemas into the plain JSON Schema that a model and the checks of its arguments read: references put in place, OpenAPI 3.0's own
/// dialect translated, everything that says nothing about a value left out. Where a schema holds itself, the inner one says no more than its type.
/// </summary>
internal sealed class OpenApiSchemas(OpenApiDocument document)
{
    /// <summary>Levels of schemas; what is deeper may be anything.</summary>
    private const int Deepest = 12;

    private static readonly string[] Values = ["enum", "const", "default"];

    private static readonly string[] Kept =
    [
        "format", "pattern", "minLength", "maxLength", "minimum", "maximum", "multipleOf", "minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties",
    ];

    private readonly HashSet<string> open = new(StringComparer.Ordinal);

    /// <exception cref="OpenApiException">A reference in it cannot be followed.</exception>
    public JsonObject Plain(JsonNode? schema) => Plain(schema, 1);

    /// <summary>The properties of an object schema, those of its <c>allOf</c>, <c>anyOf</c> and <c>oneOf</c> parts among them. Read-only ones are not sent.</summary>
    public Dictionary<string, (JsonObject Schema, bool Required)> Properties(JsonNode? schema)
    {
        var found = new Dictionary<string, (JsonObject, bool)>(StringComparer.Ordinal);
        Collect(schema, found, canRequire: true, depth: 1);
        return found;
    }

    private void Collect(JsonNode? schema, Dictionary<string, (JsonObject Schema, bool Required)> found, bool canRequire, int depth)
    {
        if (depth > Deepest || document.Resolve(schema) is not { } fields) return;
        var required = canRequire ? Names(fields["required"]) : [];
        foreach (var (name, value) in fields["properties"] as JsonObject ?? [])
        {
            if (!OpenApiDocument.IsTrue(document.Resolve(value)?["readOnly"])) found.TryAdd(name, (Plain(value), required.Contains(name)));
        }
        foreach (var part in fields["allOf"] as JsonArray ?? []) Collect(part, found, canRequire, depth + 1);
        foreach (var part in (fields["anyOf"] as JsonArray ?? []).Concat(fields["oneOf"] as JsonArray ?? [])) Collect(part, found, canRequire: false, depth + 1);
        foreach (var name in required)
            if (found.TryGetValue(name, out var property)) found[name] = (property.Schema, true);   // named beside the part that holds it
    }

    private JsonObject Plain(JsonNode? schema, int depth)
    {
        if (schema?.GetValueKind() == JsonValueKind.False) return new JsonObject { ["not"] = new JsonObject() };
        if (document.Resolve(schema, out var reference) is not { } fields) return [];
        var result = new JsonObject();
        AddType(result, fields);
        Add(result, "description", (schema as JsonObject)?["description"] ?? fields["description"]);   // beside a reference: of OpenAPI 3.1
        if (depth > Deepest || (reference is not null && !open.Add(reference))) return result;
        AddRules(result, fields);
        AddNested(result, fields, depth);
        if (reference is not null) open.Remove(reference);
        return result;
    }

    private void AddType(JsonObject result, JsonObject fields)
    {
        var isNullable = OpenApiDocument.IsTrue(fields["nullable"]);   // OpenAPI 3.0
        if (isNullable && OpenApiDocument.Text(fields["type"]) is { } type) Add(result, "type", new JsonArray(type, "null"));
        else Add(result, "type", fields["type"]);
        foreach (var name in Values) Add(result, name, fields[name]);
        if (isNullable && result["enum"] is JsonArray values && !values.Contains(null)) values.Add((JsonNode?)null);
    }

    private void AddRules(JsonObject result, JsonObject fields)
    {
        foreach (var name in Kept) Add(result, name, fields[name]);
        foreach (var (exclusive, bound) in (ReadOnlySpan<(string, string)>)[("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")])
        {
            if (!OpenApiDocument.IsTrue(fields[exclusive])) Add(result, exclusive, fields[exclusive]);
            else if (result.Remove(bound, out var value)) Add(result, exclusive, value);   // OpenAPI 3.0: a flag
        }
    }

    private void AddNested(JsonObject result, JsonObject fields, int depth)
    {
        if (fields["properties"] is JsonObject properties) AddProperties(result, fields, properties, depth);
        foreach (var name in (ReadOnlySpan<string>)["items", "not", "additionalProperties"])
        {
            if (fields[name] is JsonObject inner) result[name] = Plain(inner, depth + 1);
            else if (name == "additionalProperties" && fields[name]?.GetValueKind() == JsonValueKind.False) result[name] = false;
        }
        foreach (var name in (ReadOnlySpan<string>)["allOf", "anyOf", "oneOf"])
        {
            if (fields[name] is JsonArray { Count: > 0 } parts) result[name] = new JsonArray([.. parts.Select(part => (JsonNode)Plain(part, depth + 1))]);
        }
    }

    private void AddProperties(JsonObject result, JsonObject fields, JsonObject properties, int depth)
    {
        var kept = new JsonObject();
        foreach (var (name, value) in properties)
        {
            if (OpenApiDocument.IsTrue(document.Resolve(value)?["readOnly"])) continue;
            document.Visit(name.Length / OpenApiDocument.TextPerVisit);
            kept[name] = Plain(value, depth + 1);
        }
        result["properties"] = kept;
        var required = Names(fields["required"]).Where(kept.ContainsKey).Select(name => (JsonNode)name).ToArray();
        if (required.Length > 0) result["required"] = new JsonArray(required);
    }

    private static HashSet<string> Names(JsonNode? required)
        => (required as JsonArray ?? []).Select(OpenApiDocument.Text).OfType<string>().ToHashSet(StringComparer.Ordinal);

    /// <summary>A keyword that our own checks could not follow is left out: the tool's server checks it all the same.</summary>
    private void Add(JsonObject result, string name, JsonNode? value)
    {
        if (value is null || (name == "description" && OpenApiDocument.Text(value) is null)) return;
        document.Visit(value);
        var one = new JsonObject { [name] = value.DeepClone() };
        if (ContextSchema.Problem(one) is not null) return;
        one.Remove(name, out var copy);
        result[name] = copy;
    }
}
