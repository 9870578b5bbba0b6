using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace VoiceGrains.Grains.Validation;

/// <summary>
/// The part of JSON Schema that describes template contexts and tool parameters: types, properties, items, enumerations, bounds, patterns and the
/// combinations of them. Other keywords are annotations here. References are refused: a tenant's schema must not make the server fetch anything.
/// </summary>
public static partial class ContextSchema
{
    private const int MaxProblems = 20;
    private static readonly TimeSpan PatternTimeout = TimeSpan.FromMilliseconds(100);
    /// <summary>Problems are read by people and models, not by browsers: <c>+</c> stays <c>+</c>.</summary>
    private static readonly JsonSerializerOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private static readonly string[] Types = ["object", "array", "string", "number", "integer", "boolean", "null"];

    /// <summary>How a value breaks the schema, each problem with its path; empty when it does not.</summary>
    public static IReadOnlyList<string> Check(JsonNode schema, JsonNode? value)
    {
        var problems = new List<string>();
        Check(schema, value, "", problems);
        return problems;
    }

    private static void Check(JsonNode? schema, JsonNode? value, string path, List<string> problems)
    {
        if (problems.Count >= MaxProblems || schema is not JsonObject rules)
        {
            if (schema is JsonValue always && always.GetValueKind() == JsonValueKind.False) problems.Add(At(path, "Is not allowed."));
            return;
        }
        if (rules["type"] is { } type && !TypesOf(type).Any(t => IsOfType(value, t)))
        {
            problems.Add(At(path, $"Must be of type {string.Join(" or ", TypesOf(type))}."));
            return;
        }
        if (rules["enum"] is JsonArray choices && !choices.Any(c => JsonNode.DeepEquals(c, value)))
            problems.Add(At(path, $"Must be one of {Short(choices)}."));
        if (rules.TryGetPropertyValue("const", out var only) && !JsonNode.DeepEquals(only, value)) problems.Add(At(path, $"Must be {Short(only)}."));
        switch (value)
        {
            case JsonObject fields: CheckObject(rules, fields, path, problems); break;
            case JsonArray items: CheckArray(rules, items, path, problems); break;
            case JsonValue text when text.GetValueKind() == JsonValueKind.String: CheckText(rules, text.GetValue<string>(), path, problems); break;
            case JsonValue number when number.GetValueKind() == JsonValueKind.Number: CheckNumber(rules, Number(number), path, problems); break;
        }
        CheckCombinations(rules, value, path, problems);
    }

    private static void CheckObject(JsonObject rules, JsonObject fields, string path, List<string> problems)
    {
        foreach (var name in (rules["required"] as JsonArray)?.Select(n => n!.GetValue<string>()) ?? [])
            if (!fields.ContainsKey(name)) problems.Add(At(Below(path, name), "This field is required."));
        var known = rules["properties"] as JsonObject;
        foreach (var (name, field) in fields)
        {
            if (known is not null && known.TryGetPropertyValue(name, out var rule)) Check(rule, field, Below(path, name), problems);
            else if (rules["additionalProperties"] is { } others) Check(others, field, Below(path, name), problems);
        }
        CheckBound(rules, "minProperties", fields.Count, path, "fields", problems);
        CheckBound(rules, "maxProperties", fields.Count, path, "fields", problems);
    }

    private static void CheckArray(JsonObject rules, JsonArray items, string path, List<string> problems)
    {
        for (var i = 0; i < items.Count && rules["items"] is { } rule && problems.Count < MaxProblems; i++)
            Check(rule, items[i], $"{path}[{i}]", problems);
        CheckBound(rules, "minItems", items.Count, path, "items", problems);
        CheckBound(rules, "maxItems", items.Count, path, "items", problems);
    }

    private static void CheckText(JsonObject rules, string text, string path, List<string> problems)
    {
        CheckBound(rules, "minLength", text.Length, path, "characters", problems);
        CheckBound(rules, "maxLength", text.Length, path, "characters", problems);
        if (rules["pattern"] is JsonValue pattern && !Pattern(pattern.GetValue<string>())!.IsMatch(text))
            problems.Add(At(path, $"Must match {Short(pattern)}."));
    }

    private static void CheckNumber(JsonObject rules, double number, string path, List<string> problems)
    {
        if (rules["minimum"] is JsonValue min && number < Number(min)) problems.Add(At(path, $"Must be at least {min}."));
        if (rules["maximum"] is JsonValue max && number > Number(max)) problems.Add(At(path, $"Must be at most {max}."));
        if (rules["exclusiveMinimum"] is JsonValue above && number <= Number(above)) problems.Add(At(path, $"Must be above {above}."));
        if (rules["exclusiveMaximum"] is JsonValue below && number >= Number(below)) problems.Add(At(path, $"Must be below {below}."));
    }

    private static void CheckBound(JsonObject rules, string keyword, int count, string path, string what, List<string> problems)
    {
        if (rules[keyword] is not JsonValue bound) return;
        var least = keyword.StartsWith("min", StringComparison.Ordinal);
        if (least ? count < Number(bound) : count > Number(bound)) problems.Add(At(path, $"Must have at {(least ? "least" : "most")} {bound} {what}."));
    }

    private static void CheckCombinations(JsonObject rules, JsonNode? value, string path, List<string> problems)
    {
        foreach (var rule in rules["allOf"] as JsonArray ?? []) Check(rule, value, path, problems);
        if (rules["anyOf"] is JsonArray any && !any.Any(rule => Holds(rule, value))) problems.Add(At(path, "Matches none of the allowed forms."));
        if (rules["oneOf"] is JsonArray one && one.Count(rule => Holds(rule, value)) != 1) problems.Add(At(path, "Must match exactly one of the allowed forms."));
        if (rules["not"] is { } not && Holds(not, value)) problems.Add(At(path, "Has a form that is not allowed."));
    }

    private static bool Holds(JsonNode? schema, JsonNode? value)
    {
        var problems = new List<string>();
        Check(schema, value, "", problems);
        return problems.Count == 0;
    }

    private static IEnumerable<string> TypesOf(JsonNode type) => type is JsonArray list ? list.Select(t => t!.GetValue<string>()) : [type.GetValue<string>()];

    private static bool IsOfType(JsonNode? value, string type) => value?.GetValueKind() switch
    {
        null or JsonValueKind.Null => type == "null",
        JsonValueKind.Object => type == "object",
        JsonValueKind.Array => type == "array",
        JsonValueKind.String => type == "string",
        JsonValueKind.Number => type == "number" || (type == "integer" && double.IsInteger(Number(value))),
        _ => type == "boolean",
    };

    private static double Number(JsonNode node) => double.Parse(node.ToJsonString(), CultureInfo.InvariantCulture);

    private static string Below(string path, string name) => path.Length == 0 ? name : $"{path}.{name}";

    private static string At(string path, string problem) => path.Length == 0 ? problem : $"{path}: {problem}";

    private static string Short(JsonNode? node) => (node?.ToJsonString(Readable) ?? "null") is { Length: > 200 } text ? text[..200] + "…" : node?.ToJsonString(Readable) ?? "null";

    /// <summary>Null for a pattern that cannot be matched in linear time: a tenant must not be able to keep a core busy.</summary>
    private static Regex? Pattern(string pattern)
    {
        try
        {
            return new Regex(pattern, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant, PatternTimeout);
        }
        catch (Exception e) when (e is ArgumentException or NotSupportedException)
        {
            return null;
        }
    }
}
