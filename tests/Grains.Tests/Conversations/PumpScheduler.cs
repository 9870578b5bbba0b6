using System.Collections.Concurrent;
using System.Runtime.CompilerServices;

namespace VoiceGrains.Grains.Tests.Conversations;

/// <summary>Runs a conversation's tasks on the test's own thread, one after the other, so that each step of fake time is fully done before the next.</summary>
internal sealed class PumpScheduler : TaskScheduler
{
    private readonly ConcurrentQueue<Task> _tasks = new();
    private readonly PoolFence _fence = new();

    // Tests keep their threads of the pool: what they wait for needs others at once, not one more each half second.
    [ModuleInitializer]
    internal static void LetThePoolGrow() => ThreadPool.SetMinThreads(64, 64);

    public void RunUntilIdle()
    {
        while (_tasks.TryDequeue(out var task)) TryExecuteTask(task);
    }

    /// <summary>Gives what goes over the thread pool (a wait that is cancelled, or awaited together with others) its turn: fake time would run away from it.</summary>
    public void AwaitPool()
    {
        _fence.Await();
        RunUntilIdle();
    }

    protected override void QueueTask(Task task) => _tasks.Enqueue(task);

    protected override bool TryExecuteTaskInline(Task task, bool taskWasPreviouslyQueued) => false;

    protected override IEnumerable<Task> GetScheduledTasks() => _tasks;

    /// <summary>Waits until the thread pool has begun what was queued before.</summary>
    private sealed class PoolFence : IThreadPoolWorkItem
    {
        private int _passed;

        public void Await()
        {
            Volatile.Write(ref _passed, 0);
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
            var spin = new SpinWait();
            while (Volatile.Read(ref _passed) == 0) spin.SpinOnce(sleep1Threshold: 100);
        }

        void IThreadPoolWorkItem.Execute() => Volatile.Write(ref _passed, 1);
    }
}
