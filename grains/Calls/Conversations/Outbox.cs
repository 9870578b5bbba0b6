using System.Text.Json;
using System.Text.Json.Nodes;
using VoiceGrains.GrainInterfaces;
using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.Grains.Calls.LiveEvents;

namespace VoiceGrains.Grains.Calls.Conversations;

/// <summary>
/// Data messages to the client, as <c>data-messages</c> documents them; which ones are on is the medium's <c>dataMessages</c>. Transcripts, states
/// and events go to those who watch the call as well, whatever the client wants.
/// </summary>
internal sealed partial class Outbox(IMediaPort port, EnabledDataMessages? enabled, bool clearBufferByDefault, ILiveEventSink? live = null)
{
    private readonly bool _state = enabled?.State ?? true;
    private readonly bool _transcript = enabled?.Transcript ?? true;
    private readonly bool _callEvent = enabled?.CallEvent ?? false;

    /// <summary>Messages that the far end was too slow to take.</summary>
    public int Dropped { get; private set; }

    public bool SendsClearBuffer { get; } = enabled?.PlaybackClearBuffer ?? clearBufferByDefault;

    public void Pong(JsonNode? timestamp)
    {
        if (enabled?.Pong ?? true) Send(new() { ["type"] = "pong", ["timestamp"] = timestamp?.DeepClone() });
    }

    public void CallStarted(string callId)
    {
        if (enabled?.CallStarted ?? true) Send(new() { ["type"] = "call_started", ["callId"] = callId });
    }

    public void State(string state)
    {
        live?.State(state);
        if (_state) Send(new() { ["type"] = "state", ["state"] = state });
    }

    /// <summary>The whole transcript so far, or its final form.</summary>
    public void TranscriptText(MessageRole role, MessageMedium medium, string text, bool final, int ordinal)
    {
        live?.Transcript(role, medium, text, null, final, ordinal);
        Transcript("text", role, medium, text, final, ordinal);
    }

    /// <summary>What was added to a transcript.</summary>
    public void TranscriptDelta(MessageRole role, MessageMedium medium, string delta, int ordinal)
    {
        live?.Transcript(role, medium, null, delta, false, ordinal);
        Transcript("delta", role, medium, delta, false, ordinal);
    }

    public void ClientToolInvocation(string toolName, string invocationId, JsonObject parameters)
    {
        if (enabled?.ClientToolInvocation ?? true) SendInvocation("client_tool_invocation", toolName, invocationId, parameters);
    }

    public void InvokingTool(string toolName, string invocationId)
    {
        if (enabled?.InvokingTool ?? false) Send(new() { ["type"] = "invoking_tool", ["toolName"] = toolName, ["invocationId"] = invocationId });
    }

    public void ToolUsed(string toolName, string invocationId, bool failed)
    {
        if (enabled?.ToolUsed ?? false) Send(new() { ["type"] = "tool_used", ["toolName"] = toolName, ["invocationId"] = invocationId, ["isError"] = failed });
    }

    public void UserStartedSpeaking()
    {
        if (enabled?.UserStartedSpeaking ?? false) Send(new() { ["type"] = "user_started_speaking" });
    }

    public void UserStoppedSpeaking()
    {
        if (enabled?.UserStoppedSpeaking ?? false) Send(new() { ["type"] = "user_stopped_speaking" });
    }

    public void Debug(string message)
    {
        if (enabled?.Debug ?? false) Send(new() { ["type"] = "debug", ["message"] = message });
    }

    public void CallEvent(CallEvent callEvent)
    {
        live?.Event(callEvent);
        if (!_callEvent) return;
        var message = JsonSerializer.SerializeToNode(callEvent, WireJson.Sparse)!.AsObject();
        // The event's own type would collide with the message's.
        message["eventType"] = callEvent.Type;
        message["type"] = "call_event";
        Send(message);
    }

    private void Transcript(string field, MessageRole role, MessageMedium medium, string value, bool final, int ordinal)
    {
        if (!_transcript) return;
        Send(new()
        {
            ["type"] = "transcript",
            ["role"] = role == MessageRole.User ? "user" : "agent",
            ["medium"] = medium == MessageMedium.Text ? "text" : "voice",
            [field] = value,
            ["final"] = final,
            ["ordinal"] = ordinal,
        });
    }

    private void SendInvocation(string type, string toolName, string invocationId, JsonObject parameters)
        => Send(new() { ["type"] = type, ["toolName"] = toolName, ["invocationId"] = invocationId, ["parameters"] = parameters.DeepClone() });

    private void Send(JsonObject message)
    {
        if (!port.TrySendData(JsonSerializer.SerializeToUtf8Bytes(message, WireJson.Options))) Dropped++;
    }
}
