using System.Text.Json.Nodes;
using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.GrainInterfaces.Validation;
using VoiceGrains.Grains.Calls.Stages;
using VoiceGrains.Grains.Tools;
using VoiceGrains.Providers.Language;

namespace VoiceGrains.Grains.Calls.Conversations;

/// <summary>
/// Stage changes, and the state that tools share. A tool's answer is read, checked and stored beside the loop; only when the stage is stored does the
/// conversation change over, in one step between two events. Until then, and when anything fails, it goes on in its stage.
/// </summary>
internal sealed partial class Conversation
{
    private const string StageRefused = "Error: The conversation could not be changed over; it goes on as before.";

    private StageChange? _stageChange;
    private int _stageCount;

    private bool IsFirstStage => _stage.CallStageId == _settings.FirstStage.CallStageId;

    /// <summary>
    /// Starts to change the stage as a tool asks; the tool then counts as running again. True with another outcome when it cannot be. One change at a time:
    /// of several tools that ask for a stage the first has it.
    /// </summary>
    private bool TryBeginStage(ToolRound round, ToolUse use, ref ToolOutcome asked)
    {
        if (_parts.Stages is not { } stages) asked = Refuse(asked, "This conversation cannot change its stage.");
        else if (_stageChange is not null) asked = Refuse(asked, "Another tool is changing the stage already.");
        else if (_stageCount >= _options.MaxStages) asked = Refuse(asked, $"The call has had {_options.MaxStages} stages, which is the most.");
        else
        {
            var (change, current, body) = (new StageChange(round, use, asked), _stage, asked.NewStage!);
            _stageChange = round.StageChange = change;
            use.Outcome = null;
            _ = RunStepAsync(change, async patience => new StageStep(change, await stages.ResolveAsync(_settings.AccountId, current, body, patience)));
            return false;
        }
        return true;
    }

    private static ToolOutcome Refuse(ToolOutcome asked, string details)
        => asked with { NewStage = null, Result = StageRefused, ErrorDetails = details, Reaction = ToolReaction.Speaks };

    /// <summary>Runs beside the loop and posts how it ended.</summary>
    private async Task RunStepAsync(StageChange change, Func<CancellationToken, Task<StageStep>> run)
    {
        using var patience = new CancellationTokenSource(_options.StageTimeout, _parts.Clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, _cancellation.Token);
        StageStep step;
        try
        {
            step = await run(either.Token).WaitAsync(either.Token);
        }
        catch (InvalidInputException invalid)
        {
            step = new StageStep(change, Failure: $"The new stage is invalid: {invalid.Errors.ToJson().ToJsonString(GrainInterfaces.WireJson.Options)}");
        }
        catch (OperationCanceledException) when (_cancellation.IsCancellationRequested)
        {
            return;
        }
        catch (OperationCanceledException)
        {
            step = new StageStep(change, Failure: $"The new stage was not {(change.Stored is null ? "ready" : "stored")} within {_options.StageTimeout.TotalSeconds:0.#} s.");
        }
        catch (Exception exception)
        {
            step = new StageStep(change, Failure: $"The new stage failed: {exception.GetType().Name}.");
        }
        _inbox.Writer.TryWrite(new(EventKind.Stage, step));
    }

    private void OnStageStep(StageStep step)
    {
        var change = step.Change;
        if (change != _stageChange) return;
        if (change.Stored is not null)
        {
            if (step.Failure is { } notStored) GiveUp(change, notStored);
            else EnterStage(change);
            AfterTools(change.Round);
            return;
        }
        change.Next = step.Next;
        if (step.Failure is not null) _stageChange = change.Round.StageChange = null;
        change.Use.Outcome = step.Failure is { } failure ? Refuse(change.Asked, failure) : change.Asked with { NewStage = null, Result = step.Next!.ToolResultText };
        RecordResults(change.Round);
    }

    /// <summary>
    /// All results of the round are recorded, in the stage in which the tools were called. False while the new stage is being stored; a hang-up among the tools
    /// goes first.
    /// </summary>
    private bool TryEndStageChange(StageChange change)
    {
        if (change.Round.HangsUp || change.Round.HangsUpUnlessUserActs || _farewell is { ThenEnd: not null })
        {
            GiveUp(change, "The call is ending.");
            return true;
        }
        var stage = change.Stored = Complete(change.Use, change.Next!);
        _ = RunStepAsync(change, async patience => await _parts.Stages!.StoreAsync(Run, stage, patience)
            ? new StageStep(change)
            : new StageStep(change, Failure: "The call is over, or went on elsewhere."));
        return false;
    }

    /// <summary>The tool's result, recorded already, becomes a failure.</summary>
    private void GiveUp(StageChange change, string details)
    {
        _stageChange = change.Round.StageChange = null;
        var failure = Refuse(change.Asked, details);
        if (change.Result is { } result) _history.Replace(result, result.Message with { Text = failure.Result, ErrorDetails = details });
        _log.Write(Severity.Error, "tool_error", $"{change.Use.Name}: {details}");
        change.Round.Reaction = ToolReaction.Speaks;
    }

    /// <summary>With the history and the state that it goes on with.</summary>
    private StageSettings Complete(ToolUse use, NextStage next)
    {
        var (stage, given) = (next.Settings, next.Settings.InitialMessages.Count);
        var carried = Carried(use, next).Select((entry, index) => History.AsInitial(entry.Message, stage.CallStageId, given + index));
        return stage with { InitialState = (JsonObject)(next.State ?? _callState).DeepClone(), InitialMessages = [.. stage.InitialMessages, .. carried] };
    }

    /// <summary>What goes over of the history: all of it, or, into a stage with a history of its own, what the user said since the tool was called.</summary>
    private IReadOnlyList<History.Entry> Carried(ToolUse use, NextStage next) => next.HasHistory ? _history.SaidSince(use.Id) : _history.Entries;

    /// <summary>The stage is stored: the conversation changes over.</summary>
    private void EnterStage(StageChange change)
    {
        var (next, stage, before, answer) = (change.Next!, change.Stored!, _stage, change.Round.Answer);
        _stageChange = change.Round.StageChange = null;
        _history.EnterStage(stage, next.Settings.InitialMessages.Count, Carried(change.Use, next));
        _stage = stage with { InitialMessages = [] };
        _modelTools = null;
        _stageCount++;
        if (next.State is { } state) _callState = (JsonObject)state.DeepClone();
        _parts = _parts with { Voice = next.Voice, FallbackVoice = next.FallbackVoice, Recognizer = next.Recognizer ?? _parts.Recognizer };
        _voices = new SpeakingVoices(next.Voice, next.FallbackVoice, _options, _parts.Clock);
        if (stage.VadSettings != before.VadSettings) _listener.Apply(stage.VadSettings);
        if (!ReferenceEquals(stage.InactivityMessages, before.InactivityMessages))
        {
            _inactivity = new InactivityRule(stage.InactivityMessages);
            _deadlines.Clear(Deadline.Inactivity);
        }
        _threads.EndAll("The call's stage changed.");
        LogStageChange(change, before);
        TellOfVoice(next.VoiceProblem);
        if (!_history.InvitesAnswer) answer.PromptOnce(_options.StagePrompt);
    }

    private void LogStageChange(StageChange change, StageSettings before)
    {
        CallTelemetry.StageChanges.Add(1);
        _log.EnterStage(_stage.CallStageId);
        _log.Write(Severity.Info, "stage_change", $"The call's stage {_stageCount} began.", new JsonObject
        {
            ["fromStageId"] = before.CallStageId, ["toStageId"] = _stage.CallStageId, ["toolName"] = change.Use.Name, ["invocationId"] = change.Use.Id,
        });
        if (change.Next!.IgnoredFields is { Count: > 0 } ignored)
            _log.Write(Severity.Warning, "stage_fields_ignored", $"Fields that a stage cannot change were ignored: {string.Join(", ", ignored)}.");
    }

    /// <summary>A stage that was lost before a word was said in it begins.</summary>
    private void BeginStageAgain()
    {
        if (_history.InvitesAnswer) StartAnswerWhenFree(null, interrupt: false);
        else StartAnswer(new Answer(++_answers, _cancellation.Token) { Prompt = _options.StagePrompt });
    }

    /// <summary>False, and nothing changes, when the state would become too large.</summary>
    private bool UpdateCallState(JsonObject update)
    {
        var merged = SharedState.Merge(_callState, update);
        if (SharedState.ProblemOf(merged) is { } problem)
        {
            _log.Write(Severity.Warning, "call_state_refused", $"A tool's update of the call state was refused. {problem}");
            return false;
        }
        _callState = merged;
        return true;
    }

    private void OnModelUsage(ModelDelta.Usage usage)
    {
        if (usage.InputTokens > 0) _parts.Journal.Write(Run.CallId, Run.Generation, new StageTokens(_stage.CallStageId, usage.InputTokens));
    }
}
