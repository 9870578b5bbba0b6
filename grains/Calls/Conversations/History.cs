using System.Text.Json.Nodes;
using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.Providers.Language;

namespace VoiceGrains.Grains.Calls.Conversations;

/// <summary>
/// The messages of the current stage: what the model sees, what REST lists. Each change goes to the journal at once. What a stage begins with are its initial
/// messages, whether they were given or carried over from the stage before; the latter stay in that stage as well.
/// </summary>
internal sealed class History(CallRun call, StageSettings stage, ICallJournal journal, CallPast? past = null)
{
    private List<Entry> _entries = [.. (past?.Messages ?? stage.InitialMessages).Select(message => new Entry { Message = message })];
    private string _stageId = stage.CallStageId;
    private int _initial = past?.InitialCount ?? stage.InitialMessages.Count;
    private int _nextIndex = past?.NextIndex ?? stage.InitialMessages.Count;
    private int _ordinals = past?.NextOrdinal ?? 0;

    public int Count => _entries.Count;

    /// <summary>Whether anything beyond the stage's initial messages was said.</summary>
    public bool HasNew => _entries.Count > _initial;

    /// <summary>Whether the model would naturally answer: the history ends with the user or a tool result.</summary>
    public bool InvitesAnswer => _entries.Count > 0 && _entries[^1].Message.Role is MessageRole.User or MessageRole.ToolResult;

    /// <summary>The next transcript's position in the call, shared by user and agent.</summary>
    public int NextOrdinal() => _ordinals++;

    /// <summary>Adds a message at the end.</summary>
    public Entry Add(Message message)
    {
        var entry = new Entry { Message = message with { CallStageId = _stageId, CallStageMessageIndex = _nextIndex++ } };
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
        foreach (var (stageId, index) in entry.Copies) journal.Write(call.CallId, call.Generation, AsInitial(message, stageId, index), isInitial: true);
    }

    /// <summary>What users said since a tool was called, for a stage that begins with a history of its own: it was not answered yet.</summary>
    /// <param name="invocationId">The tool call's.</param>
    public IReadOnlyList<Entry> SaidSince(string invocationId)
    {
        var call = _entries.FindLastIndex(entry => entry.Message.Role == MessageRole.ToolCall && entry.Message.InvocationId == invocationId);
        return call < 0 ? [] : [.. _entries.Skip(call + 1).Where(entry => entry.Message.Role == MessageRole.User)];
    }

    /// <summary>All messages, for a stage that goes on with them.</summary>
    public IReadOnlyList<Entry> Entries => [.. _entries];

    /// <summary>
    /// Begins a stage. Messages that came or changed since <paramref name="next"/> was stored join its initial ones, so that its history has no gap.
    /// </summary>
    /// <param name="next">As it was stored, its initial messages those that were known then.</param>
    /// <param name="carried">From the stage before, in order; they follow the ones that the stage brought.</param>
    /// <param name="given">How many of its initial messages the stage brought itself.</param>
    public void EnterStage(StageSettings next, int given, IReadOnlyList<Entry> carried)
    {
        (_stageId, _nextIndex, _initial) = (next.CallStageId, given + carried.Count, given + carried.Count);
        _entries = [.. next.InitialMessages.Take(given).Select(message => new Entry { Message = message }), .. carried];
        for (var index = given; index < _entries.Count; index++)
        {
            var entry = _entries[index];
            entry.Copies.Add((_stageId, index));
            var copy = AsInitial(entry.Message, _stageId, index);
            if (index >= next.InitialMessages.Count || next.InitialMessages[index] != copy) journal.Write(call.CallId, call.Generation, copy, isInitial: true);
        }
    }

    /// <summary>A message as the initial one of a stage: without times, and storable, which what models and tools write need not be.</summary>
    public static Message AsInitial(Message message, string stageId, int index) => message with
    {
        CallStageId = stageId,
        CallStageMessageIndex = index,
        Timespan = null,
        WallClockTimespan = null,
        Text = message.Text?.Replace("\0", "", StringComparison.Ordinal),
        ErrorDetails = message.ErrorDetails?.Replace("\0", "", StringComparison.Ordinal),
    };

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
    public IReadOnlyList<Message> Snapshot() => [.. _entries.Select((entry, index) => index < _initial ? AsInitial(entry.Message, _stageId, index) : entry.Message)];

    /// <summary>The messages as JSON, for tools that ask for <c>KNOWN_PARAM_CONVERSATION_HISTORY</c>.</summary>
    public JsonArray ToJson() => [.. Snapshot().Select(message => System.Text.Json.JsonSerializer.SerializeToNode(message, GrainInterfaces.WireJson.Sparse))];

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
        /// <summary>As it stands in the stage in which it was said.</summary>
        public required Message Message { get; set; }

        /// <summary>A user's turn as 16 kHz PCM, for models that hear.</summary>
        public ReadOnlyMemory<short> Audio { get; set; }

        /// <summary>Later stages that began with it, and its index there.</summary>
        public List<(string StageId, int Index)> Copies { get; } = [];
    }
}
