namespace VoiceGrains.Providers.Language.Rules;

/// <summary>What the model says, then the tools it calls.</summary>
internal sealed record RuleAnswer(string Text, IReadOnlyList<(string Tool, string Arguments)> Calls)
{
    public static RuleAnswer Say(string text) => new(text, []);
}
