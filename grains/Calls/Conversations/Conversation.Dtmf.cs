using VoiceGrains.GrainInterfaces.Calls;

namespace VoiceGrains.Grains.Calls.Conversations;

/// <summary>Keys that the caller presses: collected for a moment, then a user message.</summary>
internal sealed partial class Conversation
{
    private readonly DtmfInput _dtmf;
    private bool _dtmfTooFast;

    private void OnDtmf(char digit)
    {
        _inbox.ReleaseMessage();
        if (_dtmf.Ignores) return;
        OnUserActivity();
        _deadlines.Clear(Deadline.FirstSpeaker);
        if (!_dtmf.TryAdd(digit, _clock.Wall))
        {
            if (!_dtmfTooFast) _log.Write(Severity.Warning, "dtmf_dropped", "Keys were pressed faster than anybody can: what is too much is dropped.");
            _dtmfTooFast = true;
        }
        if (_dtmf.IsFull) OnDtmfPause();
        else _deadlines.Set(Deadline.Dtmf, _options.DtmfPause);
    }

    /// <summary>No further key came for a while.</summary>
    private void OnDtmfPause()
    {
        _deadlines.Clear(Deadline.Dtmf);
        if (_dtmf.Take() is not { } message) return;
        // Digits can be a PIN: the event tells of them, not what they are.
        _log.Write(Severity.Info, "dtmf", "The user pressed keys.");
        OnUserText(message);
    }
}
