using System.Collections.Concurrent;

namespace VoiceGrains.Grains.Tests.Conversations;

/// <summary>Runs a conversation's tasks on the test's own thread, one after the other, so that each step of fake time is fully done before the next.</summary>
internal sealed class PumpScheduler : TaskScheduler
{
    private readonly ConcurrentQueue<Task> _tasks = new();

    public void RunUntilIdle()
    {
        while (_tasks.TryDequeue(out var task)) TryExecuteTask(task);
    }

    protected override void QueueTask(Task task) => _tasks.Enqueue(task);

    protected override bool TryExecuteTaskInline(Task task, bool taskWasPreviouslyQueued) => false;

    protected override IEnumerable<Task> GetScheduledTasks() => _tasks;
}
