using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;

namespace VoiceGrains.Providers.Language.Rules;

/// <summary>What a pattern's wildcards stood for, filled into an action's text (<c>$1</c>, <c>{name}</c>).</summary>
internal sealed class RuleCaptures
{
    private readonly List<(string Name, string Value)> _values = [];

    /// <summary>Adds the next capture; an empty name is reachable by its number only.</summary>
    public void Add(string name, string value) => _values.Add((name, value));

    /// <summary>Fills a sentence. A placeholder without a capture stays as written.</summary>
    public string FillText(string template) => Fill(template, json: false);

    /// <summary>
    /// Fills a JSON object written with placeholders. Inside a string the capture is escaped; outside, a number goes in bare and words as a string.
    /// </summary>
    public string FillJson(string template) => Fill(template, json: true);

    private string Fill(string template, bool json)
    {
        var filled = new StringBuilder(template.Length + 32);
        var inString = false;
        for (var i = 0; i < template.Length; i++)
        {
            var length = ReadPlaceholder(template, i, out var value);
            if (length > 0)
            {
                filled.Append(!json ? value : inString ? Escape(value) : ToJsonValue(value));
                i += length - 1;
                continue;
            }
            filled.Append(template[i]);
            if (inString && template[i] == '\\' && i + 1 < template.Length) filled.Append(template[++i]);
            else if (template[i] == '"') inString = !inString;
        }
        return filled.ToString();
    }

    private static string ToJsonValue(string value)
        => value.Length is > 0 and < 16 && value.All(char.IsAsciiDigit) && (value == "0" || value[0] != '0')   // "007" is an id
            ? value
            : $"\"{Escape(value)}\"";

    /// <summary>Escapes for a JSON string; half a surrogate pair becomes U+FFFD.</summary>
    private static string Escape(string value) => JavaScriptEncoder.UnsafeRelaxedJsonEscaping.Encode(value);

    /// <summary>The placeholder at <paramref name="at"/> and its value; length 0 where there is none or nothing was captured for it.</summary>
    private int ReadPlaceholder(string template, int at, out string value)
    {
        value = "";
        if (template[at] == '$')
        {
            var end = at + 1;
            while (end < template.Length && end < at + 3 && char.IsAsciiDigit(template[end]))
                end++;
            if (end == at + 1) return 0;
            var number = int.Parse(template.AsSpan(at + 1, end - at - 1), CultureInfo.InvariantCulture);
            if (number < 1 || number > _values.Count) return 0;
            value = _values[number - 1].Value;
            return end - at;
        }
        if (template[at] != '{') return 0;
        var close = template.IndexOf('}', at);
        if (close < 0) return 0;
        var name = template[(at + 1)..close].Trim().TrimStart('#');
        var found = name.Length == 0 ? -1 : _values.FindIndex(v => v.Name.Equals(name, StringComparison.OrdinalIgnoreCase));
        if (found < 0) return 0;
        value = _values[found].Value;
        return close + 1 - at;
    }
}
