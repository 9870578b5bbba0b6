using System.Text.Json.Nodes;
using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.Grains.Tools;
using VoiceGrains.Grains.Validation;
using VoiceGrains.Providers.Language;

namespace VoiceGrains.Grains.Calls.Conversations.Threads;

/// <summary>Tells of threads: to the client, the call's event log and the metrics.</summary>
internal sealed class ThreadReports(Outbox outbox, CallEventLog log, TimeProvider clock)
{
    public void Spawned(string id, string parentId)
    {
        Count("spawned");
        CallTelemetry.ActiveThreads.Add(1);
        outbox.ThreadSpawned(id);
        log.Write(Severity.Info, "thread_spawned", $"A thread was spawned from {Quote(parentId)}.", new() { ["threadId"] = id, ["parentThreadId"] = parentId });
    }

    public void Rejected(string id, string reason)
    {
        Count("rejected");
        outbox.ThreadRejected(id, reason);
        log.Write(Severity.Warning, "thread_rejected", reason, Extras(id));
    }

    public void Terminated(string id, string reason)
    {
        Abandoned();
        TellTerminated(id, reason);
    }

    /// <summary>Terminated, and told of when the call goes on.</summary>
    public void Abandoned()
    {
        Count("terminated");
        CallTelemetry.ActiveThreads.Add(-1);
    }

    /// <summary>Not counted: it was where it ran, if that still could.</summary>
    public void Lost(string id) => TellTerminated(id, "The call goes on, but threads are lost with its connection.");

    private void TellTerminated(string id, string reason)
    {
        outbox.ThreadTerminated(id, reason);
        log.Write(Severity.Info, "thread_terminated", reason, Extras(id));
    }

    /// <summary>The client hears of it as of a termination: either way the thread does nothing any more.</summary>
    public void Failed(string id, string why)
    {
        Count("failed");
        CallTelemetry.ActiveThreads.Add(-1);
        CallTelemetry.ProviderErrors.Add(1, new KeyValuePair<string, object?>("kind", "model"));
        outbox.ThreadTerminated(id, $"failed: {why}");
        log.Write(Severity.Error, "thread_failed", why, Extras(id));
    }

    public void Generating(long queuedAt) => CallTelemetry.ThreadQueueTime.Record(clock.GetElapsedTime(queuedAt).TotalSeconds);

    public void Delta(string id, string delta) => outbox.SideGenerationDelta(id, delta);

    public void Completed(string id, string text, IReadOnlyList<ModelDelta.ToolCall> calls)
        => outbox.SideGenerationCompleted(id, text, [.. calls.Select(call => new JsonObject { ["id"] = call.Id, ["name"] = call.Name, ["arguments"] = ReadArguments(call.Arguments) })]);

    public void ToolStarted(Invocation invocation) => outbox.InvokingTool(invocation.Tool.Name, invocation.Id);

    public void ToolFinished(string id, Invocation invocation, ToolOutcome outcome)
    {
        ToolProblems(id, invocation, outcome);
        outbox.ToolUsed(invocation.Tool.Name, invocation.Id, outcome.ErrorDetails is not null);
    }

    public void ToolProblems(string id, Invocation invocation, ToolOutcome outcome)
    {
        if (outcome.ErrorDetails is { } details) log.Write(Severity.Error, "tool_error", $"{invocation.Tool.Name}: {details}", Extras(id));
        if (outcome.Warning is { } warning) log.Write(Severity.Warning, "tool_warning", $"{invocation.Tool.Name}: {warning}", Extras(id));
    }

    /// <summary>Something that the customer should know of; nothing of it reaches the client as a message of its own.</summary>
    public void Note(string type, string id, string text) => log.Write(Severity.Warning, type, text, Extras(id));

    private static JsonObject Extras(string id) => new() { ["threadId"] = id };

    private static string Quote(string id) => $"'{id}'";

    private static void Count(string outcome) => CallTelemetry.Threads.Add(1, new KeyValuePair<string, object?>("outcome", outcome));

    /// <summary>An object as models should write it, else their text.</summary>
    private static JsonNode ReadArguments(string arguments) => JsonText.TryReadObject(arguments) ?? (JsonNode)arguments;
}
