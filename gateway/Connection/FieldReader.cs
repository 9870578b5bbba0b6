using System.Text.Json;

namespace VoiceGrains.Gateway.Connection;

/// <summary>Reads one JSON object of a request, whose fields all have names that are known, and tells of each that is wrong. Messages and types are pydantic's.</summary>
/// <param name="json">The object.</param>
/// <param name="place">Where it is.</param>
/// <param name="problems">Takes what is wrong.</param>
internal readonly ref struct FieldReader(JsonElement json, IReadOnlyList<string> place, RequestProblems problems)
{
    /// <summary>Longest text of a single value, characters.</summary>
    private const int MaxText = 10_000;

    /// <summary>False, and told, when the value is no object.</summary>
    public static bool IsObject(JsonElement json, IReadOnlyList<string> place, RequestProblems problems)
    {
        if (json.ValueKind == JsonValueKind.Object) return true;
        problems.Add(place, $"Input should be a valid dictionary, but got {JsonLeaf.KindName(json)}.", "dict_type");
        return false;
    }

    /// <summary>Tells of every other field.</summary>
    public void OnlyHas(params ReadOnlySpan<string> names)
    {
        foreach (var field in json.EnumerateObject())
        {
            if (!JsonLeaf.TryName(field, out var name)) problems.Add(place, "A field's name is not valid text.", "string_unicode");
            else if (!names.Contains(name)) problems.Add([.. place, JsonLeaf.Shorten(name)], "Extra inputs are not permitted", "extra_forbidden");
        }
    }

    /// <summary>Undefined when it is absent or, where that is allowed, null.</summary>
    public JsonElement Get(string name, bool mayBeNull = false)
        => json.TryGetProperty(name, out var value) && !(mayBeNull && value.ValueKind == JsonValueKind.Null) ? value : default;

    public string? Text(string name, bool mayBeNull = false)
    {
        var value = Get(name, mayBeNull);
        if (value.ValueKind == JsonValueKind.Undefined) return null;
        if (TextOf(value) is not { } text) Tell(name, "Input should be a valid string", "string_type");
        else if (text.Length == 0) Tell(name, "String should have at least 1 character", "string_too_short");
        else if (text.Length > MaxText) Tell(name, $"String should have at most {MaxText} characters", "string_too_long");
        else return text;
        return null;
    }

    public string? Choice(string name, IReadOnlyList<string> choices)
    {
        var value = Get(name);
        if (value.ValueKind == JsonValueKind.Undefined) return null;
        if (TextOf(value) is { } text && choices.Contains(text)) return text;
        Tell(name, $"Input should be {string.Join(", ", choices.SkipLast(1).Select(choice => $"'{choice}'"))} or '{choices[^1]}'", "enum");
        return null;
    }

    public double? Number(string name, double least, double most)
    {
        var value = Get(name);
        if (value.ValueKind == JsonValueKind.Undefined) return null;
        if (value.ValueKind != JsonValueKind.Number || !value.TryGetDouble(out var number)) Tell(name, "Input should be a valid number", "float_type");
        else if (!double.IsFinite(number)) Tell(name, "Input should be a finite number", "finite_number");
        else if (number < least) Tell(name, FormattableString.Invariant($"Input should be greater than or equal to {least}"), "greater_than_equal");
        else if (number > most) Tell(name, FormattableString.Invariant($"Input should be less than or equal to {most}"), "less_than_equal");
        else return number;
        return null;
    }

    /// <summary>Null for what is no text, or none that can be stored.</summary>
    public static string? TextOf(JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.String) return null;
        try
        {
            return value.GetString() is { } text && !text.Contains('\0') ? text : null;
        }
        catch (InvalidOperationException)   // half a surrogate pair
        {
            return null;
        }
    }

    private void Tell(string name, string message, string type) => problems.Add([.. place, name], message, type);
}
