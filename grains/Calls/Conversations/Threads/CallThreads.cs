using System.Text.Json.Nodes;
using VoiceGrains.GrainInterfaces.Calls;

namespace VoiceGrains.Grains.Calls.Conversations.Threads;

/// <summary>
/// The threads of a call: text-only conversations beside the main one. Used by the conversation's loop alone; it never waits for them. None outlives its
/// call, its stage or its silo.
/// </summary>
/// <param name="fork">The main conversation as a thread can be forked from it.</param>
/// <param name="mainState">What the main conversation does, in a thread's words.</param>
/// <param name="newInvocationId">See <see cref="ThreadSurroundings.NewInvocationId"/>.</param>
internal sealed class CallThreads(
    IThreadWork work, ThreadReports reports, ConversationOptions options, TimeProvider clock,
    Func<ThreadFork> fork, Func<CallThreadState> mainState, Func<string, string> newInvocationId, CancellationToken callCancellation)
{
    /// <summary>The main conversation's id.</summary>
    public const string MainId = "UI";

    private readonly Dictionary<string, CallThread> _threads = new(StringComparer.Ordinal);
    private ThreadSurroundings? _around;

    public int Count => _threads.Count;

    /// <summary>All of the call in their order, the main conversation first.</summary>
    public JsonObject States()
    {
        var states = new JsonObject { [MainId] = mainState().ToWire() };
        foreach (var (id, thread) in _threads) states[id] = thread.State.ToWire();
        return states;
    }

    public CallThread? Find(string id) => _threads.GetValueOrDefault(id);

    /// <summary>Spawns a thread, or says why not.</summary>
    public void Spawn(ClientMessage.SpawnThread spawn)
    {
        if (Refusal(spawn) is { } refusal)
        {
            reports.Rejected(spawn.ThreadId, refusal);
            return;
        }
        var parent = spawn.ParentId == MainId ? fork() : _threads[spawn.ParentId].Fork();
        var thread = new CallThread(spawn.ThreadId, parent with { Tools = spawn.ToolFilter.Apply(parent.Tools) }, spawn.Limits, Around());
        if (thread.History.Characters + spawn.Characters > options.MaxThreadCharacters)
        {
            thread.Dispose();
            reports.Rejected(spawn.ThreadId, $"The thread's history would be longer than {options.MaxThreadCharacters} characters.");
            return;
        }
        Find(spawn.ThreadId)?.End("Another thread took its id.");
        MakeRoom();
        _threads.Add(spawn.ThreadId, thread);
        reports.Spawned(spawn.ThreadId, spawn.ParentId);
        thread.Start(spawn.Messages);
    }

    /// <summary>Answers a request to spawn that was not valid.</summary>
    public void Refuse(string id, string reason) => reports.Rejected(id, reason);

    /// <summary>A message for a thread; an unknown one is noted.</summary>
    public void Send(string id, ClientMessage message)
    {
        if (Find(id) is { } thread) thread.Take(message);
        else reports.Note("unknown_thread", id, "A message was for a thread that does not exist; it was ignored.");
    }

    public void On(ThreadSignal signal)
    {
        switch (signal)
        {
            case ThreadSignal.Output output: signal.Thread.On(output); break;
            case ThreadSignal.ToolFinished finished: signal.Thread.On(finished); break;
        }
    }

    /// <summary>Ends all threads: the call ends, changes its stage, or goes on elsewhere.</summary>
    /// <param name="reason">Told to the client of each of them.</param>
    public void EndAll(string reason)
    {
        if (_threads.Count == 0) return;
        Around().Slots.IsHeld = true;       // those that wait for their turn do not begin only to end
        foreach (var thread in _threads.Values.ToArray()) thread.End(reason);
        Around().Slots.IsHeld = false;
    }

    /// <summary>Ends all threads without a word, since the client is not there to hear it.</summary>
    public void Abandon()
    {
        foreach (var thread in _threads.Values)
        {
            if (!thread.IsOver) reports.Abandoned();
            thread.Dispose();
        }
        _threads.Clear();
    }

    /// <summary>A thread of the call's earlier life.</summary>
    public void Lost(string id) => reports.Lost(id);

    private ThreadSurroundings Around() => _around ??= new()
    {
        Work = work,
        Slots = new ThreadSlots(options.MaxGeneratingThreads),
        Reports = reports,
        Options = options,
        Clock = clock,
        NewInvocationId = newInvocationId,
        CallCancellation = callCancellation,
        OnEnded = thread => _threads.Remove(thread.Id),
    };

    private string? Refusal(ClientMessage.SpawnThread spawn)
    {
        if (spawn.ThreadId == MainId) return $"'{MainId}' is the main conversation.";
        if (Find(spawn.ThreadId) is { IsOver: false } && !spawn.Replaces) return "There is a thread of this id already.";
        if (spawn.ParentId != MainId && Find(spawn.ParentId) is null) return $"The parent thread '{spawn.ParentId}' does not exist.";
        if (Find(spawn.ParentId) is { IsOver: true }) return $"The parent thread '{spawn.ParentId}' has failed.";
        if (Find(spawn.ThreadId) is null && _threads.Values.Count(thread => !thread.IsOver) >= options.MaxThreads)
            return $"The call has {options.MaxThreads} threads, and no more are allowed. Replace one of them (ifExists: replace).";
        return null;
    }

    /// <summary>Failed threads are remembered only as long as there is room.</summary>
    private void MakeRoom()
    {
        if (_threads.Count >= options.MaxThreads) _threads.Values.FirstOrDefault(thread => thread.IsOver)?.End("Forgotten.");
    }
}
