using System.Text.Json.Nodes;
using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.Providers.Language;

namespace VoiceGrains.Grains.Calls.Conversations;

/// <summary>The messages of the stage: what the model sees, what REST lists. Each change goes to the journal at once.</summary>
internal sealed class History(CallRun call, StageSettings stage, ICallJournal journal, CallPast? past = null)
{
    private readonly List<Entry> _entries = [.. (past?.Messages ?? stage.InitialMessages).Select(message => new Entry { Message = message })];
    private int _nextIndex = past?.NextIndex ?? stage.InitialMessages.Count;
    private int _ordinals = past?.NextOrdinal ?? 0;

    public int Count => _entries.Count;

    /// <summary>Whether anything beyond the initial messages was said.</summary>
    public bool HasNew => _entries.Count > stage.InitialMessages.Count;

    /// <summary>Whether the model would naturally answer: the history ends with the user or a tool result.</summary>
    public bool InvitesAnswer => _entries.Count > 0 && _entries[^1].Message.Role is MessageRole.User or MessageRole.ToolResult;

    /// <summary>The next transcript's position in the call, shared by user and agent.</summary>
    public int NextOrdinal() => _ordinals++;

    /// <summary>Adds a message at the end.</summary>
    public Entry Add(Message message)
    {
        var entry = new Entry { Message = message with { CallStageId = stage.CallStageId, CallStageMessageIndex = _nextIndex++ } };
        _entries.Add(entry);
        journal.Write(call.CallId, call.Generation, entry.Message);
        return entry;
    }

    /// <summary>Changes a message in place: an agent's that grows or is cut short, a user's whose text comes after its sound.</summary>
    public void Replace(Entry entry, Message message)
    {
        if (entry.Message == message) return;
        entry.Message = message;
        journal.Write(call.CallId, call.Generation, message);
    }

    /// <summary>The history as a model takes it. Only the latest user turn is sent as sound where its text is known, to keep requests small.</summary>
    public List<ChatMessage> ForModel(bool withAudio)
    {
        var latest = _entries.FindLastIndex(entry => entry.Message.Role == MessageRole.User);
        var messages = new List<ChatMessage>(_entries.Count + 1);
        for (var i = 0; i < _entries.Count; i++)
        {
            var (message, audio) = (_entries[i].Message, _entries[i].Audio);
            var text = message.Text ?? "";
            if (message.Role is MessageRole.User or MessageRole.Agent && text.Length == 0 && (audio.IsEmpty || !withAudio)) continue;
            messages.Add(new ChatMessage(RoleOf(message.Role), text)
            {
                Audio = withAudio && (i == latest || text.Length == 0) ? audio : default,
                InvocationId = message.InvocationId,
                ToolName = message.ToolName,
            });
        }
        return messages;
    }

    /// <summary>All messages as they are now.</summary>
    public IReadOnlyList<Message> Snapshot() => [.. _entries.Select(entry => entry.Message)];

    /// <summary>The messages as JSON, for tools that ask for <c>KNOWN_PARAM_CONVERSATION_HISTORY</c>.</summary>
    public JsonArray ToJson() => [.. _entries.Select(entry => System.Text.Json.JsonSerializer.SerializeToNode(entry.Message, GrainInterfaces.WireJson.Sparse))];

    private static ChatRole RoleOf(MessageRole role) => role switch
    {
        MessageRole.User => ChatRole.User,
        MessageRole.ToolCall => ChatRole.ToolCall,
        MessageRole.ToolResult => ChatRole.ToolResult,
        _ => ChatRole.Agent,
    };

    /// <summary>A message with what only the live call knows of it.</summary>
    internal sealed class Entry
    {
        public required Message Message { get; set; }

        /// <summary>A user's turn as 16 kHz PCM, for models that hear.</summary>
        public ReadOnlyMemory<short> Audio { get; set; }
    }
}
