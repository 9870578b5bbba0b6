using System.Globalization;
using System.Text.RegularExpressions;

namespace VoiceGrains.Providers.Language.Rules;

/// <summary>What the model says of its own accord where no rule of the prompt applies.</summary>
internal static partial class SmallTalk
{
    /// <summary>The built-in tool that ends a call.</summary>
    public const string HangUpTool = "hangUp";

    private const int LongestCount = 200;
    private const int ShortTurn = 6;   // words: a longer turn that happens to hold "hello" or "thanks" is about something else

    private static readonly string[] Story =
    [
        "Once upon a time there was a lighthouse keeper who lived alone on a small island in the north.",
        "Every evening she climbed the one hundred and twelve steps to the top and lit the lamp.",
        "One night a storm broke the glass, and the wind blew out the light.",
        "She could hear a ship's bell far out in the dark, coming closer to the rocks.",
        "So she took the old brass horn from the wall and played the only song she knew, again and again, until the morning came.",
        "When the sun rose, the ship lay safe in the bay, and its whole crew stood on deck and sang the song back to her.",
        "From that day on, nobody on that coast called it a silent island.",
        "And that is the end of the story.",
    ];

    /// <summary>The answer to ordinary talk, or null when the words are about something else.</summary>
    /// <param name="said">What the user said.</param>
    /// <param name="words">Its tokens.</param>
    /// <param name="persona">Who the agent is.</param>
    /// <param name="former">What the user said before, the newest last.</param>
    public static string? Answer(string said, List<RuleToken> words, Persona persona, IReadOnlyList<string> former)
    {
        var line = string.Join(' ', words.Select(w => w.Key));
        if (RepeatAfterMe().Match(said) is { Success: true } repeat) return Sentence(repeat.Groups["words"].Value);
        if (AskedBefore().IsMatch(line)) return former.Count == 0 ? "You have not said anything before that." : $"You said: {Sentence(former[^1])}";
        if (CountTo().Match(line) is { Success: true } count) return Count(count.Groups["number"].Value);
        if (AskedStory().IsMatch(line)) return string.Join(' ', Story);
        if (AskedName().IsMatch(line)) return persona.Name is { } name ? $"My name is {name}." : "I have not been given a name.";
        if (AskedNature().IsMatch(line)) return "I am a small rule-based stand-in for a language model. I follow the rules in my prompt and repeat what I hear.";
        if (words.Count > ShortTurn + 2) return null;
        if (AskedHearing().IsMatch(line)) return "Yes, I can hear you.";
        if (AskedHealth().IsMatch(line)) return "I am fine, thank you. How can I help you?";
        if (words.Count > ShortTurn) return null;
        if (Thanks().IsMatch(line)) return "You are welcome. Is there anything else?";
        return Hello().IsMatch(line) ? persona.Greeting : null;
    }

    /// <summary>Whether the user takes leave.</summary>
    public static bool IsGoodbye(List<RuleToken> words) => words.Count <= ShortTurn + 2 && Goodbye().IsMatch(string.Join(' ', words.Select(w => w.Key)));

    /// <summary>The words with a capital letter and a full stop where they have none.</summary>
    public static string Sentence(string words)
    {
        var trimmed = words.Trim();
        if (trimmed.Length == 0) return trimmed;
        return char.IsLetterOrDigit(trimmed[^1]) ? trimmed + "." : trimmed;
    }

    private static string Count(string number)
    {
        var last = int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? Math.Clamp(value, 1, LongestCount) : LongestCount;
        var counted = string.Join(", ", Enumerable.Range(1, last).Select(NumberWords.Spell));
        return char.ToUpperInvariant(counted[0]) + counted[1..] + ".";
    }

    [GeneratedRegex(@"^\W*(?:please\s+)?(?:(?:repeat|say)\s+after\s+me\s*[:,]?|say\s*:|repeat(?!\s+(?:that|it|please|yourself)\b))\s+(?<words>.+)$", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant | RegexOptions.Singleline)]
    private static partial Regex RepeatAfterMe();

    [GeneratedRegex(@"\bwhat (?:did i (?:just )?say|have i said)\b", RegexOptions.CultureInvariant)]
    private static partial Regex AskedBefore();

    [GeneratedRegex(@"\bcount (?:up )?(?:from 1 )?to (?<number>\d+)\b", RegexOptions.CultureInvariant)]
    private static partial Regex CountTo();

    [GeneratedRegex(@"\b(?:tell|read) (?:me |us )?(?:a |another |your )?(?:\w+ )?(?:story|tale)\b|\btalk for a while\b|\bkeep talking\b", RegexOptions.CultureInvariant)]
    private static partial Regex AskedStory();

    [GeneratedRegex(@"\b(?:what is|whats|tell me) your name\b|\bwho (?:are you|am i (?:talking|speaking) (?:to|with))\b", RegexOptions.CultureInvariant)]
    private static partial Regex AskedName();

    [GeneratedRegex(@"\b(?:what are you|are you (?:a |an )?(?:robot|bot|human|person|machine|real|ai|computer))\b", RegexOptions.CultureInvariant)]
    private static partial Regex AskedNature();

    [GeneratedRegex(@"\b(?:can|do) you hear me\b|\bare you (?:still )?there\b", RegexOptions.CultureInvariant)]
    private static partial Regex AskedHearing();

    [GeneratedRegex(@"\bhow are (?:you|things)\b|\bhow do you do\b", RegexOptions.CultureInvariant)]
    private static partial Regex AskedHealth();

    [GeneratedRegex(@"\b(?:thanks|thank you)\b", RegexOptions.CultureInvariant)]
    private static partial Regex Thanks();

    [GeneratedRegex(@"^(?:\w+ )?(?:hello|hi|hey|good (?:morning|afternoon|evening|day))\b", RegexOptions.CultureInvariant)]
    private static partial Regex Hello();

    [GeneratedRegex(@"\b(?:bye|goodbye|good bye|see you(?: later)?|hang up|end the call|that is all|thats all)\b", RegexOptions.CultureInvariant)]
    private static partial Regex Goodbye();
}
