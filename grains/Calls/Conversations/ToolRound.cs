using VoiceGrains.GrainInterfaces.Tools;
using VoiceGrains.Grains.Tools;

namespace VoiceGrains.Grains.Calls.Conversations;

/// <summary>
/// The tool calls of one model round, or of a forced message. It is committed once what was said before them has been heard: only then they are in the
/// history and run, but for precomputable ones, which run at once and are forgotten when the user interrupts before.
/// </summary>
internal sealed class ToolRound(Answer answer)
{
    public Answer Answer => answer;

    /// <summary>In the order of the calls, which is that of their results in the history.</summary>
    public List<ToolUse> Uses { get; } = [];

    /// <summary>The model has made all its calls.</summary>
    public bool IsClosed { get; set; }
    /// <summary>It made more than are taken.</summary>
    public bool IsFull { get; set; }
    public bool IsCommitted { get; set; }

    /// <summary>Results that the history has.</summary>
    public int Recorded { get; set; }

    /// <summary>How the agent goes on: the most talkative of its tools' reactions.</summary>
    public ToolReaction Reaction { get; set; }
    public bool HangsUp { get; set; }
    public bool HangsUpUnlessUserActs { get; set; }
    /// <summary>The stage that one of its tools asks for; until it is entered, or refused, the round is not over.</summary>
    public StageChange? StageChange { get; set; }
}

/// <summary>One tool call until its result is in the history.</summary>
/// <param name="Id">Unique in the call.</param>
/// <param name="Name">As the model wrote it.</param>
/// <param name="Arguments">As the model wrote them; may be no JSON.</param>
/// <param name="Invocation">Null: there is no such tool, or the arguments do not fit it.</param>
internal sealed record ToolUse(string Id, string Name, string Arguments, Invocation? Invocation)
{
    /// <summary>Null: there is no such tool.</summary>
    public CallTool? Tool { get; init; }

    /// <summary>It has a static response, so that nobody waits for the tool.</summary>
    public bool IsStatic => Tool?.Definition.StaticResponse is not null;

    /// <summary>Whoever forced the call gave its result as well: nothing runs.</summary>
    public bool IsKnown { get; init; }

    public bool IsStarted { get; set; }

    /// <summary>Null while it runs.</summary>
    public ToolOutcome? Outcome { get; set; }
}

/// <summary>A tool that ran beside the loop has ended.</summary>
internal sealed record FinishedTool(ToolRound Round, ToolUse Use, ToolOutcome Outcome)
{
    /// <summary>The tool has a static response, so that nobody waited for what it really gave.</summary>
    public bool IsUnused { get; init; }
}
