using System.Text.Json.Nodes;
using VoiceGrains.GrainInterfaces.Tools;
using VoiceGrains.Grains.Validation;

namespace VoiceGrains.Grains.Tools.OpenApi;

/// <summary>
/// Collects what the model fills in for one operation: parameters and the properties of a JSON body. A tool knows each by one name, so of two that share
/// theirs a path parameter gives way, whose name nobody on the wire sees, or else one that may be absent.
/// </summary>
internal sealed class OpenApiParameters(OpenApiDocument document, OpenApiSchemas schemas)
{
    /// <summary>As many as a tool may have.</summary>
    private const int Most = 100;

    private readonly Dictionary<string, DynamicParameter> found = new(StringComparer.Ordinal);

    public IReadOnlyList<DynamicParameter> All => [.. found.Values];

    /// <summary>Adds parameters of the path and of the operation, which win; then the body, then what the path needs. Gives the path with the names in use.</summary>
    /// <exception cref="OpenApiException">Something that the operation requires is nothing that a tool can send.</exception>
    public string Read(string path, JsonObject pathItem, JsonObject operation)
    {
        var inPath = new Dictionary<string, JsonObject>(StringComparer.Ordinal);
        foreach (var (place, parameter) in Merge(pathItem["parameters"], operation["parameters"]))
        {
            if (place.In == "path") inPath[place.Name] = parameter;
            else Read(place.In, place.Name, parameter);
        }
        ReadBody(operation["requestBody"]);
        return ToolPath.Placeholders(path).Aggregate(path, (rest, name) => AddToPath(rest, name, inPath.GetValueOrDefault(name)));
    }

    private Dictionary<(string In, string Name), JsonObject> Merge(JsonNode? ofPath, JsonNode? ofOperation)
    {
        var merged = new Dictionary<(string, string), JsonObject>();
        foreach (var item in (ofPath as JsonArray ?? []).Concat(ofOperation as JsonArray ?? []))
        {
            var parameter = document.Resolve(item);
            if (OpenApiDocument.Text(parameter?["name"]) is not { Length: > 0 } name || OpenApiDocument.Text(parameter!["in"]) is not { } place)
                throw new OpenApiException("One of its parameters has no 'name' or no 'in'.");
            merged[(place, OpenApiDocument.CheckName(name))] = parameter!;
        }
        return merged;
    }

    private void Read(string place, string name, JsonObject parameter)
    {
        var required = OpenApiDocument.IsTrue(parameter["required"]);
        if (place == "query") Add(ParameterLocation.Query, name, SchemaOf(parameter), required);
        else if (place == "header")
        {
            // OpenAPI 3.1 §4.8.12.2.1: these are described elsewhere.
            if (name.ToLowerInvariant() is not ("accept" or "content-type" or "authorization")) Add(ParameterLocation.Header, name, SchemaOf(parameter), required);
        }
        else if (required) throw new OpenApiException($"Its parameter '{JsonLeaf.Shorten(name)}' is required in the {JsonLeaf.Shorten(place)}, where a tool sends nothing.");
    }

    private void ReadBody(JsonNode? given)
    {
        if (document.Resolve(given) is not { } body) return;
        var required = OpenApiDocument.IsTrue(body["required"]);
        var types = body["content"] as JsonObject ?? [];
        var json = types.Where(type => IsJson(type.Key)).Select(type => document.Resolve(type.Value)).FirstOrDefault();
        if (json is null)
        {
            if (required) throw new OpenApiException($"Its body is required and not JSON ({JsonLeaf.Shorten(string.Join(", ", types.Select(type => type.Key)))}).");
            return;
        }
        var properties = schemas.Properties(json["schema"]);
        if (properties.Count == 0 && required) throw new OpenApiException("Its body is required and no JSON object with named properties.");
        foreach (var (name, property) in properties) Add(ParameterLocation.Body, name, property.Schema, required && property.Required);
    }

    private string AddToPath(string path, string name, JsonObject? parameter)
    {
        var free = name;
        for (var i = 1; found.ContainsKey(free); i++) free = i == 1 ? $"path_{name}" : $"path_{name}_{i}";
        Add(ParameterLocation.Path, free, parameter is null ? new JsonObject { ["type"] = "string" } : SchemaOf(parameter), required: true);
        return free == name ? path : path.Replace($"{{{name}}}", $"{{{free}}}", StringComparison.Ordinal);
    }

    private void Add(ParameterLocation location, string name, JsonObject schema, bool required)
    {
        if (found.TryGetValue(name, out var other))
        {
            if (other.Required == true && required) throw new OpenApiException($"Two of its required parameters are named '{JsonLeaf.Shorten(name)}'.");
            if (!required) return;
        }
        else if (found.Count == Most) throw new OpenApiException($"It has more than {Most} parameters.");
        found[name] = new DynamicParameter { Name = name, Location = location, Schema = schema, Required = required };
    }

    private JsonObject SchemaOf(JsonObject parameter)
    {
        var content = (parameter["content"] as JsonObject)?.Select(type => document.Resolve(type.Value)).FirstOrDefault();
        var schema = (parameter["schema"] ?? content?["schema"]) is { } given ? schemas.Plain(given) : new JsonObject { ["type"] = "string" };
        if (OpenApiDocument.Text(parameter["description"]) is { Length: > 0 } description)
        {
            document.Visit(description.Length / OpenApiDocument.TextPerVisit);
            schema["description"] = description;
        }
        return schema;
    }

    private static bool IsJson(string mediaType)
    {
        var type = mediaType.Split(';')[0].Trim().ToLowerInvariant();
        return type is "application/json" or "*/*" or "application/*" || type.EndsWith("+json", StringComparison.Ordinal);
    }
}
