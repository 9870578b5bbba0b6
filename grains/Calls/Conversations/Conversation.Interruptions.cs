using System.Text.Json.Nodes;
using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.GrainInterfaces.Validation;
using VoiceGrains.Grains.Calls.Interruptions;

namespace VoiceGrains.Grains.Calls.Conversations;

/// <summary>
/// Sounds over the agent that may be no interruption, where <c>experimentalSettings.interruption</c> is set: the agent is softened at once, and goes on
/// from where it is, or is interrupted, once it is known what the sound was.
/// </summary>
internal sealed partial class Conversation
{
    // Shorter is a gap within a word: the closure of a "t" or a "p" is silent for up to 100 ms.
    private static readonly TimeSpan EndedSilence = TimeSpan.FromMilliseconds(128);

    private StageSettings? _interruptionStage;
    private InterruptionSettings? _interruption;
    private Backchannels? _backchannels;
    /// <summary>The turn whose sound is being weighed, or was last.</summary>
    private UserTurn? _weighed;

    /// <summary>Begins to weigh the sound that just became long enough to interrupt. False: it interrupts as always.</summary>
    private bool TryWeigh()
    {
        if (_listener.Turn is not { } turn || (_utterances.Count == 0 && _answer is null) || InterruptionRules() is not { } rules) return false;
        turn.BargeIn = new BargeIn(rules, _backchannels!, _parts.Clock.GetTimestamp());
        _weighed = turn;
        if (CanInterrupt()) _speech.Soften(rules);
        _deadlines.Set(Deadline.BargeIn, rules.DecisionWindow);
        HearWords(turn, turn.PartialText);
        return true;
    }

    /// <summary>The stage's rules; null where every sound interrupts. Read once for a stage.</summary>
    private InterruptionSettings? InterruptionRules()
    {
        if (ReferenceEquals(_interruptionStage, _stage)) return _interruption;
        _interruptionStage = _stage;
        // Checked when the call or the stage was made: there are no problems.
        var errors = new InputErrors();
        var settings = InterruptionSettings.Read(_stage.ExperimentalSettings, errors);
        _interruption = errors.Any ? null : settings;
        _backchannels = _interruption is null ? null : Backchannels.For(_interruption.Backchannels, _stage.LanguageHint);
        return _interruption;
    }

    /// <summary>Words interrupt as soon as they are known, also after the window.</summary>
    private void HearWords(UserTurn turn, string text)
    {
        if (turn.BargeIn is { Kind: not SoundKind.Words } bargeIn && bargeIn.Judge(text) == SoundKind.Words) Decide(turn, SoundKind.Words, "the user spoke");
    }

    private void OnBargeInWindow()
    {
        if (_weighed is not { BargeIn: { Kind: SoundKind.Undecided } bargeIn } turn) return;
        var sounds = turn == _listener.Turn && _listener.Silence < EndedSilence;
        Decide(turn, bargeIn.JudgeNow(turn.PartialText, sounds), "the user went on, and no words are known yet");
    }

    private void InterruptByUser(string why, JsonObject? extras = null)
    {
        if (!CanInterrupt()) return;
        // An answer of which nothing was heard is due again if the sound turns out to be no turn.
        var isUnheard = _playing is null && _history.InvitesAnswer;
        Interrupt(why, extras);
        if (isUnheard) _answerDue = true;
    }

    private void Decide(UserTurn turn, SoundKind kind, string why)
    {
        var bargeIn = turn.BargeIn!;
        bargeIn.Decide(kind, _parts.Clock.GetElapsedTime(bargeIn.Timestamp));
        if (kind == SoundKind.Words)
        {
            OnUserActivity();
            InterruptByUser(why, Describe(bargeIn));
        }
        if (_weighed != turn) return;
        _deadlines.Clear(Deadline.BargeIn);
        _speech.Restore();
    }

    /// <summary>The sound is over and all is known that will be. True: it was no turn, and the agent went on. Over the agent's last words even a "yes" is an answer.</summary>
    private bool WasNoTurn(UserTurn turn)
    {
        if (turn.BargeIn is not { } bargeIn) return false;
        var kind = turn.Recognition is null && bargeIn.Kind != SoundKind.Undecided ? bargeIn.Kind : bargeIn.Judge(turn.Text);
        if (bargeIn.Kind != SoundKind.Words) Decide(turn, kind, "the user spoke");
        if (bargeIn.Kind == SoundKind.Words) return false;
        if (_utterances.Count == 0 && _answer is null && (kind == SoundKind.Backchannel || turn.Recognition is null)) return false;
        if (kind == SoundKind.Backchannel) OnUserActivity();
        _log.Write(Severity.Info, kind == SoundKind.Backchannel ? "backchannel" : "noise",
            kind == SoundKind.Backchannel ? "The user showed to be listening; the agent went on." : "A sound without words; the agent went on.", Describe(bargeIn));
        CallTelemetry.IgnoredSounds.Add(1, new KeyValuePair<string, object?>("kind", kind == SoundKind.Backchannel ? "backchannel" : "noise"));
        return true;
    }

    private static JsonObject Describe(BargeIn bargeIn) => new() { ["decisionMs"] = Math.Round(bargeIn.DecidedAfter.TotalMilliseconds) };
}
