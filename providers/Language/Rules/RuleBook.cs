using System.Text.RegularExpressions;

namespace VoiceGrains.Providers.Language.Rules;

/// <summary>Decides what to answer, from the prompt's rules first and small talk after. Pure: the same request always gives the same answer.</summary>
internal sealed partial class RuleBook
{
    private readonly ModelRequest _request;
    private readonly List<Rule> _rules;
    private readonly Persona _persona;

    private RuleBook(ModelRequest request)
    {
        _request = request;
        _rules = RuleParser.Parse(request.SystemPrompt ?? "");
        _persona = Persona.Read(request.SystemPrompt ?? "");
    }

    public static RuleAnswer Answer(ModelRequest request)
        => ConversationSummary.IsAsked(request) ? RuleAnswer.Say(ConversationSummary.Write(request)) : new RuleBook(request).Answer();

    private RuleAnswer Answer()
    {
        var messages = _request.Messages;
        if (messages.All(m => m.Role == ChatRole.System)) return Greet(messages is [.., { } instruction] ? instruction.Text : null);
        return messages[^1] switch
        {
            { Role: ChatRole.ToolResult } => AnswerToolResults(),
            { Role: ChatRole.User } user when GreetingPrompt().IsMatch(user.Text) && !messages.Any(m => m.Role == ChatRole.Agent) => Greet(user.Text),
            { Role: ChatRole.User } user => AnswerUser(user.Text),
            { Role: ChatRole.System } system => Follow(system.Text),
            _ => RuleAnswer.Say("Are you still there?"),
        };
    }

    /// <summary>A greeting: words quoted in the instruction, else the prompt's rule for it, else one that names the agent.</summary>
    private RuleAnswer Greet(string? instruction)
    {
        if (Quoted(instruction) is { } words) return RuleAnswer.Say(words);
        return _rules.Find(r => r.Trigger == RuleTrigger.CallStarts) is { } rule ? Apply(rule, new(), "") : RuleAnswer.Say(_persona.Greeting);
    }

    private RuleAnswer Follow(string instruction)
        => GreetingPrompt().IsMatch(instruction) ? Greet(instruction) : RuleAnswer.Say(Quoted(instruction) ?? "All right.");

    private RuleAnswer AnswerUser(string said)
    {
        var words = RuleToken.Split(said);
        if (words.Count == 0) return RuleAnswer.Say("Sorry, I did not understand that.");
        foreach (var rule in _rules)
        {
            foreach (var pattern in rule.Patterns)
            {
                if (pattern.TryMatch(said, words, out var captures)) return Apply(rule, captures, said);
            }
        }
        if (SpokenToolCall.Find(said, words, _request.Tools) is { } named) return CallNamed(named);
        if (SmallTalk.IsGoodbye(words)) return new("Goodbye!", HasTool(SmallTalk.HangUpTool) ? [(SmallTalk.HangUpTool, """{"reason":"The user said goodbye."}""")] : []);
        var former = _request.Messages.SkipLast(1).Where(m => m.Role == ChatRole.User && m.Text.Length > 0).Select(m => m.Text).ToList();
        if (SmallTalk.Answer(said, words, _persona, former) is { } talk) return RuleAnswer.Say(talk);
        if (_rules.Find(r => r.Trigger == RuleTrigger.Otherwise) is { } otherwise)
        {
            var whole = new RuleCaptures();
            whole.Add("said", said.Trim());
            return Apply(otherwise, whole, said);
        }
        return RuleAnswer.Say($"You said: {SmallTalk.Sentence(said)} What else can I do for you?");
    }

    private RuleAnswer CallNamed(SpokenTool named)
        => named.Arguments is { } arguments
            ? new("One moment, please. ", [(named.Tool.Name, arguments)])
            : RuleAnswer.Say($"To {SpokenToolCall.InWords(named.Tool.Name)} I need the {string.Join(" and the ", named.Missing.Select(SpokenToolCall.InWords))}.");

    /// <summary>Answers all results since the agent or user last spoke, in order.</summary>
    private RuleAnswer AnswerToolResults()
    {
        var results = _request.Messages.Reverse().TakeWhile(m => m.Role is ChatRole.ToolResult or ChatRole.ToolCall)
            .Where(m => m.Role == ChatRole.ToolResult).Reverse();
        var texts = new List<string>();
        var calls = new List<(string, string)>();
        foreach (var result in results)
        {
            var trigger = ToolFailure().IsMatch(result.Text) ? RuleTrigger.ToolFails : RuleTrigger.ToolAnswers;
            var rule = _rules.Find(r => r.Trigger == trigger && string.Equals(r.Tool, result.ToolName, StringComparison.OrdinalIgnoreCase));
            var answer = rule is null
                ? RuleAnswer.Say(trigger == RuleTrigger.ToolFails ? "I am sorry, that did not work." : ToolResultSpeech.Say(result.Text))
                : Apply(rule, ToolResultSpeech.Captures(result.Text), result.Text);
            texts.Add(answer.Text);
            calls.AddRange(answer.Calls);
        }
        return new(string.Join(' ', texts.Where(t => t.Length > 0)), calls);
    }

    private static RuleAnswer Apply(Rule rule, RuleCaptures captures, string said)
    {
        var texts = new List<string>();
        var calls = new List<(string, string)>();
        foreach (var action in rule.Actions)
        {
            switch (action.Kind)
            {
                case RuleActionKind.Call: calls.Add((action.Tool!, captures.FillJson(action.Text))); break;
                case RuleActionKind.Repeat: texts.Add($"You said: {SmallTalk.Sentence(said)}"); break;
                default: texts.Add(captures.FillText(action.Text)); break;
            }
        }
        return new(string.Join(' ', texts), calls);
    }

    private bool HasTool(string name) => _request.Tools.Any(t => t.Name == name);

    private static string? Quoted(string? instruction)
        => instruction is not null && QuotedWords().Match(instruction) is { Success: true } quoted ? quoted.Groups["words"].Value : null;

    [GeneratedRegex(@"^[\W_]*(?:please )?(?:greet\b|start the (?:conversation|call)|begin the (?:conversation|call)|say hello to|introduce yourself|welcome the|the (?:user|call|caller|conversation) (?:has |is )?(?:just )?(?:joined|connected|started|begun|starting))", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex GreetingPrompt();

    [GeneratedRegex("""["“](?<words>[^"”]{1,1000})["”]""", RegexOptions.CultureInvariant)]
    private static partial Regex QuotedWords();

    [GeneratedRegex("""^\s*(?:\{\s*"error"|error\b|.{0,40}\b(?:failed|timed out)\b)""", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex ToolFailure();
}
