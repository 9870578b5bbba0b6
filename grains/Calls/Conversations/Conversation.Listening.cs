using System.Text.Json.Nodes;
using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.Grains.Calls.Interruptions;
using VoiceGrains.Providers;
using VoiceGrains.Providers.Recognition;

namespace VoiceGrains.Grains.Calls.Conversations;

/// <summary>The user's side: sound, turns, recognition, and sound that comes too fast, too slowly or not at all.</summary>
internal sealed partial class Conversation
{
    private static readonly TimeSpan InputCheckPeriod = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan OverflowWarning = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan OverflowLimit = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan UnderflowWarning = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LeastIdleTimeout = TimeSpan.FromSeconds(10);
    // Audio may come in larger chunks than frames; a pause in a turn this much longer than the endpoint delay is a stall.
    private static readonly TimeSpan StallAllowance = TimeSpan.FromMilliseconds(150), StallSecondLook = TimeSpan.FromMilliseconds(100);

    private UserTurn? _recognizing;
    private int _turns;
    private int _recognitionFailures;
    private TimeSpan _lastAudio, _stalledAt;
    private TimeSpan _inputDeficit;
    private bool _overflows, _hasToldOfRecording;

    /// <summary>The user speaks, or has just spoken and is being understood.</summary>
    private bool UserHasFloor => (_listener.Turn is not null && _listener.Interrupts) || _recognizing is not null;

    private void OnAudio(short[] buffer, int samples)
    {
        try
        {
            _lastAudio = _clock.Wall;
            if (_clock.Input - _clock.Wall > OverflowLimit)
            {
                CallTelemetry.DroppedInput.Add(samples);
                return;
            }
            _connection?.Audio?.WriteUser(buffer.AsSpan(0, samples));
            _listener.Write(buffer.AsSpan(0, samples));
        }
        finally
        {
            _inbox.ReturnAudio(buffer, samples);
        }
    }

    private UserTurn BeginTurn()
    {
        var turn = new UserTurn(++_turns, _clock.Now) { BeganOverAgent = _playing is not null, KeepsAudio = _parts.Model.AcceptsAudio };
        if (_parts.Recognizer is { } recognizer)
        {
            turn.Recognition = recognizer.Start(new RecognitionOptions(_stage.LanguageHint, text =>
            {
                turn.PartialText = text;
                _inbox.Writer.TryWrite(new(EventKind.PartialText, turn));
            }));
        }
        _deadlines.Set(Deadline.InputStall, _listener.EndpointDelay + StallAllowance);
        return turn;
    }

    private void OnUserSignal(TurnSignal signal, UserTurn turn)
    {
        if (signal.HasFlag(TurnSignal.Started)) _outbox.UserStartedSpeaking();
        if (signal.HasFlag(TurnSignal.Interrupts)) OnUserHeard();
        if (signal.HasFlag(TurnSignal.Ended)) OnTurnEnded(turn);
        if (signal.HasFlag(TurnSignal.Discarded)) DiscardTurn(turn, "shorter than minimumTurnDuration");
    }

    /// <summary>The user has spoken for long enough to be taken seriously.</summary>
    private void OnUserHeard()
    {
        if (TryWeigh()) return;
        OnUserActivity();
        InterruptByUser("the user spoke");
    }

    private void OnUserActivity()
    {
        _inactivity.OnUserActivity();
        _deadlines.Clear(Deadline.Inactivity);
        _deadlines.Clear(Deadline.SoftHangUp);
        if (_farewell is { EndUnlessUserActs: true, ThenEnd: not null }) KeepCall();
    }

    private void OnTurnEnded(UserTurn turn)
    {
        turn.EndpointTimestamp = _parts.Clock.GetTimestamp();
        if (turn.BeganOverAgent && _playing is not null && !_listener.Interrupts)
        {
            DiscardTurn(turn, "shorter than minimumInterruptionDuration");
            return;
        }
        _outbox.UserStoppedSpeaking();
        _deadlines.Clear(Deadline.InputStall);
        _deadlines.Clear(Deadline.FirstSpeaker);
        if (turn.Recognition is null && WasNoTurn(turn))
        {
            ResumeIfIdle();
            return;
        }
        if (_parts.Model.AcceptsAudio && (turn.Recognition is null || turn.BargeIn is null or { Kind: SoundKind.Words }))
        {
            TakeTurn(turn);
            _ = FinishRecognitionAsync(turn);
            return;
        }
        _recognizing = turn;
        if (_playing is null) Enter(AgentState.Thinking);
        _ = FinishRecognitionAsync(turn);
    }

    private void DiscardTurn(UserTurn turn, string why)
    {
        _outbox.UserStoppedSpeaking();
        _outbox.Debug($"User speech was ignored: {why}.");
        _deadlines.Clear(Deadline.InputStall);
        if (turn.Ordinal is { } ordinal) _outbox.TranscriptText(MessageRole.User, MessageMedium.Voice, "", true, ordinal);
        _ = DropRecognitionAsync(turn);
        ResumeIfIdle();
    }

    private static async Task DropRecognitionAsync(UserTurn turn)
    {
        try
        {
            if (turn.Recognition is { } recognition) await recognition.DisposeAsync();
        }
        catch (ProviderException)
        {
            // Nobody waits for this turn any more.
        }
    }

    private async Task FinishRecognitionAsync(UserTurn turn)
    {
        if (turn.Recognition is not { } recognition) return;
        using var patience = new CancellationTokenSource(_options.RecognitionTimeout, _parts.Clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, _cancellation.Token);
        try
        {
            turn.Text = (await recognition.FinishAsync(either.Token)).Trim();
        }
        catch (OperationCanceledException) when (_cancellation.IsCancellationRequested)
        {
            return;
        }
        catch (OperationCanceledException)
        {
            turn.Failure = new ProviderException("recognizer", ProviderFault.TimedOut, $"Recognition took longer than {_options.RecognitionTimeout.TotalSeconds:0} s.");
        }
        catch (Exception exception)
        {
            turn.Failure = exception;
        }
        finally
        {
            await DropRecognitionAsync(turn);
        }
        _inbox.Writer.TryWrite(new(EventKind.Recognized, turn));
    }

    private void OnPartialText(UserTurn turn)
    {
        if (turn.PartialText.Length == 0 || turn.Text.Length > 0 || (turn == _listener.Turn && !_listener.Interrupts)) return;
        if (turn != _listener.Turn && turn != _recognizing) return;
        turn.Ordinal ??= _history.NextOrdinal();
        _outbox.TranscriptText(MessageRole.User, MessageMedium.Voice, turn.PartialText, false, turn.Ordinal.Value);
        HearWords(turn, turn.PartialText);
    }

    private void OnRecognized(UserTurn turn)
    {
        var waited = turn == _recognizing;
        if (waited) _recognizing = null;
        if (turn.Failure is { } failure)
        {
            OnRecognitionFailed(turn, failure, waited);
            return;
        }
        _recognitionFailures = 0;
        if (turn.Ordinal is not null || turn.Text.Length > 0)
            _outbox.TranscriptText(MessageRole.User, MessageMedium.Voice, turn.Text, true, turn.Ordinal ??= _history.NextOrdinal());
        if (turn.Entry is { } entry) _history.Replace(entry, entry.Message with { Text = turn.Text });
        else if (WasNoTurn(turn)) ResumeIfIdle();
        else if (turn.Text.Length > 0) TakeTurn(turn);
        else
        {
            _log.Write(Severity.Debug, "empty_turn", "Nothing was understood of a user turn.");
            ResumeIfIdle();
        }
    }

    private void OnRecognitionFailed(UserTurn turn, Exception failure, bool waited)
    {
        CallTelemetry.ProviderErrors.Add(1, new KeyValuePair<string, object?>("kind", "recognizer"));
        _log.Write(Severity.Error, "recognition_error", Describe(failure));
        if (turn.Ordinal is { } ordinal) _outbox.TranscriptText(MessageRole.User, MessageMedium.Voice, turn.PartialText, true, ordinal);
        if (waited && turn.BargeIn is null or { Kind: SoundKind.Words }) Apologize(++_recognitionFailures);
        else ResumeIfIdle();
    }

    /// <summary>Puts the turn into the history and answers it.</summary>
    private void TakeTurn(UserTurn turn)
    {
        var message = _clock.Stamp(new Message { Role = MessageRole.User, Text = turn.Text, Medium = MessageMedium.Voice }, turn.Start);
        turn.Entry = _history.Add(message);
        turn.Entry.Audio = turn.Audio;
        OnUserActivity();
        CallTelemetry.Turns.Add(1);
        AnswerUser(turn);
    }

    /// <summary>
    /// Sound stopped coming in the middle of a turn: as if silence had followed. Where it was this process that stood still, the sound is only
    /// waiting to be read: the turn ends when none came during a second look either.
    /// </summary>
    private void OnInputStall()
    {
        if (_listener.Turn is null) return;
        var limit = _listener.EndpointDelay + StallAllowance;
        var quiet = _clock.Wall - _lastAudio;
        if (quiet < limit)
        {
            _deadlines.Set(Deadline.InputStall, limit - quiet);
        }
        else if (_stalledAt != _lastAudio)
        {
            _stalledAt = _lastAudio;
            _deadlines.Set(Deadline.InputStall, StallSecondLook);
        }
        else
        {
            _listener.EndTurn();
        }
    }

    /// <summary>Without a recorder there never was a blob to write to.</summary>
    private void CheckRecording()
    {
        if (!_settings.RecordingEnabled || _hasToldOfRecording || _parts.Recorder is { Failure: null }) return;
        _hasToldOfRecording = true;
        _log.Write(Severity.Error, "recording_failed", $"The server could not write the call's recording{(_parts.Recorder is null ? "" : " any further")}. The call goes on.");
    }

    private void CheckInput()
    {
        _deadlines.Set(Deadline.InputCheck, InputCheckPeriod);
        CheckRecording();
        var ahead = _clock.Input - _clock.Wall;
        var dropped = _inbox.TakeDroppedSamples();
        if (dropped > 0) CallTelemetry.DroppedInput.Add(dropped);
        var overflows = ahead > OverflowWarning || dropped > 0;
        if (overflows && !_overflows)
            _log.Write(Severity.Warning, "audio_overflow", $"Audio comes faster than real time; it is {ahead.TotalSeconds:0.0} s ahead. Beyond {OverflowLimit.TotalSeconds:0} s it is dropped.");
        _overflows = overflows;
        if (-ahead - _inputDeficit > UnderflowWarning)
        {
            _inputDeficit = -ahead;
            _log.Write(Severity.Warning, "audio_underflow", $"Audio comes slower than real time; {-ahead.TotalSeconds:0.0} s are missing so far.");
        }
        if (_inbox.TakeDroppedMessages() is > 0 and var messages)
            _log.Write(Severity.Warning, "messages_dropped", $"{messages} data messages came too fast and were dropped.");
        CheckIdle();
    }

    private void CheckIdle()
    {
        if (_settings.Medium.ServerWebSocket?.MediaIdleTimeout is not { } configured) return;
        var limit = configured < LeastIdleTimeout ? LeastIdleTimeout : configured;
        if (_clock.Wall - _lastAudio > limit) OnMediaEnded(MediaEnd.Idle);
    }

    private static string Describe(Exception exception) => exception is ProviderException ? exception.Message : $"Unexpected {exception.GetType().Name}.";
}
