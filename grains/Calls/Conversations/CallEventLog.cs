using System.Text.Json.Nodes;
using VoiceGrains.GrainInterfaces.Calls;

namespace VoiceGrains.Grains.Calls.Conversations;

/// <summary>Writes a call's events: to the journal, and to the client where it asked for <c>call_event</c> messages.</summary>
internal sealed class CallEventLog(CallRun call, string firstStageId, CallClock clock, ICallJournal journal, Outbox outbox)
{
    // A client that causes an event with each frame must not fill the database.
    private const int MostEvents = 5_000;
    private string _stageId = firstStageId;
    private int _written;

    /// <summary>Events of severity error in the current stage.</summary>
    public int Errors { get; private set; }

    public void EnterStage(string stageId) => (_stageId, Errors) = (stageId, 0);

    public void Write(Severity severity, string type, string text, JsonObject? extras = null)
    {
        if (severity == Severity.Error) Errors++;
        if (++_written > MostEvents) return;
        if (_written == MostEvents) (severity, type, text, extras) = (Severity.Warning, "events_suppressed", $"More than {MostEvents} events: the rest is left out.", null);
        var callEvent = new CallEvent(call.CallId, _stageId, clock.Input, severity, type, text, extras, clock.Wall);
        journal.Write(call.Generation, callEvent);
        outbox.CallEvent(callEvent);
    }
}
