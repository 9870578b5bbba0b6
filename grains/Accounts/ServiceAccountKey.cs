using System.Text.Json;

namespace VoiceGrains.Grains.Accounts;

/// <summary>A Google service account's key: a JSON file (https://cloud.google.com/iam/docs/keys-create-delete).</summary>
public static class ServiceAccountKey
{
    private static readonly string[] Needed = ["private_key", "client_email"];

    /// <summary>What keeps the text from being one; null when it looks right.</summary>
    public static string? ProblemOf(string text)
    {
        if (Read(text) is not { } json) return "Must be the JSON key of a Google service account.";
        foreach (var field in Needed)
            if (Text(json, field) is null) return $"Must be the JSON key of a Google service account: '{field}' is missing.";
        return null;
    }

    /// <summary>The first characters of its <c>private_key_id</c>, by which Google lists keys: all files begin alike.</summary>
    public static string PrefixOf(string text) => KeyPrefix.Of(Read(text) is { } json && Text(json, "private_key_id") is { } id ? id : "");

    private static JsonElement? Read(string text)
    {
        try
        {
            using var document = JsonDocument.Parse(text);
            return document.RootElement.ValueKind == JsonValueKind.Object ? document.RootElement.Clone() : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static string? Text(JsonElement json, string field)
        => json.TryGetProperty(field, out var value) && value.ValueKind == JsonValueKind.String && value.GetString() is { Length: > 0 } text ? text : null;
}
