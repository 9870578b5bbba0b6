using VoiceGrains.GrainInterfaces.Calls;

namespace VoiceGrains.Grains.Calls.Conversations;

/// <summary>Who speaks first, what silence brings about, and when the time is up.</summary>
internal sealed partial class Conversation
{
    /// <summary>Goes on where a lost conversation of the call stopped. What a tool did meanwhile nobody knows, so that its model is told.</summary>
    private void Resume(CallPast past)
    {
        _log.Write(Severity.Info, "call_resumed", "The client came back: the call goes on.");
        foreach (var thread in past.LostThreads) _threads.Lost(thread);
        foreach (var call in past.OpenToolCalls)
            AddToolResult(call.InvocationId ?? "", call.ToolName ?? "", "The connection was lost before the result came. It is not known whether the tool did its work.", "The call was interrupted.");
        if (_history.HasNew && _history.InvitesAnswer) StartAnswerWhenFree(null, interrupt: false);
        else if (_history.HasNew) ResumeIfIdle();
        else if (IsFirstStage) StartFirstSpeaker();
        else BeginStageAgain();
    }

    private void StartFirstSpeaker()
    {
        var first = _settings.FirstSpeaker;
        if (first.User is { } user)
        {
            if (user.Fallback is { } fallback) _deadlines.Set(Deadline.FirstSpeaker, fallback.Delay ?? TimeSpan.Zero);
            else ResumeIfIdle();
            return;
        }
        if (first.Agent?.Delay is { } delay && delay > TimeSpan.Zero) _deadlines.Set(Deadline.FirstSpeaker, delay);
        else SpeakFirst();
    }

    /// <summary>The agent opens the conversation: fixed words, a prompted greeting, or one that the system prompt suggests.</summary>
    private void SpeakFirst()
    {
        if (_history.HasNew || UserHasFloor || _listener.Turn is not null) return;
        var (agent, fallback) = (_settings.FirstSpeaker.Agent, _settings.FirstSpeaker.User?.Fallback);
        var uninterruptible = agent?.Uninterruptible ?? false;
        if ((agent?.Text ?? fallback?.Text) is { Length: > 0 } text)
        {
            Say(text, uninterruptible);
            return;
        }
        var prompt = agent?.Prompt ?? fallback?.Prompt;
        if (prompt is null && _settings.EnableGreetingPrompt && !_history.InvitesAnswer) prompt = _options.GreetingPrompt;
        StartAnswer(new Answer(++_answers, _cancellation.Token) { Prompt = prompt, Uninterruptible = uninterruptible });
    }

    private void OnInactive()
    {
        if (_answer is not null || _utterances.Count > 0 || UserHasFloor || _farewell is not null) return;
        var message = _inactivity.TakeNext();
        var ends = message.EndBehavior != EndBehavior.Unspecified;
        _log.Write(Severity.Info, "inactivity", $"The user was inactive for {message.Duration.TotalSeconds:0.#} s.");
        if (ends)
        {
            _farewellReason = EndReason.AgentHangup;
            _deadlines.Set(Deadline.HardStop, _options.FarewellTimeout);
        }
        if (string.IsNullOrWhiteSpace(message.Message))
        {
            if (ends) End(EndReason.AgentHangup);
            else ResumeIfIdle();
            return;
        }
        Say(message.Message, uninterruptible: message.EndBehavior == EndBehavior.HangUpStrict,
            thenEnd: ends ? EndReason.AgentHangup : null, endUnlessUserActs: message.EndBehavior == EndBehavior.HangUpSoft);
    }

    private void OnMaxDuration()
    {
        _log.Write(Severity.Info, "max_duration", $"The call's maximum duration of {_settings.MaxDuration.TotalSeconds:0} s is over.");
        SayFarewell(_stage.TimeExceededMessage ?? "", EndReason.Timeout);
    }
}
