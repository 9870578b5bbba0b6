using System.Text.Json;
using System.Text.Json.Nodes;
using VoiceGrains.GrainInterfaces;
using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.Providers.Language;

namespace VoiceGrains.Grains.Calls.Conversations.Threads;

/// <summary>A thread's messages: a copy of its parent's at the fork, then its own. They live in memory only.</summary>
internal sealed class ThreadHistory
{
    private const string ParentsResult = "Not known here: the tool is being run by the conversation that this thread was forked from.";
    private readonly List<Message> _messages = [];

    /// <param name="parent">Copied as it is; a tool call without a result gets one that says so, since its parent is at it and must not be doubled.</param>
    public ThreadHistory(IReadOnlyList<Message> parent)
    {
        var answered = parent.Where(message => message.Role == MessageRole.ToolResult).Select(message => message.InvocationId).ToHashSet();
        var open = new List<Message>();
        foreach (var message in parent)
        {
            if (message.Role is not (MessageRole.ToolCall or MessageRole.ToolResult)) Close(open);
            Add(message);
            if (message.Role == MessageRole.ToolCall && !answered.Contains(message.InvocationId)) open.Add(message);
        }
        Close(open);
    }

    public IReadOnlyList<Message> Messages => _messages;

    /// <summary>All its text.</summary>
    public long Characters { get; private set; }

    /// <summary>Whether the model would naturally answer: the history ends with the user or a tool result.</summary>
    public bool InvitesAnswer => _messages.Count > 0 && _messages[^1].Role is MessageRole.User or MessageRole.ToolResult;

    public void AddUser(string text) => Add(new Message { Role = MessageRole.User, Text = text, Medium = MessageMedium.Text });

    public void AddAgent(string text) => Add(new Message { Role = MessageRole.Agent, Text = text, Medium = MessageMedium.Text });

    public void AddToolCall(string id, string name, string arguments)
        => Add(new Message { Role = MessageRole.ToolCall, Text = arguments, InvocationId = id, ToolName = name, Medium = MessageMedium.Text });

    public void AddToolResult(string id, string name, string result, string? errorDetails, JsonObject? newState)
        => Add(new Message
        {
            Role = MessageRole.ToolResult,
            Text = result,
            InvocationId = id,
            ToolName = name,
            ErrorDetails = errorDetails,
            Medium = MessageMedium.Text,
            CallState = newState,
        });

    /// <summary>Nobody needs it any more.</summary>
    public void Clear()
    {
        _messages.Clear();
        Characters = 0;
    }

    /// <summary>As a model takes it: in words only.</summary>
    public List<ChatMessage> ForModel()
    {
        var messages = new List<ChatMessage>(_messages.Count);
        foreach (var message in _messages)
        {
            if (message.Role is MessageRole.User or MessageRole.Agent && string.IsNullOrEmpty(message.Text)) continue;
            messages.Add(new ChatMessage(RoleOf(message.Role), message.Text ?? "") { InvocationId = message.InvocationId, ToolName = message.ToolName });
        }
        return messages;
    }

    /// <summary>As JSON, for tools that ask for <c>KNOWN_PARAM_CONVERSATION_HISTORY</c>.</summary>
    public JsonArray ToJson() => [.. _messages.Select(message => JsonSerializer.SerializeToNode(message, WireJson.Sparse))];

    private void Close(List<Message> open)
    {
        foreach (var call in open) AddToolResult(call.InvocationId ?? "", call.ToolName ?? "", ParentsResult, null, null);
        open.Clear();
    }

    private void Add(Message message)
    {
        _messages.Add(message);
        Characters += message.Text?.Length ?? 0;
    }

    private static ChatRole RoleOf(MessageRole role) => role switch
    {
        MessageRole.User => ChatRole.User,
        MessageRole.ToolCall => ChatRole.ToolCall,
        MessageRole.ToolResult => ChatRole.ToolResult,
        _ => ChatRole.Agent,
    };
}
