namespace VoiceGrains.GrainRuntime.Activations;

/// <summary>
/// Runs the tasks of one activation one after another on pool threads, so that the code of a grain never runs in parallel with itself,
/// even where requests interleave. Awaits in grain code come back here because they capture <see cref="TaskScheduler.Current"/>.
/// </summary>
internal sealed class ActivationScheduler : TaskScheduler, IThreadPoolWorkItem
{
    // A busy activation gives its thread back after this many tasks, so that others get their share.
    private const int TasksPerSlice = 64;

    private readonly Lock _gate = new();
    private readonly Queue<Task> _tasks = new();
    private bool _scheduled;
    private int _threadId;

    public override int MaximumConcurrencyLevel => 1;

    void IThreadPoolWorkItem.Execute()
    {
        _threadId = Environment.CurrentManagedThreadId;
        for (var ran = 0; ran < TasksPerSlice && Next() is { } task; ran++)
            TryExecuteTask(task);
        _threadId = 0;

        lock (_gate)
        {
            _scheduled = _tasks.Count > 0;
            if (!_scheduled)
                return;
        }
        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    protected override void QueueTask(Task task)
    {
        lock (_gate)
        {
            _tasks.Enqueue(task);
            if (_scheduled)
                return;
            _scheduled = true;
        }
        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: true);
    }

    protected override bool TryExecuteTaskInline(Task task, bool taskWasPreviouslyQueued) =>
        // A queued task keeps its place; only new work of this very activation may run inside the task that waits for it.
        !taskWasPreviouslyQueued && _threadId == Environment.CurrentManagedThreadId && TryExecuteTask(task);

    protected override IEnumerable<Task> GetScheduledTasks()
    {
        lock (_gate)
            return [.. _tasks];
    }

    private Task? Next()
    {
        lock (_gate)
            return _tasks.TryDequeue(out var task) ? task : null;
    }
}
