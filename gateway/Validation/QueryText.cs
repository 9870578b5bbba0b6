using Microsoft.AspNetCore.Http;
using VoiceGrains.GrainInterfaces.Validation;

namespace VoiceGrains.Gateway.Validation;

/// <summary>Reads query parameters with the same care as bodies. Unknown ones are ignored, as everywhere on the web.</summary>
internal static class QueryText
{
    /// <summary>Null when absent or empty.</summary>
    /// <exception cref="InvalidInputException">The parameter is given twice, too long, or holds NUL.</exception>
    public static string? Read(IQueryCollection query, string name, int maxLength = 2_000)
    {
        if (!query.TryGetValue(name, out var values) || values.Count == 0) return null;
        if (values.Count > 1) throw new InvalidInputException(name, "May be given only once.");
        var text = values[0];
        if (string.IsNullOrEmpty(text)) return null;
        if (text.Length > maxLength) throw new InvalidInputException(name, $"Ensure this field has no more than {maxLength} characters.");
        if (text.Contains('\0')) throw new InvalidInputException(name, "Null characters are not allowed.");
        return text;
    }

    /// <summary>One of a few words.</summary>
    public static string? ReadChoice(IQueryCollection query, string name, params ReadOnlySpan<string> choices)
    {
        if (Read(query, name) is not { } text) return null;
        foreach (var choice in choices)
            if (choice == text) return text;
        throw new InvalidInputException(name, $"\"{JsonLeaf.Shorten(text)}\" is not a valid choice.");
    }

    /// <summary>As Django REST framework reads it: <c>true</c> or <c>false</c>, in any case, or 1 or 0.</summary>
    public static bool? ReadBoolean(IQueryCollection query, string name) => Read(query, name)?.ToLowerInvariant() switch
    {
        null => null,
        "true" or "1" => true,
        "false" or "0" => false,
        _ => throw new InvalidInputException(name, "Must be a valid boolean."),
    };
}
