using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace VoiceGrains.Server.Tests.Contract;

/// <summary>Holds an answer against its schema, more strictly than it is written: what the schema does not name may not be there.</summary>
internal static partial class SchemaJudge
{
    /// <summary>Everything that is wrong, by path.</summary>
    public static IReadOnlyList<string> Problems(JsonElement value, JsonObject schema)
    {
        var problems = new List<string>();
        Check(value, schema, "$", nullable: false, problems);
        return problems;
    }

    private static void Check(JsonElement value, JsonObject schema, string path, bool nullable, List<string> problems, string? name = null)
    {
        if ((string?)schema["$ref"] is { } reference)
        {
            name = reference.Split('/')[^1];
            Check(value, OpenApiContract.Root["components"]!["schemas"]![name]!.AsObject(), path, nullable || IsNullable(schema), problems, name);
            return;
        }
        nullable |= IsNullable(schema);
        if (schema["allOf"] is JsonArray parts)
        {
            foreach (var part in parts) Check(value, part!.AsObject(), path, nullable, problems);
            return;
        }
        if (schema["oneOf"] is JsonArray alternatives)
        {
            var attempts = alternatives.Select(alternative => ProblemsOf(value, alternative!.AsObject(), path)).ToList();
            if (!attempts.Exists(attempt => attempt.Count == 0)) problems.AddRange(attempts[0]);
            return;
        }
        if (value.ValueKind == JsonValueKind.Null)
        {
            if (!nullable && (schema["type"] is not null || schema["enum"] is JsonArray choices && !choices.Any(choice => choice is null))) problems.Add($"{path}: null");
            return;
        }
        CheckKind(value, schema, path, problems, name);
    }

    private static List<string> ProblemsOf(JsonElement value, JsonObject schema, string path)
    {
        var problems = new List<string>();
        Check(value, schema, path, nullable: false, problems);
        return problems;
    }

    private static bool IsNullable(JsonObject schema) => (bool?)schema["nullable"] == true;

    private static void CheckKind(JsonElement value, JsonObject schema, string path, List<string> problems, string? name)
    {
        if (schema["enum"] is JsonArray choices && !choices.Any(choice => choice is not null && choice.ToJsonString() == value.GetRawText())) problems.Add($"{path}: {value.GetRawText()} is none of the enum");
        var isKind = (string?)schema["type"] switch
        {
            "string" => value.ValueKind == JsonValueKind.String,
            "boolean" => value.ValueKind is JsonValueKind.True or JsonValueKind.False,
            "integer" => value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out _),
            "number" => value.ValueKind == JsonValueKind.Number,
            "array" => value.ValueKind == JsonValueKind.Array,
            "object" => value.ValueKind == JsonValueKind.Object,
            _ => true,
        };
        if (!isKind)
        {
            problems.Add($"{path}: {value.ValueKind} instead of {schema["type"]}");
            return;
        }
        if (value.ValueKind == JsonValueKind.String) CheckText(value.GetString()!, schema, path, problems);
        else if (value.ValueKind == JsonValueKind.Number) CheckNumber(value.GetDouble(), schema, path, problems);
        else if (value.ValueKind == JsonValueKind.Array) CheckItems(value, schema, path, problems);
        else if (value.ValueKind == JsonValueKind.Object) CheckFields(value, schema, path, problems, name);
    }

    private static void CheckText(string text, JsonObject schema, string path, List<string> problems)
    {
        var fits = (string?)schema["format"] switch
        {
            "uuid" => Guid.TryParseExact(text, "D", out _) && text == text.ToLowerInvariant(),
            "date-time" => Instant().IsMatch(text) && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, out _),
            "date" => DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out _),
            "uri" => Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https",
            "email" => text.Contains('@', StringComparison.Ordinal),
            _ => true,
        };
        if (!fits) problems.Add($"{path}: '{text}' is no {schema["format"]}");
        if ((string?)schema["pattern"] is { } pattern && !Regex.IsMatch(text, pattern)) problems.Add($"{path}: '{text}' does not match {pattern}");
        if ((int?)schema["maxLength"] is { } most && text.EnumerateRunes().Count() > most) problems.Add($"{path}: longer than {most}");
        if ((int?)schema["minLength"] is { } least && text.EnumerateRunes().Count() < least) problems.Add($"{path}: shorter than {least}");
    }

    private static void CheckNumber(double number, JsonObject schema, string path, List<string> problems)
    {
        if ((double?)schema["minimum"] is { } least && number < least || (double?)schema["maximum"] is { } most && number > most) problems.Add($"{path}: {number} is out of range");
        if ((string?)schema["format"] == "int32" && number != (int)number) problems.Add($"{path}: {number} is no int32");
    }

    private static void CheckItems(JsonElement value, JsonObject schema, string path, List<string> problems)
    {
        var count = value.GetArrayLength();
        if ((int?)schema["minItems"] is { } least && count < least || (int?)schema["maxItems"] is { } most && count > most) problems.Add($"{path}: {count} items");
        if (schema["items"] is not JsonObject items) return;
        var index = 0;
        foreach (var item in value.EnumerateArray()) Check(item, items, $"{path}[{index++}]", nullable: false, problems);
    }

    private static void CheckFields(JsonElement value, JsonObject schema, string path, List<string> problems, string? name)
    {
        var known = schema["properties"] as JsonObject;
        foreach (var field in value.EnumerateObject())
        {
            var at = $"{path}.{field.Name}";
            if (known?[field.Name] is JsonObject property)
            {
                if ((bool?)property["writeOnly"] == true || OpenApiContract.WriteOnly.Contains($"{name}.{field.Name}")) problems.Add($"{at}: write-only");
                Check(field.Value, property, at, OpenApiContract.NullWhenUnset.Contains($"{name}.{field.Name}"), problems);
            }
            else if (schema["additionalProperties"] is JsonObject more) Check(field.Value, more, at, nullable: false, problems);
            else if (known is not null) problems.Add($"{at}: not described");
        }
        foreach (var required in OpenApiContract.RequiredOf(name, schema))
            if (!value.TryGetProperty(required, out _)) problems.Add($"{path}.{required}: missing");
    }

    /// <summary>RFC 3339.</summary>
    [GeneratedRegex(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$", RegexOptions.CultureInvariant)]
    private static partial Regex Instant();
}
