using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.Grains.Calls.Stages;
using VoiceGrains.Grains.Tools;

namespace VoiceGrains.Grains.Calls.Conversations;

/// <summary>
/// A tool's wish for a new stage on its way: it is resolved, its result and those of the round's other tools are recorded, it is stored, and then entered.
/// Used by the loop only.
/// </summary>
/// <param name="round">Of the tool. It is not over before the change is.</param>
/// <param name="use">The tool's.</param>
/// <param name="asked">What the tool answered.</param>
internal sealed class StageChange(ToolRound round, ToolUse use, ToolOutcome asked)
{
    public ToolRound Round => round;
    public ToolUse Use => use;
    public ToolOutcome Asked => asked;

    /// <summary>Set once it is resolved.</summary>
    public NextStage? Next { get; set; }

    /// <summary>The tool's result in the history; set once it is recorded.</summary>
    public History.Entry? Result { get; set; }

    /// <summary>The stage as it is stored; set once that has begun.</summary>
    public StageSettings? Stored { get; set; }
}

/// <summary>A step of a change ended. <paramref name="Failure"/> has the details; null is success.</summary>
internal sealed record StageStep(StageChange Change, NextStage? Next = null, string? Failure = null);
