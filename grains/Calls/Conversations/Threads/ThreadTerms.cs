using VoiceGrains.GrainInterfaces.Tools;

namespace VoiceGrains.Grains.Calls.Conversations.Threads;

/// <summary>What a thread may use, as <c>spawn_thread.limits</c> gives it; null is no limit. Passing one terminates the thread.</summary>
/// <param name="ThreadOutputTokens">Tokens that all its generations write.</param>
/// <param name="ThreadInputTokens">Tokens that all its generations read.</param>
/// <param name="Generations">Model requests.</param>
/// <param name="GenerationOutputTokens">Tokens that one generation writes.</param>
/// <param name="GenerationInputTokens">Tokens that one generation reads.</param>
internal sealed record ThreadLimits(
    long? ThreadOutputTokens = null, long? ThreadInputTokens = null, long? Generations = null, long? GenerationOutputTokens = null, long? GenerationInputTokens = null)
{
    public static readonly ThreadLimits None = new();
}

/// <summary>Which of its parent's tools a thread has: first those allowed, then without those disallowed.</summary>
/// <param name="Allowed">Model-facing names; null allows all, an empty list none.</param>
/// <param name="Disallowed">Model-facing names.</param>
internal sealed record ThreadToolFilter(IReadOnlyList<string>? Allowed, IReadOnlyList<string> Disallowed)
{
    public static readonly ThreadToolFilter All = new(null, []);

    public IReadOnlyList<CallTool> Apply(IReadOnlyList<CallTool> tools)
        => [.. tools.Where(tool => (Allowed is null || Allowed.Contains(tool.Name)) && !Disallowed.Contains(tool.Name))];
}
