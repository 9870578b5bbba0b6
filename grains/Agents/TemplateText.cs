using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using VoiceGrains.GrainInterfaces;

namespace VoiceGrains.Grains.Agents;

/// <summary>
/// Text with <c>{{variables}}</c>, in the part of Mustache that call templates use: dotted paths, spaces at will, a third brace allowed.
/// Nothing is escaped, since nothing becomes HTML, and what is filled in is never read as a template again.
/// </summary>
public static partial class TemplateText
{
    /// <summary>What is wrong with the text as a template, or null.</summary>
    public static string? Problem(string text)
    {
        foreach (var (_, _, path) in Tags(text))
        {
            if (path is null) return "A template's '{{' has no '}}'.";
            if (!Path().IsMatch(path)) return $"'{{{{{(path.Length > 64 ? path[..64] + "…" : path)}}}}}' is not a template variable.";
        }
        return null;
    }

    /// <summary>The paths that the text uses, each as its parts.</summary>
    public static IEnumerable<string[]> Variables(string text)
        => Tags(text).Where(tag => tag.Path is not null && Path().IsMatch(tag.Path)).Select(tag => tag.Path!.Split('.'));

    /// <summary>Fills every variable; what the context does not hold becomes empty, as in Mustache.</summary>
    public static string Fill(string text, JsonObject context)
    {
        if (!text.Contains("{{", StringComparison.Ordinal)) return text;
        var result = new StringBuilder(text.Length);
        var copied = 0;
        foreach (var (start, end, path) in Tags(text))
        {
            if (path is null) break;
            result.Append(text, copied, start - copied).Append(Value(context, path));
            copied = end;
        }
        return result.Append(text, copied, text.Length - copied).ToString();
    }

    private static IEnumerable<(int Start, int End, string? Path)> Tags(string text)
    {
        for (var at = 0; (at = text.IndexOf("{{", at, StringComparison.Ordinal)) >= 0;)
        {
            var close = text.IndexOf("}}", at + 2, StringComparison.Ordinal);
            if (close < 0)
            {
                yield return (at, text.Length, null);
                yield break;
            }
            var end = close + 2;
            var inside = text.AsSpan(at + 2, close - at - 2);
            if (inside is ['{', ..] && end < text.Length && text[end] == '}')
            {
                inside = inside[1..];
                end++;
            }
            yield return (at, end, inside.Trim().ToString());
            at = end;
        }
    }

    private static string Value(JsonObject context, string path)
    {
        JsonNode? node = context;
        foreach (var part in path.Split('.'))
            node = node is JsonObject fields && fields.TryGetPropertyValue(part, out var next) ? next : null;
        return node switch
        {
            null => "",
            JsonValue value when value.TryGetValue<string>(out var text) => text,
            _ => node.ToJsonString(WireJson.Options),
        };
    }

    [GeneratedRegex(@"^[\p{L}_][\p{L}\p{N}_-]*(\.[\p{L}\p{N}_][\p{L}\p{N}_-]*)*$", RegexOptions.CultureInvariant)]
    private static partial Regex Path();
}
