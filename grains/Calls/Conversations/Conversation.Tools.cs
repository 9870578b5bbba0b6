using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.GrainInterfaces.Tools;
using VoiceGrains.Grains.Tools;
using VoiceGrains.Grains.Validation;
using VoiceGrains.Providers.Language;

namespace VoiceGrains.Grains.Calls.Conversations;

/// <summary>Tools that the model or a forced message calls: when they run, and what their results do to the conversation.</summary>
internal sealed partial class Conversation
{
    private const int LongestToolName = 64;
    /// <summary>Characters of arguments that are too long.</summary>
    private const int LongestKept = 1000;

    /// <summary>Rounds whose results are not all in the history: at most one of the running answer, and those of forced messages beside it.</summary>
    private readonly List<ToolRound> _toolRounds = [];
    private readonly HashSet<string> _invocationIds = new(StringComparer.Ordinal);

    private IReadOnlyList<ModelTool>? _modelTools;

    private IReadOnlyList<ModelTool> ModelTools => _modelTools ??= [.. _stage.Tools.Select(ToolSchema.ForModel)];

    private void OnModelToolCall(Answer answer, ModelDelta.ToolCall call)
    {
        if (answer.Rounds >= _options.MaxModelRounds) return;      // it was told that there are no more tools
        var round = answer.Tools ??= NewToolRound(answer);
        if (round.Uses.Count < _options.MaxParallelTools) AddToolUse(round, ReadToolCall(call.Id, call.Name, call.Arguments));
        else if (!round.IsFull)
        {
            round.IsFull = true;
            _log.Write(Severity.Warning, "too_many_tools", $"The model called more than {_options.MaxParallelTools} tools at once; the rest is left out.");
        }
    }

    private ToolRound NewToolRound(Answer answer)
    {
        var round = new ToolRound(answer);
        _toolRounds.Add(round);
        return round;
    }

    /// <summary>Finds the tool and reads the arguments; where either fails, the outcome tells the model what to mend.</summary>
    private ToolUse ReadToolCall(string id, string name, string arguments)
    {
        id = NewInvocationId(id);
        // What a model makes up has no bounds of its own, and stays in the history.
        (name, var written) = (name.Length <= LongestToolName ? name : name[..LongestToolName], arguments);
        if (arguments.Length > ToolArguments.Longest) arguments = arguments[..LongestKept] + "…";
        if (FindTool(name) is not { } tool)
        {
            var known = _stage.Tools.Count == 0 ? "There are no tools." : $"The tools are: {string.Join(", ", _stage.Tools.Select(tool => tool.Name))}.";
            return new ToolUse(id, name, arguments, null) { Outcome = ToolOutcome.Failed($"There is no tool named '{JsonLeaf.Shorten(name)}'. {known}") };
        }
        if (!ToolArguments.TryRead(tool, written, out var read, out var problem)) return new ToolUse(id, name, arguments, null) { Tool = tool, Outcome = ToolOutcome.Failed(problem) };
        return new ToolUse(id, name, arguments, new Invocation(id, tool, read)) { Tool = tool };
    }

    private CallTool? FindTool(string name) => _stage.Tools.FirstOrDefault(tool => tool.Name == name);

    /// <summary>The given id, unless an earlier call has it: some models begin at "call_0" in each answer.</summary>
    private string NewInvocationId(string id)
    {
        if (id.Length is 0 or > 200 || !_invocationIds.Add(id)) _invocationIds.Add(id = Guid.NewGuid().ToString());
        return id;
    }

    private void AddToolUse(ToolRound round, ToolUse use)
    {
        round.Uses.Add(use);
        if (use is { Outcome: null, Invocation.Tool.Definition.Precomputable: true }) StartTool(round, use);
    }

    private void StartTool(ToolRound round, ToolUse use)
    {
        use.IsStarted = true;
        _outbox.InvokingTool(use.Name, use.Id);
        _ = RunToolAsync(round, use, use.Invocation!);
    }

    /// <summary>No more calls come: they run once what was said before them has been heard.</summary>
    private void CloseToolRound(ToolRound round)
    {
        round.IsClosed = true;
        CommitHeardTools();
    }

    private void CommitHeardTools()
    {
        foreach (var round in _toolRounds.ToArray())
        {
            if (round is { IsClosed: true, IsCommitted: false } && _outcome is null && !_utterances.Exists(utterance => utterance.Answer == round.Answer)) Commit(round);
        }
    }

    private void Commit(ToolRound round)
    {
        round.IsCommitted = true;
        if (_playing is null) Enter(AgentState.Thinking);
        foreach (var use in round.Uses) AddToolCall(use);
        foreach (var use in round.Uses)
        {
            if (use is { IsStarted: false, Outcome: null }) StartTool(round, use);
        }
        RecordResults(round);
    }

    /// <summary>The words before these calls were not heard, or not all: they never run, and what ran ahead is forgotten.</summary>
    /// <param name="answer">Null: of all answers.</param>
    private void DiscardTools(Answer? answer = null)
    {
        foreach (var round in _toolRounds.Where(round => !round.IsCommitted && (answer is null || round.Answer == answer)).ToArray())
        {
            _toolRounds.Remove(round);
            round.Answer.Tools = null;
            foreach (var use in round.Uses) _results.GiveUp(use.Id);
            _log.Write(Severity.Info, "tools_discarded", $"What was said before these tools was not heard to its end, so that they do not run: {string.Join(", ", round.Uses.Select(use => JsonLeaf.Shorten(use.Name)))}.");
            round.Answer.Cancel();
        }
    }

    private void OnToolFinished(FinishedTool finished)
    {
        if (finished.IsUnused)
        {
            // The model has its answer; a failure of the tool must not be lost all the same.
            if (finished.Outcome.ErrorDetails is { } details) _log.Write(Severity.Error, "tool_error", $"{finished.Use.Name}: {details}");
            return;
        }
        if (!finished.Use.IsStatic) _results.GiveUp(finished.Use.Id);
        if (!_toolRounds.Contains(finished.Round)) return;
        finished.Use.Outcome = finished.Outcome;
        if (finished.Round.IsCommitted) RecordResults(finished.Round);
    }

    /// <summary>Puts results into the history, in the order of the calls: one that came early waits for those before it.</summary>
    private void RecordResults(ToolRound round)
    {
        while (round.Recorded < round.Uses.Count && round.Uses[round.Recorded] is { Outcome: { } outcome } use)
        {
            if (outcome.NewStage is not null && !TryBeginStage(round, use, ref outcome)) return;
            round.Recorded++;
            RecordResult(round, use, outcome);
        }
        if (round.Recorded == round.Uses.Count) AfterTools(round);
    }

    private void RecordResult(ToolRound round, ToolUse use, ToolOutcome outcome)
    {
        var failed = outcome.ErrorDetails is not null;
        if (use is { Invocation: null, IsKnown: false }) _log.Write(Severity.Warning, "tool_refused", $"{JsonLeaf.Shorten(use.Name)}: {outcome.ErrorDetails}");
        else if (failed) _log.Write(Severity.Error, "tool_error", $"{use.Name}: {outcome.ErrorDetails}");
        if (outcome.Warning is { } warning) _log.Write(Severity.Warning, "tool_warning", $"{use.Name}: {warning}");
        if (use.IsStarted) _outbox.ToolUsed(use.Name, use.Id, failed);
        var changesState = outcome.UpdateCallState is { } update && UpdateCallState(update);
        var entry = AddToolResult(use.Id, use.Name, outcome.Result, outcome.ErrorDetails, changesState);
        if (round.StageChange is { } change && change.Use == use) change.Result = entry;
        var reaction = outcome.Reaction ?? (failed || use.Tool is null ? ToolReaction.Speaks : ToolSchema.DefaultReaction(use.Tool));
        if (reaction > round.Reaction) round.Reaction = reaction;
        round.HangsUp |= outcome.HangsUp;
        round.HangsUpUnlessUserActs |= outcome.HangsUpUnlessUserActs;
    }

    /// <summary>All results are in the history: ends the call, generates again or listens, as the tools, the user and the end of the call say.</summary>
    private void AfterTools(ToolRound round)
    {
        if (round.StageChange is { } change && !TryEndStageChange(change)) return;
        var answer = round.Answer;
        _toolRounds.Remove(round);
        answer.Tools = null;
        if (round.HangsUp) EndAfterSpeech(EndReason.AgentHangup);
        else if (round.HangsUpUnlessUserActs) EndUnlessUserActs();
        var speaks = round.Reaction == ToolReaction.Speaks || (round.Reaction == ToolReaction.SpeaksOnce && !answer.SpokeInRound);
        if (_outcome is not null || _farewell is { ThenEnd: not null } || !speaks)
        {
            FinishAnswer(answer);
            return;
        }
        if (_answer == answer && !UserHasFloor)
        {
            StartRound(answer);
            return;
        }
        // The user speaks: what they say belongs into the next generation. Or the agent does, beside a forced message: its results are for the next one.
        _answerDue = true;
        FinishAnswer(answer);
        ResumeIfIdle();
    }

    /// <summary>The call is over: what still runs will not be known.</summary>
    private void RecordLostTools()
    {
        foreach (var round in _toolRounds.Where(round => round.IsCommitted))
        {
            foreach (var use in round.Uses.Skip(round.Recorded))
                AddToolResult(use.Id, use.Name, use.Outcome?.Result ?? "The call ended before the result came.", use.Outcome is null ? "The call ended." : use.Outcome.ErrorDetails);
        }
        _toolRounds.Clear();
    }

    private void AddToolCall(ToolUse use)
        => _history.Add(_clock.Stamp(new Message { Role = MessageRole.ToolCall, Text = use.Arguments, InvocationId = use.Id, ToolName = use.Name, Medium = _outputMedium }, _clock.Now));
}
