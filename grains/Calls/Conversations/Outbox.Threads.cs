using System.Text.Json.Nodes;

namespace VoiceGrains.Grains.Calls.Conversations;

/// <summary>What a client hears of threads. The documentation gives no default for these messages: they are on, since only a client that spawns threads gets any.</summary>
internal sealed partial class Outbox
{
    public void ThreadSpawned(string threadId)
    {
        if (enabled?.ThreadSpawned ?? true) Send(new() { ["type"] = "thread_spawned", ["threadId"] = threadId });
    }

    public void ThreadRejected(string threadId, string reason)
    {
        if (enabled?.ThreadRejected ?? true) Send(new() { ["type"] = "thread_rejected", ["threadId"] = threadId, ["reason"] = reason });
    }

    public void ThreadTerminated(string threadId, string reason)
    {
        if (enabled?.ThreadTerminated ?? true) Send(new() { ["type"] = "thread_terminated", ["threadId"] = threadId, ["reason"] = reason });
    }

    public void SideGenerationDelta(string threadId, string delta)
    {
        if (enabled?.SideGenerationDelta ?? true) Send(new() { ["type"] = "side_generation_delta", ["threadId"] = threadId, ["delta"] = delta });
    }

    public void SideGenerationCompleted(string threadId, string text, JsonArray toolCalls)
    {
        if (enabled?.SideGenerationCompleted ?? true) Send(new() { ["type"] = "side_generation_completed", ["threadId"] = threadId, ["text"] = text, ["toolCalls"] = toolCalls });
    }
}
