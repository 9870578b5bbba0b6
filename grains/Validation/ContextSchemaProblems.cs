using System.Text.Json;
using System.Text.Json.Nodes;

namespace VoiceGrains.Grains.Validation;

public static partial class ContextSchema
{
    private static readonly string[] Counts = ["minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"];
    private static readonly string[] Numbers = ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"];
    private static readonly string[] Lists = ["allOf", "anyOf", "oneOf"];

    /// <summary>What is wrong with the schema itself, or null. A schema that passes never makes <see cref="Check(JsonNode, JsonNode?)"/> throw.</summary>
    public static string? Problem(JsonNode? schema, string path = "")
    {
        if (schema is JsonValue constant && constant.GetValueKind() is JsonValueKind.True or JsonValueKind.False) return null;
        if (schema is not JsonObject rules) return At(path, "A schema must be an object.");
        return KeywordProblem(rules, path) ?? NestedProblem(rules, path);
    }

    private static string? KeywordProblem(JsonObject rules, string path)
    {
        foreach (var (name, value) in rules)
        {
            if (name is "$ref" or "$dynamicRef") return At(path, "References are not supported.");
            if (name == "type" && !IsTypes(value)) return At(Below(path, name), $"Must be one of {string.Join(", ", Types)}, or a list of them.");
            if (name == "enum" && value is not JsonArray) return At(Below(path, name), "Must be a list.");
            if (name == "required" && !(value is JsonArray names && names.All(IsText))) return At(Below(path, name), "Must be a list of names.");
            if (Counts.Contains(name) && !(IsNumber(value) && double.IsInteger(Number(value!)) && Number(value!) >= 0)) return At(Below(path, name), "Must be a whole number, at least 0.");
            if (Numbers.Contains(name) && !IsNumber(value)) return At(Below(path, name), "Must be a number.");
            if (name == "pattern" && !(IsText(value) && Pattern(value!.GetValue<string>()) is not null))
                return At(Below(path, name), "Must be a regular expression without lookaround and backreferences.");
        }
        return null;
    }

    private static string? NestedProblem(JsonObject rules, string path)
    {
        if (rules.TryGetPropertyValue("properties", out var properties))
        {
            if (properties is not JsonObject fields) return At(Below(path, "properties"), "Must be an object.");
            foreach (var (name, field) in fields)
                if (Problem(field, Below(Below(path, "properties"), name)) is { } problem) return problem;
        }
        foreach (var name in Lists)
        {
            if (!rules.TryGetPropertyValue(name, out var list)) continue;
            if (list is not JsonArray { Count: > 0 } schemas) return At(Below(path, name), "Must be a list of schemas.");
            foreach (var schema in schemas)
                if (Problem(schema, Below(path, name)) is { } problem) return problem;
        }
        foreach (var name in (ReadOnlySpan<string>)["items", "additionalProperties", "not"])
            if (rules.TryGetPropertyValue(name, out var schema) && Problem(schema, Below(path, name)) is { } problem) return problem;
        return null;
    }

    private static bool IsTypes(JsonNode? value)
        => value is JsonArray { Count: > 0 } list ? list.All(t => IsText(t) && Types.Contains(t!.GetValue<string>())) : IsText(value) && Types.Contains(value!.GetValue<string>());

    private static bool IsText(JsonNode? value) => value?.GetValueKind() == JsonValueKind.String;

    private static bool IsNumber(JsonNode? value) => value?.GetValueKind() == JsonValueKind.Number;
}
