using System.Text.Json;
using System.Text.Json.Nodes;

namespace VoiceGrains.Grains.Validation;

/// <summary>
/// JSON from outside whose text can be relied on. Nodes are read lazily: half a surrogate pair, or a name that an object has twice, would only be met where
/// the value is used or written out, long after it was accepted.
/// </summary>
internal static class JsonText
{
    /// <summary>Reads every name and string of a value.</summary>
    /// <exception cref="InvalidOperationException">One of them is not valid Unicode.</exception>
    /// <exception cref="ArgumentException">An object has a name twice.</exception>
    public static void ReadAll(JsonNode? node)
    {
        switch (node)
        {
            case JsonObject fields:
                foreach (var (_, field) in fields) ReadAll(field);
                break;
            case JsonArray items:
                foreach (var item in items) ReadAll(item);
                break;
            case JsonValue value when value.GetValueKind() == JsonValueKind.String:
                _ = value.GetValue<string>();
                break;
        }
    }

    /// <summary>The object that a text holds; null when it holds none, or one that could not be written out again.</summary>
    public static JsonObject? TryReadObject(string text)
    {
        try
        {
            if (JsonNode.Parse(text) is not JsonObject value) return null;
            ReadAll(value);
            return value;
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException or ArgumentException)
        {
            return null;
        }
    }
}
