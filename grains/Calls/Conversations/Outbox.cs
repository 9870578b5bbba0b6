using System.Text.Json;
using System.Text.Json.Nodes;
using VoiceGrains.GrainInterfaces;
using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.Grains.Calls.DataConnections;
using VoiceGrains.Grains.Calls.LiveEvents;

namespace VoiceGrains.Grains.Calls.Conversations;

/// <summary>
/// Data messages to the client and the data connection, as <c>data-messages</c> documents them; each has its own set of those that are on. Transcripts,
/// states and events go to those who watch the call as well, whatever the others want.
/// </summary>
/// <param name="port">The client.</param>
/// <param name="wanted">What the client gets.</param>
/// <param name="live">Those who watch the call.</param>
/// <param name="connection">Null: the call has none.</param>
internal sealed partial class Outbox(IMediaPort port, DataMessages wanted, ILiveEventSink? live = null, DataConnection? connection = null)
{
    private readonly DataMessages _connectionWants = connection?.Wanted ?? DataMessages.None;

    /// <summary>Messages that the client was too slow to take.</summary>
    public int Dropped { get; private set; }

    /// <summary>Only to who asked.</summary>
    public void Pong(JsonNode? timestamp, MessageSource to)
    {
        var pong = new JsonObject { ["type"] = "pong", ["timestamp"] = timestamp?.DeepClone() };
        if (to == MessageSource.Client) SendToClient(DataMessages.Pong, pong);
        else if (to == MessageSource.DataConnection) SendToConnection(DataMessages.Pong, pong);
    }

    public void CallStarted(string callId)
    {
        if (Wants(DataMessages.CallStarted)) Send(DataMessages.CallStarted, new() { ["type"] = "call_started", ["callId"] = callId });
    }

    public void State(string state)
    {
        live?.State(state);
        if (Wants(DataMessages.State)) Send(DataMessages.State, new() { ["type"] = "state", ["state"] = state });
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
        if (Wants(DataMessages.ClientToolInvocation))
            Send(DataMessages.ClientToolInvocation, Invocation("client_tool_invocation", toolName, invocationId, parameters));
    }

    /// <summary>False: there is nobody to run it, because the data connection is not there or does not want to.</summary>
    public bool DataConnectionToolInvocation(string toolName, string invocationId, JsonObject parameters)
    {
        if (connection is not { TakesInvocations: true } || !_connectionWants.HasFlag(DataMessages.DataConnectionToolInvocation)) return false;
        Send(DataMessages.DataConnectionToolInvocation, Invocation("data_connection_tool_invocation", toolName, invocationId, parameters));
        return true;
    }

    public void InvokingTool(string toolName, string invocationId)
    {
        if (Wants(DataMessages.InvokingTool))
            Send(DataMessages.InvokingTool, new() { ["type"] = "invoking_tool", ["toolName"] = toolName, ["invocationId"] = invocationId });
    }

    public void ToolUsed(string toolName, string invocationId, bool failed)
    {
        if (Wants(DataMessages.ToolUsed))
            Send(DataMessages.ToolUsed, new() { ["type"] = "tool_used", ["toolName"] = toolName, ["invocationId"] = invocationId, ["isError"] = failed });
    }

    public void UserStartedSpeaking()
    {
        if (Wants(DataMessages.UserStartedSpeaking)) Send(DataMessages.UserStartedSpeaking, new() { ["type"] = "user_started_speaking" });
    }

    public void UserStoppedSpeaking()
    {
        if (Wants(DataMessages.UserStoppedSpeaking)) Send(DataMessages.UserStoppedSpeaking, new() { ["type"] = "user_stopped_speaking" });
    }

    public void Debug(string message)
    {
        if (Wants(DataMessages.Debug)) Send(DataMessages.Debug, new() { ["type"] = "debug", ["message"] = message });
    }

    /// <summary>To the data connection, where it asked for it; the client is told by its medium, between two frames of sound.</summary>
    public void PlaybackCleared() => SendToConnection(DataMessages.PlaybackClearBuffer, new() { ["type"] = "playback_clear_buffer" });

    public void CallEvent(CallEvent callEvent)
    {
        live?.Event(callEvent);
        if (!Wants(DataMessages.CallEvent)) return;
        var message = JsonSerializer.SerializeToNode(callEvent, WireJson.Sparse)!.AsObject();
        // The event's own type would collide with the message's.
        message["eventType"] = callEvent.Type;
        message["type"] = "call_event";
        Send(DataMessages.CallEvent, message);
    }

    private void Transcript(string field, MessageRole role, MessageMedium medium, string value, bool final, int ordinal)
    {
        if (!Wants(DataMessages.Transcript)) return;
        Send(DataMessages.Transcript, new()
        {
            ["type"] = "transcript",
            ["role"] = role == MessageRole.User ? "user" : "agent",
            ["medium"] = medium == MessageMedium.Text ? "text" : "voice",
            [field] = value,
            ["final"] = final,
            ["ordinal"] = ordinal,
        });
    }

    private static JsonObject Invocation(string type, string toolName, string invocationId, JsonObject parameters)
        => new() { ["type"] = type, ["toolName"] = toolName, ["invocationId"] = invocationId, ["parameters"] = parameters.DeepClone() };

    /// <summary>Whether anybody does.</summary>
    private bool Wants(DataMessages message) => ((wanted | _connectionWants) & message) != 0;

    /// <summary>Written once, for whoever wants it.</summary>
    private void Send(DataMessages kind, JsonObject message)
    {
        var json = JsonSerializer.SerializeToUtf8Bytes(message, WireJson.Options);
        if ((wanted & kind) != 0 && !port.TrySendData(json)) Dropped++;
        if ((_connectionWants & kind) != 0) connection!.TrySend(json);
    }

    private void SendToClient(DataMessages kind, JsonObject message)
    {
        if ((wanted & kind) != 0 && !port.TrySendData(JsonSerializer.SerializeToUtf8Bytes(message, WireJson.Options))) Dropped++;
    }

    private void SendToConnection(DataMessages kind, JsonObject message)
    {
        if ((_connectionWants & kind) != 0) connection!.TrySend(JsonSerializer.SerializeToUtf8Bytes(message, WireJson.Options));
    }
}
