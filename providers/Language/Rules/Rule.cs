namespace VoiceGrains.Providers.Language.Rules;

/// <summary>What makes a rule apply.</summary>
internal enum RuleTrigger : byte { UserSays, CallStarts, ToolAnswers, ToolFails, Otherwise }

/// <summary>What a rule does: say words, call a tool, or say again what the user said.</summary>
internal enum RuleActionKind : byte { Say, Call, Repeat }

/// <param name="Kind">What to do.</param>
/// <param name="Text">The words to say, or the tool's arguments as JSON; both may hold placeholders.</param>
/// <param name="Tool">The tool to call.</param>
internal sealed record RuleAction(RuleActionKind Kind, string Text, string? Tool = null);

/// <summary>One rule of a prompt.</summary>
/// <param name="Trigger">When it applies.</param>
/// <param name="Patterns">Any of these, for <see cref="RuleTrigger.UserSays"/>.</param>
/// <param name="Tool">Whose answer, for the tool triggers.</param>
/// <param name="Actions">What it does then, in order.</param>
internal sealed record Rule(RuleTrigger Trigger, IReadOnlyList<RulePattern> Patterns, string? Tool, IReadOnlyList<RuleAction> Actions);
