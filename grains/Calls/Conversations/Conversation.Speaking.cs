using System.Text.Json.Nodes;
using VoiceGrains.GrainInterfaces.Calls;

namespace VoiceGrains.Grains.Calls.Conversations;

/// <summary>What the agent says: utterances, their transcripts in step with playback, interruption, and last words.</summary>
internal sealed partial class Conversation
{
    private static readonly TimeSpan StorePeriod = TimeSpan.FromSeconds(1);

    /// <summary>What is being, or is yet to be, heard; oldest first.</summary>
    private readonly List<Utterance> _utterances = [];
    private Utterance? _playing;
    /// <summary>The utterance with which the call ends.</summary>
    private Utterance? _farewell;
    private EndReason _farewellReason = EndReason.AgentHangup;
    private MessageMedium _outputMedium;
    /// <summary>Of the stage.</summary>
    private SpeakingVoices _voices;
    private int _utteranceIds;
    private int _speechFailures;
    private int _underruns;

    private bool CanInterrupt()
        => _utterances.TrueForAll(utterance => !utterance.Uninterruptible) && _answer is not { Uninterruptible: true } && (_utterances.Count > 0 || _answer is { RunsTools: false });

    private Utterance NewUtterance(Answer? answer, bool uninterruptible, EndReason? thenEnd = null, bool endUnlessUserActs = false, AgentVoice? voice = null)
    {
        var utterance = new Utterance(++_utteranceIds, _clock.Now, answer?.Cancellation ?? _cancellation.Token)
        {
            Medium = voice is null ? _outputMedium : MessageMedium.Voice,
            Uninterruptible = uninterruptible,
            Answer = answer,
            ThenEnd = thenEnd,
            EndUnlessUserActs = endUnlessUserActs,
        };
        _deadlines.Clear(Deadline.Inactivity);
        _utterances.Add(utterance);
        if (utterance.Medium == MessageMedium.Voice) _speech.Enqueue(utterance, voice is null ? _voices : new SpeakingVoices(voice, null, _options, _parts.Clock));
        return utterance;
    }

    /// <summary>Says fixed words.</summary>
    private Utterance Say(string text, bool uninterruptible, EndReason? thenEnd = null, bool endUnlessUserActs = false)
    {
        var utterance = NewUtterance(null, uninterruptible, thenEnd, endUnlessUserActs);
        if (thenEnd is not null) _farewell = utterance;
        var chunker = new SentenceChunker();
        chunker.Add(text, utterance.Write);
        chunker.Finish(utterance.Write);
        if (utterance.Medium == MessageMedium.Text) ShowText(utterance);
        CloseUtterance(utterance);
        if (utterance.IsOver) ResumeIfIdle();       // text is over at once
        return utterance;
    }

    /// <summary>No more text comes. A text utterance is thereby over; a spoken one when it was heard.</summary>
    private void CloseUtterance(Utterance utterance)
    {
        utterance.Close();
        if (utterance.Medium == MessageMedium.Text && !utterance.IsOver) Finish(utterance, utterance.Timeline.Text);
    }

    private void OnUtteranceStarted(Utterance utterance)
    {
        if (utterance.IsOver || (utterance.IsLost && utterance.Timeline.Text.Length == 0)) return;
        utterance.HasStarted = true;
        utterance.Start = _clock.Now;
        _playing = utterance;
        Enter(AgentState.Speaking);
        if (utterance.Answer is { } answer) ReportLatency(answer);
        ShowProgress();
    }

    private void OnUtterancePlayed(Utterance utterance)
    {
        if (utterance.IsOver) return;
        Finish(utterance, utterance.Timeline.Text);
        CommitHeardTools();
        if (_utterances.Count == 0 && _answer is { IsBusy: true }) Enter(AgentState.Thinking);
        ResumeIfIdle();
    }

    private void OnUnderrun()
    {
        CallTelemetry.Underruns.Add(1);
        if (++_underruns == 1) _log.Write(Severity.Warning, "speech_underrun", "The agent's sound ran dry inside an utterance: the synthesizer or the model was too slow.");
    }

    /// <summary>Sends what has begun to sound since the last look.</summary>
    private void ShowProgress()
    {
        if (_playing is not { IsOver: false } utterance) return;
        // The first word sounds from the first sample on, whatever a synthesizer says of its leading silence.
        var seconds = Math.Max(_speech.HeardSeconds(utterance), 0.001);
        Show(utterance, utterance.Timeline.StartedBy(seconds));
        if (utterance.Entry is null || _clock.Wall - utterance.LastStored < StorePeriod) return;
        var text = utterance.Timeline.Text;
        Store(utterance, text[..Math.Min(utterance.Shown, text.Length)]);
    }

    private void ShowText(Utterance utterance) => Show(utterance, utterance.Timeline.Text.Length);

    private void Show(Utterance utterance, int length)
    {
        if (length <= utterance.Shown) return;
        var text = utterance.Timeline.Text;
        utterance.Ordinal ??= _history.NextOrdinal();
        _outbox.TranscriptDelta(MessageRole.Agent, utterance.Medium, text[utterance.Shown..length], utterance.Ordinal.Value);
        utterance.Shown = length;
        if (utterance.Entry is null) Store(utterance, text[..length]);
    }

    private void Store(Utterance utterance, string text)
    {
        utterance.LastStored = _clock.Wall;
        var message = new Message { Role = MessageRole.Agent, Text = text.Trim(), Medium = utterance.Medium };
        if (utterance.Entry is not { } entry) utterance.Entry = _history.Add(_clock.Stamp(message, utterance.Start));
        else _history.Replace(entry, _clock.Stamp(entry.Message with { Text = message.Text }, utterance.Start));
    }

    /// <summary>The utterance is over, and so much of its text is what the user heard.</summary>
    private void Finish(Utterance utterance, string heard)
    {
        utterance.IsOver = true;
        utterance.Cancel();
        _utterances.Remove(utterance);
        if (_playing == utterance) _playing = null;
        if (_utterances.Count == 0)
        {
            _allHeard?.TrySetResult();
            _allHeard = null;
        }
        heard = heard.Trim();
        if (heard.Length == 0 && utterance.Entry is null) return;
        Store(utterance, heard);
        _outbox.TranscriptText(MessageRole.Agent, utterance.Medium, heard, true, utterance.Ordinal ??= _history.NextOrdinal());
    }

    /// <summary>The user cuts the agent off: silence at once, the rest of the answer is dropped, and history keeps what was heard.</summary>
    /// <param name="why">For the event log.</param>
    /// <param name="extras">As <paramref name="why"/>.</param>
    private void Interrupt(string why, JsonObject? extras = null)
    {
        if (_utterances.Count == 0 && _answer is null) return;
        var wasAudible = _playing is not null;
        SilenceAgent();
        if (!wasAudible) return;
        CallTelemetry.Interruptions.Add(1);
        _log.Write(Severity.Info, "interruption", $"The agent was interrupted: {why}.", extras);
        if (_state == AgentState.Speaking) Enter(AgentState.Listening);
    }

    /// <summary>Stops generation, synthesis and playback. Tools that already run are let finish: their effects are real.</summary>
    private void SilenceAgent()
    {
        foreach (var utterance in _utterances) utterance.Cancel();
        DiscardTools();
        if (_answer is { RunsTools: false } answer) DropAnswer(answer);
        if (_utterances.Count == 0)
        {
            _speech.Restore();
            return;
        }
        var (playing, seconds) = _speech.Clear();
        _outbox.PlaybackCleared();
        foreach (var utterance in _utterances.ToArray())
        {
            var isText = utterance.Medium == MessageMedium.Text;
            var length = isText ? utterance.Shown : utterance.Id == playing ? utterance.Timeline.HeardBy(seconds) : 0;
            Finish(utterance, utterance.Timeline.Text[..length]);
        }
    }

    /// <summary>The stage's voice has gone since the call was made, and another one speaks for it.</summary>
    private void TellOfVoice(string? problem)
    {
        if (problem is not null) _log.Write(Severity.Error, "voice_unavailable", problem);
    }

    private void OnSpeechFailed(SpeechFailure failed)
    {
        var (utterance, failure) = (failed.Utterance, failed.Failure);
        CallTelemetry.ProviderErrors.Add(1, new KeyValuePair<string, object?>("kind", "synthesizer"));
        if (failed.IsNews || failed.IsLost)
        {
            var extras = new JsonObject { ["provider"] = failure.Provider, ["fault"] = failure.Fault.ToString(), ["isLost"] = failed.IsLost };
            if (failure.Status is { } status) extras["status"] = status;
            _log.Write(Severity.Error, "speech_error", failure.Message, extras);
        }
        if (failed.IsLost && !utterance.IsOver) OnSpeechLost(utterance);
    }

    /// <summary>Nobody can speak the rest: what there is of it plays out, and repeated failure ends the call.</summary>
    private void OnSpeechLost(Utterance utterance)
    {
        (utterance.IsLost, _speechFailures) = (true, _speechFailures + 1);
        utterance.Close();
        if (utterance.Answer is { RunsTools: false } answer)
        {
            DiscardTools(answer);
            if (_answer == answer) DropAnswer(answer);
        }
        if (_speechFailures >= _options.MaxFailures) End(EndReason.SystemError);
    }

    /// <summary>Forgets the running answer: nothing more of it is written.</summary>
    private void DropAnswer(Answer answer)
    {
        answer.Cancel();
        _answer = null;
        _deadlines.Clear(Deadline.Answer);
    }

    /// <summary>Says last words that cannot be interrupted, then ends the call.</summary>
    private void SayFarewell(string text, EndReason reason)
    {
        SilenceAgent();
        _farewellReason = reason;
        if (string.IsNullOrWhiteSpace(text))
        {
            End(reason);
            return;
        }
        _deadlines.Set(Deadline.HardStop, _options.FarewellTimeout);
        Say(text, uninterruptible: true, thenEnd: reason);
    }

    /// <summary>Ends the call once all that was said has been heard.</summary>
    private void EndAfterSpeech(EndReason reason)
    {
        if (_utterances.Count == 0)
        {
            End(reason);
            return;
        }
        _farewellReason = reason;
        _farewell = _utterances[^1];
        _farewell.ThenEnd = reason;
        _deadlines.Set(Deadline.HardStop, _options.FarewellTimeout);
    }

    /// <summary>The user interacted in time: a soft hang-up is called off.</summary>
    private void KeepCall()
    {
        _farewell!.ThenEnd = null;
        _farewell = null;
        _deadlines.Clear(Deadline.HardStop);
    }

    private void ReportLatency(Answer answer)
    {
        var latency = answer.Latency;
        if (latency.IsReported || latency.Endpoint == 0) return;
        (latency.IsReported, latency.FirstSent) = (true, _parts.Clock.GetTimestamp());
        var parts = latency.ToJson(_parts.Clock);
        foreach (var (name, value) in parts)
            CallTelemetry.TurnLatency.Record(value!.GetValue<double>() / 1000, new KeyValuePair<string, object?>("part", name[..^2]));
        _log.Write(Severity.Info, "turn_latency", $"The agent's answer was heard {parts["totalMs"]} ms after the user's turn ended.", parts);
    }
}
