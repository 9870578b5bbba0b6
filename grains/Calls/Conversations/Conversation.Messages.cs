using System.Text.Json.Nodes;
using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.Grains.Calls.Conversations.Threads;
using VoiceGrains.Grains.Tools;
using VoiceGrains.Grains.Validation;

namespace VoiceGrains.Grains.Calls.Conversations;

/// <summary>Data messages from the client and, through REST, from the customer.</summary>
internal sealed partial class Conversation
{
    private void OnClientData(byte[] utf8)
    {
        _inbox.ReleaseMessage();
        if (ClientMessage.Parse(utf8, out var error) is { } message) OnMessage(message, MessageSource.Client);
        else _log.Write(Severity.Warning, "invalid_message", $"A data message was ignored. {error}");
    }

    private void OnServerData(JsonObject json)
    {
        _inbox.ReleaseMessage();
        if (ClientMessage.Parse(json, out var error) is { } message) OnMessage(message, MessageSource.Api);
        else _log.Write(Severity.Warning, "invalid_message", $"A data message was ignored. {error}");
    }

    private void OnMessage(ClientMessage message, MessageSource source)
    {
        switch (message)
        {
            case ClientMessage.Ping ping: _outbox.Pong(ping.Timestamp, source); break;
            case ClientMessage.SetOutputMedium medium: _outputMedium = medium.Medium; break;
            case ClientMessage.ToolResult result: OnToolResult(result.Fields, source); break;
            case ClientMessage.UserText { ThreadId: not CallThreads.MainId } text: _threads.Send(text.ThreadId, text); break;
            case ClientMessage.UserText text: OnUserText(text); break;
            case ClientMessage.ForcedAgent { ThreadId: not CallThreads.MainId } forced: _threads.Send(forced.ThreadId, forced); break;
            case ClientMessage.SpawnThread spawn: _threads.Spawn(spawn); break;
            case ClientMessage.RefusedSpawn refused: _threads.Refuse(refused.ThreadId, refused.Reason); break;
            case ClientMessage.ForcedAgent forced: OnForcedMessage(forced); break;
            case ClientMessage.HangUp hangUp: SayFarewell(hangUp.Message, EndReason.AgentHangup); break;
        }
    }

    private void OnUserText(ClientMessage.UserText text)
    {
        OnUserActivity();
        _deadlines.Clear(Deadline.FirstSpeaker);
        var interrupts = text.Urgency == Urgency.Immediate && CanInterrupt();
        if (interrupts) Interrupt("an immediate text message came");
        _history.Add(_clock.Stamp(new Message { Role = MessageRole.User, Text = text.Text, Medium = MessageMedium.Text }, _clock.Now));
        _outbox.TranscriptText(MessageRole.User, MessageMedium.Text, text.Text, true, _history.NextOrdinal());
        if (text.Urgency == Urgency.Later) ResumeIfIdle();
        else StartAnswerWhenFree(null, interrupt: false);
    }

    /// <summary>The agent says this and runs these tools: at once, or when it is its turn.</summary>
    private void OnForcedMessage(ClientMessage.ForcedAgent forced)
    {
        if (_farewell is { ThenEnd: not null }) return;
        if (forced.Urgency == Urgency.Immediate && CanInterrupt()) Interrupt("an immediate agent message came");
        _deadlines.Clear(Deadline.FirstSpeaker);
        var answer = new Answer(++_answers, _cancellation.Token) { Uninterruptible = forced.Uninterruptible };
        if (forced.Content.Trim().Length > 0)
        {
            var utterance = NewUtterance(answer, forced.Uninterruptible);
            (answer.Current, answer.HasSpoken) = (utterance, true);
            answer.Chunker.Add(forced.Content, utterance.Write);
            answer.Chunker.Finish(utterance.Write);
            if (utterance.Medium == MessageMedium.Text) ShowText(utterance);
            CloseUtterance(utterance);
        }
        if (forced.ToolCalls.Count == 0)
        {
            answer.Dispose();
            return;
        }
        _answer ??= answer;
        answer.Rounds = 1;
        ForceTools(answer, forced);
    }

    /// <summary>The tools of a forced message run as the model's own do; those with a known result do not run at all.</summary>
    private void ForceTools(Answer answer, ClientMessage.ForcedAgent forced)
    {
        var round = answer.Tools = NewToolRound(answer);
        var known = forced.KnownResults.GroupBy(result => result.InvocationId, StringComparer.Ordinal).ToDictionary(same => same.Key, same => same.Last(), StringComparer.Ordinal);
        foreach (var call in forced.ToolCalls)
        {
            if (!known.Remove(call.Id, out var result)) AddToolUse(round, ReadToolCall(call.Id, call.Name, call.Arguments.ToJsonString()));
            else round.Uses.Add(new ToolUse(NewInvocationId(call.Id), call.Name, call.Arguments.ToJsonString(), null) { Tool = FindTool(call.Name), Outcome = ToOutcome(result), IsKnown = true });
        }
        foreach (var id in known.Keys) _log.Write(Severity.Warning, "unexpected_tool_result", $"A known result is for none of the message's tool calls ('{JsonLeaf.Shorten(id)}'); it was ignored.");
        CloseToolRound(round);
    }
}
