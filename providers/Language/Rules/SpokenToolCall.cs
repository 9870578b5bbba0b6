using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace VoiceGrains.Providers.Language.Rules;

/// <summary>Finds out whether the user named a tool ("look up order 42") and takes its required parameters from the same words.</summary>
internal static class SpokenToolCall
{
    private const int MostWordsOfAName = 8;

    private static readonly HashSet<string> Fillers =
        ["a", "an", "the", "my", "our", "your", "please", "for", "with", "of", "to", "is", "number", "on", "about", "and", "tool", "me", "at", "in"];

    private static readonly HashSet<string> WholeTextParameters = new(StringComparer.OrdinalIgnoreCase) { "query", "message", "text", "question", "reason", "context", "input" };

    /// <summary>The first tool that the user names; null where there is none.</summary>
    public static SpokenTool? Find(string said, List<RuleToken> words, IReadOnlyList<ModelTool> tools)
    {
        foreach (var tool in tools)
        {
            if (FindName(words, tool.Name) is not { } place) continue;
            var arguments = new JsonObject();
            var missing = Fill(arguments, tool, said, words, place.After);
            return new(tool, missing.Count == 0 ? arguments.ToJsonString() : null, missing);
        }
        return null;
    }

    /// <summary>A tool's or parameter's name as words: "lookupOrder" and "lookup_order" are "lookup order".</summary>
    public static string InWords(string name)
    {
        var words = new System.Text.StringBuilder(name.Length + 8);
        for (var i = 0; i < name.Length; i++)
        {
            if (!char.IsLetterOrDigit(name[i]))
            {
                words.Append(' ');
                continue;
            }
            if (i > 0 && char.IsUpper(name[i]) && !char.IsUpper(name[i - 1])) words.Append(' ');
            words.Append(char.ToLowerInvariant(name[i]));
        }
        return string.Join(' ', words.ToString().Split(' ', StringSplitOptions.RemoveEmptyEntries));
    }

    /// <summary>Words that, written together, are the name; articles between them do not count ("look up my order").</summary>
    private static (int From, int After)? FindName(List<RuleToken> words, string name)
    {
        var wanted = InWords(name).Replace(" ", "", StringComparison.Ordinal);
        for (var from = 0; from < words.Count; from++)
        {
            var joined = "";
            for (var i = from; i < words.Count && i < from + MostWordsOfAName; i++)
            {
                if (i > from && words[i].Key is "a" or "an" or "the" or "my" or "our" or "your") continue;
                joined += words[i].Key;
                if (joined == wanted) return (from, i + 1);
                if (!wanted.StartsWith(joined, StringComparison.Ordinal)) break;
            }
        }
        return null;
    }

    private static List<string> Fill(JsonObject arguments, ModelTool tool, string said, List<RuleToken> words, int after)
    {
        var missing = new List<string>();
        var properties = tool.Parameters["properties"] as JsonObject ?? [];
        var left = new List<RuleToken>(words.Skip(after));
        foreach (var name in (tool.Parameters["required"] as JsonArray ?? []).Select(n => n?.ToString()).OfType<string>())
        {
            if (Take(name, properties[name] as JsonObject, said, words, left) is { } value) arguments[name] = value;
            else missing.Add(name);
        }
        return missing;
    }

    private static JsonNode? Take(string name, JsonObject? schema, string said, List<RuleToken> words, List<RuleToken> left)
    {
        if (schema?["enum"] is JsonArray choices)
            return choices.Select(c => c?.ToString()).OfType<string>().FirstOrDefault(c => Says(words, c));
        switch (schema?["type"]?.ToString())
        {
            case "integer" or "number":
                var number = left.FindIndex(w => w.IsNumber && w.Key.Length < 16);
                if (number < 0) return null;
                var value = long.Parse(left[number].Key, CultureInfo.InvariantCulture);
                left.RemoveRange(0, number + 1);
                return value;
            case "boolean":
                return words.Exists(w => w.Key is "yes" or "true" or "on") ? true : words.Exists(w => w.Key is "no" or "false" or "off") ? false : null;
            case "array" or "object":
                return null;
            default:
                return TakeWords(name, said, left);
        }
    }

    private static JsonNode? TakeWords(string name, string said, List<RuleToken> left)
    {
        var parts = InWords(name).Split(' ');
        while (left.Count > 0 && (Fillers.Contains(left[0].Key) || Array.IndexOf(parts, left[0].Key) >= 0))
            left.RemoveAt(0);
        while (left.Count > 0 && left[^1].Key is "please" or "thanks")
            left.RemoveAt(left.Count - 1);
        if (left.Count == 0) return WholeTextParameters.Contains(name) ? said.Trim() : null;
        var value = left.TrueForAll(w => w.IsNumber) ? string.Concat(left.Select(w => w.Key)) : said[left[0].Start..left[^1].End];
        left.Clear();
        return value;
    }

    private static bool Says(List<RuleToken> words, string phrase)
    {
        var wanted = RuleToken.Split(InWords(phrase));
        return wanted.Count > 0 && Enumerable.Range(0, words.Count).Any(from =>
            from + wanted.Count <= words.Count && wanted.Index().All(w => words[from + w.Index].Key == w.Item.Key));
    }
}

/// <param name="Tool">What the user named.</param>
/// <param name="Arguments">JSON, or null while parameters are missing.</param>
/// <param name="Missing">Required parameters that the words do not give.</param>
internal sealed record SpokenTool(ModelTool Tool, string? Arguments, IReadOnlyList<string> Missing);
