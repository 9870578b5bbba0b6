using System.Text.Json;

namespace VoiceGrains.Providers.Language.Rules;

/// <summary>Puts a tool's result into words: plain text as it is, a JSON object as "status is shipped, quantity is 3."</summary>
internal static class ToolResultSpeech
{
    private const int MostMembers = 8;
    private const int LongestText = 600;

    public static string Say(string result)
    {
        var trimmed = result.Trim();
        if (trimmed.Length == 0) return "Done.";
        if (TryParse(trimmed) is not { } json) return SmallTalk.Sentence(Shorten(trimmed));
        var words = Describe(json);
        return words.Length == 0 ? "Done." : SmallTalk.Sentence(Shorten(char.ToUpperInvariant(words[0]) + words[1..]));
    }

    /// <summary>Members of a JSON result as captures for <c>{name}</c>, with dots for nested ones; the whole result is <c>$1</c> and <c>{result}</c>.</summary>
    public static RuleCaptures Captures(string result)
    {
        var captures = new RuleCaptures();
        captures.Add("result", result.Trim());
        if (TryParse(result) is { ValueKind: JsonValueKind.Object } json) AddMembers(captures, "", json, depth: 0);
        return captures;
    }

    private static void AddMembers(RuleCaptures captures, string prefix, JsonElement json, int depth)
    {
        foreach (var member in json.EnumerateObject())
        {
            if (member.Value.ValueKind != JsonValueKind.Object) captures.Add(prefix + member.Name, Describe(member.Value));
            else if (depth < 4) AddMembers(captures, $"{prefix}{member.Name}.", member.Value, depth + 1);
        }
    }

    private static JsonElement? TryParse(string text)
    {
        if (text.AsSpan().Trim() is not ['{' or '[' or '"', ..]) return null;
        try
        {
            using var document = JsonDocument.Parse(text);
            return document.RootElement.Clone();
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static string Describe(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => string.Join(", ", value.EnumerateObject().Take(MostMembers).Select(m => $"{SpokenToolCall.InWords(m.Name)} is {Describe(m.Value)}")),
        JsonValueKind.Array => string.Join(", ", value.EnumerateArray().Take(MostMembers).Select(Describe)),
        JsonValueKind.True => "yes",
        JsonValueKind.False => "no",
        JsonValueKind.Null => "not known",
        _ => value.ToString(),
    };

    private static string Shorten(string text) => text.Length <= LongestText ? text : string.Concat(text.AsSpan(0, LongestText), " and so on");
}
