using System.Text.Json;
using System.Text.Json.Nodes;
using VoiceGrains.GrainInterfaces;
using VoiceGrains.GrainInterfaces.Agents;
using VoiceGrains.GrainInterfaces.Validation;
using VoiceGrains.Grains.Validation;

namespace VoiceGrains.Grains.Agents;

/// <summary>Turns an agent's template into the template of one call: its context is checked against the schema, then every string is filled.</summary>
public static class TemplateFiller
{
    /// <summary>Strings of these fields are never templates.</summary>
    private static readonly string[] Literal = ["contextSchema", "sharedSecrets", "created", "updated"];

    /// <param name="template">As the agent holds it.</param>
    /// <param name="context">The call's <c>templateContext</c>; null is empty.</param>
    /// <exception cref="InvalidInputException">The context breaks the schema: <c>{"templateContext": [...]}</c>.</exception>
    public static CallTemplate Fill(CallTemplate template, JsonObject? context)
    {
        context ??= [];
        var errors = new InputErrors();
        foreach (var problem in ContextSchema.Check(template.ContextSchema ?? DefaultSchema(template), context)) errors.Field("templateContext").Add(problem);
        errors.ThrowIfAny();
        return FillStrings(template, context);
    }

    /// <summary>Fills the strings of any record that stands with a template, such as the tools that a call adds.</summary>
    public static T FillStrings<T>(T record, JsonObject context)
    {
        var json = JsonSerializer.SerializeToNode(record, WireJson.Options)!;
        return Filled(json, context, top: true).Deserialize<T>(WireJson.Options)!;
    }

    /// <summary>What a template without a schema asks of its context: every variable that it uses.</summary>
    public static JsonObject DefaultSchema(CallTemplate template)
    {
        var schema = Node();
        foreach (var (_, text) in Strings(template))
            foreach (var path in TemplateText.Variables(text)) Require(schema, path);
        return schema;
    }

    /// <summary>Tells of each string that is no valid template, at its place.</summary>
    public static void CheckTemplates(CallTemplate template, InputErrors errors)
    {
        foreach (var (at, text) in Strings(template))
            if (TemplateText.Problem(text) is { } problem) at(errors).Add(problem);
    }

    private static JsonObject Node() => new() { ["type"] = "object", ["properties"] = new JsonObject(), ["required"] = new JsonArray() };

    private static void Require(JsonObject schema, ReadOnlySpan<string> path)
    {
        var name = path[0];
        var properties = schema["properties"]!.AsObject();
        var required = schema["required"]!.AsArray();
        if (!required.Any(r => r!.GetValue<string>() == name)) required.Add(name);
        if (path.Length == 1)
        {
            properties.TryAdd(name, new JsonObject());
            return;
        }
        if (properties[name]?["properties"] is null) properties[name] = Node();
        Require(properties[name]!.AsObject(), path[1..]);
    }

    private static JsonNode Filled(JsonNode node, JsonObject context, bool top)
    {
        switch (node)
        {
            case JsonObject fields:
                foreach (var (name, value) in fields.ToList())
                    if (value is not null && !(top && Literal.Contains(name))) Replace(value, Filled(value, context, top: false), with => fields[name] = with);
                return fields;
            case JsonArray items:
                for (var i = 0; i < items.Count; i++)
                    if (items[i] is { } item) Replace(item, Filled(item, context, top: false), with => items[i] = with);
                return items;
            case JsonValue value when value.TryGetValue<string>(out var text) && text.Contains("{{", StringComparison.Ordinal):
                return JsonValue.Create(TemplateText.Fill(text, context));
            default:
                return node;
        }
    }

    private static void Replace(JsonNode old, JsonNode with, Action<JsonNode> set)
    {
        if (!ReferenceEquals(old, with)) set(with);
    }

    private static List<(Func<InputErrors, InputErrors> At, string Text)> Strings(CallTemplate template)
    {
        var found = new List<(Func<InputErrors, InputErrors>, string)>();
        var json = JsonSerializer.SerializeToUtf8Bytes(template, WireJson.Options);
        // Most templates have no variable. That is seen sooner than a tree is built; what a client escaped may still be one.
        if (json.AsSpan().IndexOf("{{"u8) < 0 && json.AsSpan().IndexOf(@"\u007"u8) < 0) return found;
        Collect(JsonNode.Parse(json), errors => errors, top: true, found);
        return found;
    }

    private static void Collect(JsonNode? node, Func<InputErrors, InputErrors> at, bool top, List<(Func<InputErrors, InputErrors>, string)> found)
    {
        switch (node)
        {
            case JsonObject fields:
                foreach (var (name, value) in fields)
                    if (!(top && Literal.Contains(name))) Collect(value, errors => at(errors).Field(name), top: false, found);
                break;
            case JsonArray items:
                for (var i = 0; i < items.Count; i++)
                {
                    var index = i;
                    Collect(items[i], errors => at(errors).Item(index), top: false, found);
                }
                break;
            case JsonValue value when value.TryGetValue<string>(out var text) && text.Contains("{{", StringComparison.Ordinal):
                found.Add((at, text));
                break;
        }
    }
}
