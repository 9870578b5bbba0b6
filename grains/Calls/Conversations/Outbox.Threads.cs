using System.Text.Json.Nodes;

namespace VoiceGrains.Grains.Calls.Conversations;

/// <summary>What a client and a data connection hear of threads. The documentation gives no default for these messages: they are on, since there are none unless somebody spawns threads.</summary>
internal sealed partial class Outbox
{
    public void ThreadSpawned(string threadId)
    {
        if (Wants(DataMessages.ThreadSpawned)) Send(DataMessages.ThreadSpawned, new() { ["type"] = "thread_spawned", ["threadId"] = threadId });
    }

    public void ThreadRejected(string threadId, string reason)
    {
        if (Wants(DataMessages.ThreadRejected)) Send(DataMessages.ThreadRejected, new() { ["type"] = "thread_rejected", ["threadId"] = threadId, ["reason"] = reason });
    }

    public void ThreadTerminated(string threadId, string reason)
    {
        if (Wants(DataMessages.ThreadTerminated)) Send(DataMessages.ThreadTerminated, new() { ["type"] = "thread_terminated", ["threadId"] = threadId, ["reason"] = reason });
    }

    public void SideGenerationDelta(string threadId, string delta)
    {
        if (Wants(DataMessages.SideGenerationDelta)) Send(DataMessages.SideGenerationDelta, new() { ["type"] = "side_generation_delta", ["threadId"] = threadId, ["delta"] = delta });
    }

    public void SideGenerationCompleted(string threadId, string text, JsonArray toolCalls)
    {
        if (Wants(DataMessages.SideGenerationCompleted)) Send(DataMessages.SideGenerationCompleted, new() { ["type"] = "side_generation_completed", ["threadId"] = threadId, ["text"] = text, ["toolCalls"] = toolCalls });
    }
}
