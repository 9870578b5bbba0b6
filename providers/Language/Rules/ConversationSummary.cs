using System.Text.RegularExpressions;

namespace VoiceGrains.Providers.Language.Rules;

/// <summary>An extractive summary: it counts, quotes and lists what was said, and adds nothing.</summary>
internal static partial class ConversationSummary
{
    private const int MostQuotes = 3;
    private const int LongestQuote = 120;

    /// <summary>Whether the system prompt is an order to summarize, or the last message asks for a summary of the conversation.</summary>
    public static bool IsAsked(ModelRequest request)
        => (request.SystemPrompt is { } prompt && Ordered().IsMatch(prompt))
            || (request.Messages is [.., { Role: ChatRole.User or ChatRole.System } last] && Asked().IsMatch(last.Text));

    public static string Write(ModelRequest request)
    {
        var instruction = $"{request.SystemPrompt} {(request.Messages is [.., { Role: ChatRole.User or ChatRole.System } last] && Asked().IsMatch(last.Text) ? last.Text : "")}";
        var isShort = Short().IsMatch(instruction);
        var turns = request.Messages.SelectMany(Turns).Where(turn => !Asked().IsMatch(turn.Text)).ToList();
        var user = turns.Where(t => t.Role == ChatRole.User).Select(t => Quote(t.Text)).Where(t => t.Length > 2).ToList();
        var agent = turns.Where(t => t.Role == ChatRole.Agent).Select(t => Quote(t.Text)).ToList();
        var tools = turns.Where(t => t.Role == ChatRole.ToolCall && t.ToolName is not null).Select(t => SpokenToolCall.InWords(t.ToolName!)).Distinct().ToList();
        if (turns.Count == 0) return "Nothing was said.";
        if (isShort) return user.Count > 0 ? $"The user said {Longest(user)}." : "The user said nothing.";

        var sentences = new List<string>
        {
            user.Count switch
            {
                0 => "The user said nothing.",
                <= MostQuotes => $"The user said {InWords(user)}.",
                _ => $"The user spoke {NumberWords.Spell(user.Count)} times, beginning with {user[0]} and ending with {user[^1]}; the longest turn was {Longest(user)}.",
            },
        };
        if (agent.Count > 0) sentences.Add(agent.Count == 1 ? $"The agent answered {agent[0]}." : $"The agent answered {NumberWords.Spell(agent.Count)} times, last with {agent[^1]}.");
        if (tools.Count > 0) sentences.Add($"Tools used: {string.Join(", ", tools)}.");
        return string.Join(' ', sentences);
    }

    /// <summary>A message's turns: itself, or the lines of a transcript pasted into it ("User: ...", "Agent: ...", "(The agent used the tool ....)").</summary>
    private static IEnumerable<ChatMessage> Turns(ChatMessage message)
    {
        var lines = message.Role is ChatRole.User or ChatRole.System ? TranscriptLine().Matches(message.Text) : null;
        if (lines is not { Count: > 0 }) return message.Role == ChatRole.System ? [] : [message];
        return lines.Select(ReadLine);
    }

    private static ChatMessage ReadLine(Match line)
    {
        if (line.Groups["tool"].Success) return new(ChatRole.ToolCall, "{}") { ToolName = line.Groups["tool"].Value };
        var isUser = line.Groups["role"].Value.ToLowerInvariant() is "user" or "caller" or "customer";
        return new(isUser ? ChatRole.User : ChatRole.Agent, line.Groups["text"].Value.Trim());
    }

    private static string Longest(List<string> quotes) => quotes.OrderByDescending(q => q.Length).First();

    private static string InWords(List<string> quotes)
        => quotes.Count == 1 ? quotes[0] : $"{string.Join(", ", quotes.SkipLast(1))} and {quotes[^1]}";

    private static string Quote(string text)
    {
        var trimmed = text.Trim().TrimEnd('.', ',', ';');
        if (trimmed.Length > LongestQuote)
        {
            var cut = trimmed.LastIndexOf(' ', LongestQuote);
            trimmed = trimmed[..(cut > 0 ? cut : LongestQuote)] + " ...";
        }
        return $"\"{trimmed}\"";
    }

    [GeneratedRegex(@"\bsummar(?:y|ies|i[sz]e|i[sz]ing)\b.{0,80}\b(?:conversation|call|transcript|discussion|dialogue|above|so far)\b|\b(?:conversation|call|transcript)\b.{0,80}\bsummar(?:y|i[sz]e)\b|^\W*(?:please )?summari[sz]e\b", RegexOptions.IgnoreCase | RegexOptions.Singleline | RegexOptions.CultureInvariant)]
    private static partial Regex Asked();

    [GeneratedRegex(@"^\W*(?:you (?:are|will)\b[^.:\n]{0,120}[.:\n]\s*)?(?:please |you )?(?:summari[sz]e|(?:write|give|produce|create|provide|generate)\b[^.\n]{0,60}\bsummary)", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Ordered();

    [GeneratedRegex(@"\bshort\b|\bone sentence\b|\bbrief(?:ly)?\b|\bsingle sentence\b", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Short();

    [GeneratedRegex(@"^[ \t\-*]*(?:(?<role>user|caller|customer|agent|assistant)[ \t]*:[ \t]*(?<text>.+)|\(the agent used the tool (?<tool>[\w-]+)\.\)\r?)$", RegexOptions.IgnoreCase | RegexOptions.Multiline | RegexOptions.CultureInvariant)]
    private static partial Regex TranscriptLine();
}
