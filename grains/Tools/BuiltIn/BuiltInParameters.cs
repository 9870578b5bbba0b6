using System.Text.Json;
using System.Text.Json.Nodes;
using VoiceGrains.GrainInterfaces;
using VoiceGrains.GrainInterfaces.Validation;

namespace VoiceGrains.Grains.Tools.BuiltIn;

/// <summary>
/// Reads a built-in tool's parameters by name. What is missing or null has its default; what is wrong is noted at its field and has it too, so that
/// reading is checking.
/// </summary>
internal sealed class BuiltInParameters(JsonObject values, InputErrors errors)
{
    private const int MostHeaders = 32;
    private const int LongestHeader = 1_024;

    /// <summary>Everything that is wrong, in words for a model; null when nothing is.</summary>
    public string? Problem => errors.Any ? $"The parameters do not fit the tool: {errors.ToJson().ToJsonString()}" : null;

    public bool Flag(string name, bool otherwise)
    {
        if (Value(name) is not { } value) return otherwise;
        if (value.GetValueKind() is JsonValueKind.True or JsonValueKind.False) return value.GetValue<bool>();
        errors.Field(name).Add("Expected true or false.");
        return otherwise;
    }

    public string? Text(string name, int longest = 256)
    {
        if (Value(name) is not { } value) return null;
        if (value is JsonValue json && json.TryGetValue<string>(out var text) && text.Length <= longest && !text.AsSpan().ContainsAny('\r', '\n')) return text;
        errors.Field(name).Add($"Expected a string of at most {longest} characters in one line.");
        return null;
    }

    /// <summary>Text of several lines.</summary>
    public string? Prose(string name, int longest)
    {
        if (Value(name) is not { } value) return null;
        if (value is JsonValue json && json.TryGetValue<string>(out var text) && text.Length <= longest) return text;
        errors.Field(name).Add($"Expected a string of at most {longest} characters.");
        return null;
    }

    public TimeSpan Duration(string name, TimeSpan otherwise, TimeSpan least, TimeSpan most)
    {
        if (Value(name) is not { } value) return otherwise;
        if (value is JsonValue json && json.TryGetValue<string>(out var text) && DurationConverter.TryParse(text, out var duration) && duration >= least && duration <= most) return duration;
        errors.Field(name).Add($"Expected a duration between \"{DurationConverter.Format(least)}\" and \"{DurationConverter.Format(most)}\".");
        return otherwise;
    }

    /// <summary>The position of the value among the choices, upper and lower case alike; the first is the default.</summary>
    public int Choice(string name, params ReadOnlySpan<string> choices)
    {
        if (Value(name) is not { } value) return 0;
        if (value is JsonValue json && json.TryGetValue<string>(out var text))
        {
            for (var i = 0; i < choices.Length; i++)
                if (choices[i].Equals(text, StringComparison.OrdinalIgnoreCase)) return i;
        }
        errors.Field(name).Add($"Expected one of {string.Join(", ", choices.ToArray())}.");
        return 0;
    }

    public Uri? Url(string name)
    {
        if (Text(name, 2_048) is not { } text) return null;
        if (Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme is "http" or "https") return url;
        errors.Field(name).Add("Expected an http or https URL.");
        return null;
    }

    /// <summary>Names and values of SIP headers. A line break in either would smuggle in others.</summary>
    public IReadOnlyDictionary<string, string> Headers(string name)
    {
        var headers = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        if (Value(name) is not { } value) return headers;
        var at = errors.Field(name);
        if (value is not JsonObject given)
        {
            at.Add("Expected an object of strings.");
            return headers;
        }
        if (given.Count > MostHeaders) at.Add($"At most {MostHeaders} headers are allowed.");
        foreach (var (header, text) in given.Take(MostHeaders))
        {
            if (header.Length is 0 or > 64 || !header.All(IsTokenCharacter)) at.Field(header.Length > 64 ? header[..64] : header).Add("This is no name of a header.");
            else if (text is JsonValue json && json.TryGetValue<string>(out var line) && line.Length <= LongestHeader && !line.Any(char.IsControl)) headers[header] = line;
            else at.Field(header).Add($"Expected a string of at most {LongestHeader} characters in one line.");
        }
        return headers;
    }

    public void Refuse(string name, string why) => errors.Field(name).Add(why);

    private JsonNode? Value(string name) => values.TryGetPropertyValue(name, out var value) ? value : null;

    // RFC 3261 section 25.1, token.
    private static bool IsTokenCharacter(char c) => char.IsAsciiLetterOrDigit(c) || "-.!%*_+`'~".Contains(c);
}
