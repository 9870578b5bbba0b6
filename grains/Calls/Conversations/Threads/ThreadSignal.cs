using VoiceGrains.Grains.Tools;
using VoiceGrains.Providers;
using VoiceGrains.Providers.Language;

namespace VoiceGrains.Grains.Calls.Conversations.Threads;

/// <summary>Something that happened beside the loop for a thread.</summary>
internal abstract record ThreadSignal(CallThread Thread)
{
    /// <summary>A piece of a generation, or its end (with the failure where there was one).</summary>
    internal sealed record Output(CallThread Thread, long Generation, ModelDelta? Delta, ProviderException? Failure = null) : ThreadSignal(Thread);

    /// <param name="IsUnused">The tool has a static response, so that nobody waited for what it really gave.</param>
    internal sealed record ToolFinished(CallThread Thread, Invocation Invocation, ToolOutcome Outcome, bool IsUnused) : ThreadSignal(Thread);
}
