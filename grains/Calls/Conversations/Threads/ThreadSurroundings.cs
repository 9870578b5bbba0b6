using System.Text.Json.Nodes;
using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.GrainInterfaces.Tools;

namespace VoiceGrains.Grains.Calls.Conversations.Threads;

/// <summary>What the threads of a call share.</summary>
internal sealed record ThreadSurroundings
{
    public required IThreadWork Work { get; init; }
    public required ThreadSlots Slots { get; init; }
    public required ThreadReports Reports { get; init; }
    public required ConversationOptions Options { get; init; }
    public required TimeProvider Clock { get; init; }
    /// <summary>The given id of a tool call, unless the call has used it.</summary>
    public required Func<string, string> NewInvocationId { get; init; }
    public required CancellationToken CallCancellation { get; init; }
    /// <summary>Called once when a thread is terminated.</summary>
    public required Action<CallThread> OnEnded { get; init; }
}

/// <summary>What a thread begins with: its parent as it was at that moment.</summary>
internal sealed record ThreadFork
{
    public required string ModelName { get; init; }
    public string? SystemPrompt { get; init; }
    public double Temperature { get; init; }
    public required IReadOnlyList<CallTool> Tools { get; init; }
    public required IReadOnlyList<Message> Messages { get; init; }
    /// <summary>The thread makes a copy.</summary>
    public required JsonObject CallState { get; init; }
}
