using VoiceGrains.Grains.Tools;

namespace VoiceGrains.Grains.Calls.Conversations.Threads;

/// <summary>What a tool's result may not do in a thread.</summary>
internal static class ThreadOutcome
{
    private const string NoHangUp = "A thread cannot end the call: only the main conversation can.";
    private const string NoStage = "A thread cannot change the call's stage: only the main conversation can.";

    /// <summary>The outcome as a thread takes it: one that acts on the call becomes an error.</summary>
    public static ToolOutcome Of(ToolOutcome outcome)
        => outcome.HangsUp || outcome.HangsUpUnlessUserActs ? ToolOutcome.Failed(NoHangUp) : outcome.NewStage is not null ? ToolOutcome.Failed(NoStage) : outcome;

    /// <summary>Why a thread cannot take a result of this response type; null where it can.</summary>
    public static string? RefusalOf(string responseType) => responseType switch
    {
        "hang-up" => NoHangUp,
        "new-stage" => NoStage,
        _ => null,
    };
}
