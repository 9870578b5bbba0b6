using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.Grains.Calls.DataConnections;

namespace VoiceGrains.Grains.Calls.Conversations;

/// <summary>What comes from the call's data connection: it may do all that a client may, but for the sound.</summary>
internal sealed partial class Conversation
{
    private void OnConnectionData(byte[] utf8)
    {
        _inbox.ReleaseConnectionMessage();
        if (ClientMessage.Parse(utf8, out var error) is not { } message)
        {
            _log.Write(Severity.Warning, "invalid_message", $"A data message of the data connection was ignored. {error}");
            return;
        }
        // As documented: text in the older form never makes the agent answer at once when it comes from here.
        if (message is ClientMessage.UserText { IsOlderForm: true } text) message = text with { Urgency = Urgency.Later };
        OnMessage(message, MessageSource.DataConnection);
    }

    private void OnConnectionNotice(ConnectionNotice notice) => _log.Write(notice.Severity, notice.Type, notice.Text);
}
