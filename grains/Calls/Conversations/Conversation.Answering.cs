using System.Diagnostics;
using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.Providers;
using VoiceGrains.Providers.Language;

namespace VoiceGrains.Grains.Calls.Conversations;

/// <summary>The agent's answers: model rounds, their failures, and when the next one is due.</summary>
internal sealed partial class Conversation
{
    private Answer? _answer;
    private int _answers;
    private int _modelFailures;
    /// <summary>Something was said to the agent that it has not answered, because it was busy.</summary>
    private bool _answerDue;

    private void AnswerUser(UserTurn turn) => StartAnswerWhenFree(turn, interrupt: CanInterrupt());

    /// <summary>Answers now, or once what cannot be interrupted is over.</summary>
    private void StartAnswerWhenFree(UserTurn? turn, bool interrupt)
    {
        if (_farewell is { ThenEnd: not null }) return;
        if (interrupt) Interrupt("there is something new to answer");
        if (_answer is not null || _utterances.Count > 0 || UserHasFloor)
        {
            _answerDue = true;
            return;
        }
        StartAnswer(new Answer(++_answers, _cancellation.Token) { Turn = turn });
    }

    private void StartAnswer(Answer answer)
    {
        _answerDue = false;
        _deadlines.Clear(Deadline.Inactivity);
        _deadlines.Clear(Deadline.FirstSpeaker);
        _answer = answer;
        answer.Span = StartTurnSpan();
        if (answer.Turn is { } turn) (answer.Latency.Endpoint, answer.Latency.Recognized) = (turn.EndpointTimestamp, _parts.Clock.GetTimestamp());
        StartRound(answer);
    }

    /// <summary>Below the call's span, and not left behind as the loop's current one: other events are not part of the turn.</summary>
    private Activity? StartTurnSpan()
    {
        var call = Activity.Current;
        var span = CallTelemetry.Source.StartActivity("turn", ActivityKind.Internal, _speech.Parent);
        span?.SetTag("call_id", _settings.CallId);
        Activity.Current = call;
        return span;
    }

    private void StartRound(Answer answer)
    {
        _answerDue = false;     // whatever came meanwhile is in the history that the model now gets
        var isLast = ++answer.Rounds == _options.MaxModelRounds;
        if (isLast) _log.Write(Severity.Warning, "too_many_tool_rounds", $"The model called tools {_options.MaxModelRounds - 1} times in one answer; now it must answer without.");
        (answer.IsGenerating, answer.Current, answer.Chunker) = (true, null, new SentenceChunker());
        if (_playing is null) Enter(AgentState.Thinking);
        _deadlines.Set(Deadline.Answer, _options.AnswerTimeout);
        var messages = _history.ForModel(_parts.Model.AcceptsAudio);
        if (answer.TakePrompt() is { } prompt) messages.Add(new ChatMessage(ChatRole.System, prompt));
        if (isLast) messages.Add(new ChatMessage(ChatRole.System, _options.NoMoreToolsPrompt));
        var request = new ModelRequest(_parts.ModelName, _stage.SystemPrompt, messages, isLast ? [] : ModelTools, _stage.Temperature);
        if (answer.Latency.ModelRequested == 0) answer.Latency.ModelRequested = _parts.Clock.GetTimestamp();
        _ = GenerateAsync(answer, answer.Rounds, request);
    }

    /// <summary>Runs beside the loop: posts each delta, then the end.</summary>
    private async Task GenerateAsync(Answer answer, int round, ModelRequest request)
    {
        using var activity = CallTelemetry.Source.StartActivity("model_request", ActivityKind.Client, answer.Span?.Context ?? default);
        activity?.SetTag("call_id", _settings.CallId);
        ProviderException? failure = null;
        try
        {
            await Task.Yield();     // the loop goes on before the provider's first await
            await foreach (var delta in _parts.Model.GenerateAsync(request, answer.Cancellation))
            {
                if (answer.Latency.FirstDelta == 0) answer.Latency.FirstDelta = _parts.Clock.GetTimestamp();
                _inbox.Writer.TryWrite(new(EventKind.Model, new ModelOutput(answer, round, delta)));
            }
        }
        catch (OperationCanceledException) when (answer.Cancellation.IsCancellationRequested)
        {
            return;
        }
        catch (Exception exception)
        {
            activity?.SetStatus(ActivityStatusCode.Error, exception.GetType().Name);
            failure = exception as ProviderException
                ?? new ProviderException("model", ProviderFault.BadAnswer, $"The model failed: {exception.GetType().Name}.", exception);
        }
        _inbox.Writer.TryWrite(new(EventKind.Model, new ModelOutput(answer, round, null, failure)));
    }

    private void OnModelOutput(ModelOutput output)
    {
        var answer = output.Answer;
        if (answer != _answer || output.Round != answer.Rounds || !answer.IsGenerating) return;
        _deadlines.Set(Deadline.Answer, _options.AnswerTimeout);
        switch (output.Delta)
        {
            case ModelDelta.Text text: OnModelText(answer, text.Value); break;
            case ModelDelta.ToolCall call: OnModelToolCall(answer, call); break;
            case ModelDelta.Usage usage: OnModelUsage(usage); break;
            case null: OnRoundEnded(answer, output.Failure); break;
        }
    }

    private void OnModelText(Answer answer, string text)
    {
        if (text.Length == 0) return;
        var utterance = answer.Current;
        if (utterance is null)
        {
            if (string.IsNullOrWhiteSpace(text)) return;
            utterance = answer.Current = NewUtterance(answer, answer.Uninterruptible);
            answer.HasSpoken = true;
        }
        if (utterance.IsClosed) return;
        answer.Chunker.Add(text, piece => WritePiece(answer, utterance, piece));
        if (utterance.TextLength <= Utterance.LongestText) return;
        _log.Write(Severity.Warning, "answer_too_long", $"The model wrote more than {Utterance.LongestText} characters; the rest is left out.");
        utterance.Close();
    }

    private void WritePiece(Answer answer, Utterance utterance, string piece)
    {
        if (answer.Latency.SynthesisRequested == 0) answer.Latency.SynthesisRequested = _parts.Clock.GetTimestamp();
        utterance.Write(piece);
        if (utterance.Medium == MessageMedium.Text) ShowText(utterance);
    }

    private void OnRoundEnded(Answer answer, ProviderException? failure)
    {
        answer.IsGenerating = false;
        _deadlines.Clear(Deadline.Answer);
        if (answer.Current is { } utterance)
        {
            answer.Chunker.Finish(piece => WritePiece(answer, utterance, piece));
            CloseUtterance(utterance);
        }
        if (failure is not null)
        {
            OnModelFailed(answer, failure);
            return;
        }
        _modelFailures = 0;
        if (answer.Tools is { } tools)
        {
            CloseToolRound(tools);
            return;
        }
        if (answer.Current is null && answer.Rounds == 1) _log.Write(Severity.Warning, "empty_answer", "The model had nothing to say.");
        var isSilent = answer.Current is null && answer.Rounds == _options.MaxModelRounds;
        FinishAnswer(answer);
        if (isSilent) Say(_options.Apology, uninterruptible: false);
    }

    private void OnModelFailed(Answer answer, ProviderException failure)
    {
        CallTelemetry.ProviderErrors.Add(1, new KeyValuePair<string, object?>("kind", "model"));
        _log.Write(Severity.Error, "model_error", failure.Message);
        DiscardTools(answer);
        FinishAnswer(answer);
        Apologize(++_modelFailures);
    }

    private void OnAnswerTimeout()
    {
        if (_answer is not { IsGenerating: true } answer) return;
        answer.Cancel();
        OnRoundEnded(answer, new ProviderException("model", ProviderFault.TimedOut, $"The model was silent for {_options.AnswerTimeout.TotalSeconds:0} s."));
    }

    /// <summary>Says in words that something failed; after too many failures in a row the call ends with <c>system_error</c>.</summary>
    private void Apologize(int failures)
    {
        if (failures >= _options.MaxFailures) SayFarewell(_options.FinalApology, EndReason.SystemError);
        else Say(_options.Apology, uninterruptible: false);
    }

    /// <summary>The model has written all it will; the answer is over once it was heard.</summary>
    private void FinishAnswer(Answer answer)
    {
        answer.Dispose();
        if (_answer != answer) return;
        _answer = null;
        _deadlines.Clear(Deadline.Answer);
        ResumeIfIdle();
    }

    /// <summary>Where neither side speaks or works: listens, and answers what is due.</summary>
    private void ResumeIfIdle()
    {
        if (_outcome is not null || _answer is not null || _utterances.Count > 0) return;
        if (_farewell is { ThenEnd: { } reason })
        {
            End(reason);
            return;
        }
        if (UserHasFloor) return;
        if (_answerDue)
        {
            StartAnswer(new Answer(++_answers, _cancellation.Token));
            return;
        }
        Enter(AgentState.Listening);
        if (_inactivity.Delay is { } delay && !_deadlines.IsSet(Deadline.Inactivity)) _deadlines.Set(Deadline.Inactivity, delay);
    }
}
