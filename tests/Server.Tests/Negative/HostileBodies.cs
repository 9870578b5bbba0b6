using System.Text.Json.Nodes;
using VoiceGrains.Server.Tests.Contract;

namespace VoiceGrains.Server.Tests.Negative;

/// <summary>Bodies that are right but for one place, for every place that the published schema of a request knows.</summary>
internal static class HostileBodies
{
    private const int Depth = 6;
    private const string Mark = "\"\uE000\"";

    /// <param name="schema">Of the request.</param>
    /// <param name="sample">A body that is right.</param>
    /// <param name="each">How many values each place gets; they take turns, so that all of them get everywhere in the end.</param>
    public static IEnumerable<string> For(JsonNode? schema, JsonObject sample, int each)
    {
        var turn = 0;
        foreach (var place in Places(schema, Depth))
        {
            var body = Put(sample.DeepClone(), place, 0)!.ToJsonString();
            for (var i = 0; i < each; i++, turn++)
            {
                var values = turn % 2 == 0 ? HostileText.JsonStrings : HostileText.JsonValues;
                var value = values[turn / 2 % values.Length];
                // The longest text at one place of many is enough: it is the same limit everywhere.
                yield return body.Replace("\"\\uE000\"", value, StringComparison.OrdinalIgnoreCase).Replace(Mark, value, StringComparison.Ordinal);
            }
        }
    }

    /// <summary>Paths to every property and item, at most so deep; objects of any names have the name <c>key</c>.</summary>
    private static IEnumerable<string[]> Places(JsonNode? schema, int depth)
    {
        schema = Resolve(schema);
        if (depth == 0 || schema is not JsonObject) yield break;
        foreach (var (name, part) in Parts(schema))
        {
            yield return [name];
            foreach (var below in Places(part, depth - 1)) yield return [name, .. below];
        }
    }

    private static IEnumerable<(string Name, JsonNode? Schema)> Parts(JsonNode schema)
    {
        foreach (var (name, property) in schema["properties"]?.AsObject() ?? []) yield return (name, property);
        foreach (var choice in (schema["oneOf"] ?? schema["anyOf"]) as JsonArray ?? [])
            foreach (var part in Parts(Resolve(choice)!)) yield return part;
        if (schema["items"] is { } items) yield return ("0", items);
        if (schema["additionalProperties"] is JsonObject values) yield return ("key", values);
    }

    private static JsonNode? Resolve(JsonNode? schema)
    {
        schema = OpenApiContract.Resolve(schema);
        return schema?["allOf"] is JsonArray { Count: 1 } one ? OpenApiContract.Resolve(one[0]) : schema;
    }

    private static JsonNode? Put(JsonNode? into, string[] place, int at)
    {
        if (at == place.Length) return JsonValue.Create("\uE000");
        if (place[at] == "0")
        {
            var list = into as JsonArray is { Count: > 0 } present ? present : [null];
            var item = list[0];
            list[0] = null;
            list[0] = Put(item, place, at + 1);
            return list;
        }
        var fields = into as JsonObject ?? [];
        fields.Remove(place[at], out var field);
        fields[place[at]] = Put(field, place, at + 1);
        return fields;
    }
}
