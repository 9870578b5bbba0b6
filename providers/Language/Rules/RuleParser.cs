using System.Text;
using System.Text.RegularExpressions;

namespace VoiceGrains.Providers.Language.Rules;

/// <summary>
/// Finds the rules that a prompt teaches (syntax: docs/rules-model.md). A rule begins a line or follows a sentence; text that is not a rule is left alone,
/// so a prompt written for a real model stays valid here and the other way round.
/// </summary>
internal sealed partial class RuleParser(string prompt)
{
    private const int MaxRules = 500;
    private const int MaxHeaderLength = 1_000;

    // The expressions below repeat a bounded number of times only: prompts are tenants' text, and nobody may make them slow.

    private int _at;

    /// <summary>All rules of the prompt in order.</summary>
    public static List<Rule> Parse(string prompt)
    {
        var rules = new List<Rule>();
        var from = 0;
        while (rules.Count < MaxRules && RuleStart().Match(prompt, from) is { Success: true } start)
        {
            var parser = new RuleParser(prompt) { _at = start.Index + start.Length };
            if (parser.ReadRule(start.Groups["word"].Value) is { } rule)
            {
                rules.Add(rule);
                from = parser._at;
            }
            else
            {
                from = start.Index + start.Length;
            }
        }
        return rules;
    }

    private Rule? ReadRule(string firstWord)
    {
        if (firstWord.Equals("otherwise", StringComparison.OrdinalIgnoreCase))
            return ReadActions() is { Count: > 0 } fallback ? new(RuleTrigger.Otherwise, [], null, fallback) : null;

        var (quotes, header) = ReadHeader();
        if (header is null) return null;
        var (trigger, tool) = ReadTrigger(quotes, header);
        if (trigger is null) return null;
        var patterns = trigger == RuleTrigger.UserSays ? quotes.Select(RulePattern.TryParse).OfType<RulePattern>().ToList() : [];
        if (trigger == RuleTrigger.UserSays && patterns.Count == 0) return null;
        return ReadActions() is { Count: > 0 } actions ? new(trigger.Value, patterns, tool, actions) : null;
    }

    private static (RuleTrigger? Trigger, string? Tool) ReadTrigger(List<string> quotes, string header)
    {
        if (quotes.Count > 0) return (Saying().IsMatch(header) ? RuleTrigger.UserSays : null, null);
        if (CallStart().IsMatch(header)) return (RuleTrigger.CallStarts, null);
        if (ToolOutcome().Match(header) is not { Success: true } outcome) return (null, null);
        var failed = outcome.Groups["verb"].Value.StartsWith("fail", StringComparison.OrdinalIgnoreCase);
        return (failed ? RuleTrigger.ToolFails : RuleTrigger.ToolAnswers, outcome.Groups["tool"].Value);
    }

    /// <summary>Reads up to the colon or comma before the first action. The header comes back without its quoted parts.</summary>
    private (List<string> Quotes, string? Header) ReadHeader()
    {
        var quotes = new List<string>();
        var header = new StringBuilder();
        for (var end = Math.Min(prompt.Length, _at + MaxHeaderLength); _at < end && prompt[_at] != '\n';)
        {
            if (TryReadQuoted(out var quoted))
            {
                quotes.Add(quoted);
                continue;
            }
            var c = prompt[_at++];
            if (c is ':' or ',' && ActionVerb().Match(prompt, _at) is { Success: true } verb && verb.Index == _at) return (quotes, header.ToString());
            header.Append(c);
        }
        return (quotes, null);
    }

    private List<RuleAction> ReadActions()
    {
        var actions = new List<RuleAction>();
        while (ActionVerb().Match(prompt, _at) is { Success: true } match && match.Index == _at)
        {
            var before = _at;
            _at += match.Length;
            var action = match.Groups["verb"].Value.ToLowerInvariant() switch
            {
                "say" or "reply" or "answer" or "respond" => ReadSay(),
                "call" or "use" or "invoke" => ReadCall(),
                "repeat" => new(RuleActionKind.Repeat, ""),
                _ => new(RuleActionKind.Call, "{}", SmallTalk.HangUpTool),
            };
            if (action is null)
            {
                _at = before;
                break;
            }
            actions.Add(action);
        }
        return actions;
    }

    private RuleAction? ReadSay()
    {
        SkipSpaces();
        if (TryReadQuoted(out var quoted)) return new(RuleActionKind.Say, quoted);
        var end = prompt.IndexOf('\n', _at);
        if (end < 0) end = prompt.Length;
        var words = prompt[_at..end].Trim();
        _at = end;
        return words.Length > 0 ? new(RuleActionKind.Say, words) : null;
    }

    private RuleAction? ReadCall()
    {
        var name = ToolName().Match(prompt, _at);
        if (!name.Success || name.Index != _at) return null;
        _at += name.Length;
        var arguments = "{}";
        if (_at < prompt.Length && prompt[_at] == '{')
        {
            if (ReadBraces() is not { } json) return null;
            arguments = json;
        }
        return new(RuleActionKind.Call, arguments, name.Groups["tool"].Value);
    }

    /// <summary>Reads a JSON object with placeholders by counting braces outside strings; null when it is not closed.</summary>
    private string? ReadBraces()
    {
        var (start, depth, inString) = (_at, 0, false);
        for (var i = _at; i < prompt.Length; i++)
        {
            if (inString && prompt[i] == '\\') i++;
            else if (prompt[i] == '"') inString = !inString;
            else if (!inString && prompt[i] == '{') depth++;
            else if (!inString && prompt[i] == '}' && --depth == 0)
            {
                _at = i + 1;
                return prompt[start.._at];
            }
        }
        return null;
    }

    private bool TryReadQuoted(out string quoted)
    {
        quoted = "";
        if (_at >= prompt.Length || prompt[_at] is not ('"' or '“')) return false;
        var close = prompt[_at] == '“' ? '”' : '"';
        var words = new StringBuilder();
        for (var i = _at + 1; i < prompt.Length; i++)
        {
            if (prompt[i] == close)
            {
                _at = i + 1;
                quoted = words.ToString();
                return true;
            }
            words.Append(prompt[i] == '\\' && i + 1 < prompt.Length ? prompt[++i] : prompt[i]);
        }
        return false;
    }

    private void SkipSpaces()
    {
        while (_at < prompt.Length && prompt[_at] is ' ' or '\t' or ':')
            _at++;
    }

    [GeneratedRegex("""(?<=^|[\n.!?"”};])[ \t\-*•\d.)]{0,12}\b(?<word>when(?:ever)?|if|otherwise)\b""", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex RuleStart();

    [GeneratedRegex(@"\b(?:says?|said|asks?|mentions?|wants?|tells?|hear)\b", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Saying();

    [GeneratedRegex(@"\b(?:call|conversation)\s+(?:starts|begins|is answered)\b", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex CallStart();

    [GeneratedRegex(@"^\s*(?:the\s+)?(?:tool\s+)?(?<tool>[\w-]+)(?:\s+tool)?\s+(?<verb>answers|returns|responds|succeeds|fails)\s*$", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex ToolOutcome();

    [GeneratedRegex(@"\G[\s,;:.]{0,20}(?:and\s+)?(?:then\s+)?(?<verb>say|reply|answer|respond|call|use|invoke|repeat|hang\s+up|end\s+the\s+call)\b(?:\s+(?:with|that|it|what\s+(?:was|they)\s+said)\b)?", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex ActionVerb();

    [GeneratedRegex(@"\G\s+(?:the\s+)?(?:tool\s+)?['`""]?(?<tool>[\w-]{1,64})['`""]?(?:\s+tool\b)?(?:\s+with\s+(?=\{))?", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex ToolName();
}
