using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.Grains.Tools.BuiltIn;
using VoiceGrains.Grains.Transfers;

namespace VoiceGrains.Grains.Calls.Conversations;

/// <summary>What built-in tools do to their call.</summary>
internal sealed partial class Conversation : ICallControl
{
    // Somebody who wants to stay needs to begin within this; who hangs up anyway hardly notices it.
    private static readonly TimeSpan SoftHangUpGrace = TimeSpan.FromSeconds(1.5);
    // A slow voice speaks 10 characters a second.
    private const double SlowestCharactersPerSecond = 10;

    private TaskCompletionSource? _allHeard;

    ITransferPort? ICallControl.Transfers => _port as ITransferPort;

    void ICallControl.SayAndEnd(string text, bool unlessUserActs)
    {
        _farewellReason = EndReason.AgentHangup;
        _deadlines.Set(Deadline.HardStop, _options.FarewellTimeout + TimeSpan.FromSeconds(text.Length / SlowestCharactersPerSecond));
        Say(text, uninterruptible: !unlessUserActs, thenEnd: EndReason.AgentHangup, endUnlessUserActs: unlessUserActs);
    }

    void ICallControl.PlayTones(string digits, TimeSpan tone, TimeSpan space)
    {
        if (_port is IDtmfPort medium && medium.TrySendDtmf(digits, tone, space)) return;
        // Whoever listens at the other end talks over them: a menu does not wait.
        var utterance = NewUtterance(null, uninterruptible: true, voice: new AgentVoice(new ToneSynthesizer(digits, tone, space), "", null));
        CloseUtterance(utterance);
    }

    Task ICallControl.WhenAllHeard(CancellationToken cancellationToken)
    {
        if (_utterances.Count == 0) return Task.CompletedTask;
        _allHeard ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        return _allHeard.Task.WaitAsync(cancellationToken);
    }

    /// <summary>Ends the call after all was heard and the user had a moment to go on with it.</summary>
    private void EndUnlessUserActs()
    {
        if (UserHasFloor || _listener.Turn is not null || _answerDue) return;
        _deadlines.Set(Deadline.SoftHangUp, SoftHangUpGrace);
    }

    private void OnSoftHangUp()
    {
        if (_utterances.Count > 0 || _answer is not null) _deadlines.Set(Deadline.SoftHangUp, SoftHangUpGrace);
        else EndAfterSpeech(EndReason.AgentHangup);
    }
}
