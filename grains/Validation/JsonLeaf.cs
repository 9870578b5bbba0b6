using System.Globalization;
using System.Text.Json;
using VoiceGrains.GrainInterfaces;

namespace VoiceGrains.Grains.Validation;

/// <summary>Rules for single JSON values, and for free JSON, which is stored as it came and so must be storable.</summary>
public static class JsonLeaf
{
    /// <summary>What is wrong with a value, or null.</summary>
    internal static string? Problem(JsonShape shape, JsonElement json) => shape.Kind switch
    {
        JsonKind.Text => TextProblem(json),
        JsonKind.Boolean => json.ValueKind is JsonValueKind.True or JsonValueKind.False ? null : "Must be a valid boolean.",
        JsonKind.Integer => IsInteger(shape, json) ? null : "A valid integer is required.",
        JsonKind.Number => json.ValueKind == JsonValueKind.Number && IsFinite(json) ? null : "A valid number is required.",
        JsonKind.Duration => TryText(json, out var text) && DurationConverter.TryParse(text, out _)
            ? null : "Duration has wrong format. Use seconds with an 's', such as \"30s\" or \"1.5s\".",
        JsonKind.Instant => json.ValueKind == JsonValueKind.String && TryText(json, out _) && json.TryGetDateTimeOffset(out _)
            ? null : "Datetime has wrong format. Use ISO 8601, such as \"2026-01-31T12:00:00Z\".",
        JsonKind.Uuid => json.ValueKind == JsonValueKind.String && TryText(json, out _) && json.TryGetGuid(out _) ? null : "Must be a valid UUID.",
        JsonKind.Choice => ChoiceProblem(shape, json),
        JsonKind.FreeObject when json.ValueKind != JsonValueKind.Object => $"Expected a dictionary of items but got type \"{KindName(json)}\".",
        JsonKind.FreeList when json.ValueKind != JsonValueKind.Array => $"Expected a list of items but got type \"{KindName(json)}\".",
        _ => FreeProblem(json),
    };

    public static string KindName(JsonElement json) => json.ValueKind switch
    {
        JsonValueKind.Object => "dict",
        JsonValueKind.Array => "list",
        JsonValueKind.String => "str",
        JsonValueKind.True or JsonValueKind.False => "bool",
        JsonValueKind.Number => json.GetRawText().AsSpan().ContainsAny(".eE") ? "float" : "int",
        _ => "null",
    };

    /// <summary>False for names that no text can hold: half a surrogate pair, or NUL, which PostgreSQL cannot store.</summary>
    public static bool TryName(JsonProperty property, out string name)
    {
        try
        {
            name = property.Name;
            return !name.Contains('\0');
        }
        catch (InvalidOperationException)   // the one way in which System.Text.Json tells of an unpaired surrogate
        {
            name = "";
            return false;
        }
    }

    /// <summary>For messages and logs: what somebody, or a model, made up has no bounds and is not echoed whole.</summary>
    public static string Shorten(string text) => text.Length <= 64 ? text : text[..64] + "…";

    private static bool TryText(JsonElement json, out string text)
    {
        text = "";
        if (json.ValueKind != JsonValueKind.String) return false;
        try
        {
            text = json.GetString()!;
            return true;
        }
        catch (InvalidOperationException)
        {
            return false;
        }
    }

    internal static string? TextProblem(JsonElement json)
        => !TryText(json, out var text) ? "Not a valid string." : text.Contains('\0') ? "Null characters are not allowed." : null;

    private static bool IsInteger(JsonShape shape, JsonElement json)
        => json.ValueKind == JsonValueKind.Number && (shape.Type == typeof(int) ? json.TryGetInt32(out _) : json.TryGetInt64(out _));

    /// <summary>The text's own check is first: it keeps out of a parse that PostgreSQL's numeric could not follow.</summary>
    private static bool IsFinite(JsonElement json) => json.TryGetDouble(out var number) && double.IsFinite(number);

    private static string? ChoiceProblem(JsonShape shape, JsonElement json)
    {
        if (!TryText(json, out var text)) return "Not a valid string.";
        return shape.Choices.Contains(text) ? null : string.Create(CultureInfo.InvariantCulture, $"\"{Shorten(text)}\" is not a valid choice.");
    }

    private static string? FreeProblem(JsonElement json)
    {
        switch (json.ValueKind)
        {
            case JsonValueKind.String: return TextProblem(json);
            case JsonValueKind.Number: return IsFinite(json) ? null : "A number is out of range.";
            case JsonValueKind.Array:
                foreach (var item in json.EnumerateArray())
                    if (FreeProblem(item) is { } problem) return problem;
                return null;
            case JsonValueKind.Object:
                foreach (var property in json.EnumerateObject())
                    if (!TryName(property, out _)) return "A key is not valid text.";
                    else if (FreeProblem(property.Value) is { } problem) return problem;
                return null;
            default: return null;
        }
    }
}
