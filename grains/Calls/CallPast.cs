using System.Text.Json.Nodes;
using VoiceGrains.GrainInterfaces.Calls;

namespace VoiceGrains.Grains.Calls;

/// <summary>What a resumed call was when its last conversation was lost, as far as that was stored.</summary>
internal sealed record CallPast
{
    /// <summary>All of the current stage, its initial ones included, in order.</summary>
    public required IReadOnlyList<Message> Messages { get; init; }

    /// <summary>How many of them are initial ones.</summary>
    public int InitialCount { get; init; }

    /// <summary>Above all transcripts that the client may have seen.</summary>
    public required int NextOrdinal { get; init; }

    /// <summary>Since the join.</summary>
    public required TimeSpan Wall { get; init; }

    /// <summary>Sound received.</summary>
    public required TimeSpan Input { get; init; }

    /// <summary>Threads that the call had: they were lost with the conversation.</summary>
    public IReadOnlyList<string> LostThreads { get; init; } = [];

    public int NextIndex => Messages.Count == 0 ? 0 : Messages.Max(message => message.CallStageMessageIndex) + 1;

    /// <summary>As the last message that changed it in the stage left it; null when none did.</summary>
    public JsonObject? CallState => Messages.Skip(InitialCount).LastOrDefault(message => message.CallState is not null)?.CallState;

    /// <summary>Tool calls whose result did not come.</summary>
    public IEnumerable<Message> OpenToolCalls => Messages.Where(call => call.Role == MessageRole.ToolCall
        && !Messages.Any(result => result.Role == MessageRole.ToolResult && result.InvocationId == call.InvocationId));
}
