using VoiceGrains.GrainInterfaces;

namespace VoiceGrains.Grains.Calls.Limits;

/// <summary>
/// Lets the limited creations of one account in this process through one after the other. In the database they take turns anyway; but who waits there holds a
/// connection, and one account's rush would leave none for the others. Safe for concurrent use.
/// </summary>
internal sealed class CreationTurns(TimeProvider clock)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Retry = TimeSpan.FromSeconds(2);

    private readonly Dictionary<string, Queue> _queues = new(StringComparer.Ordinal);

    /// <summary>Waits for the account's turn, which lasts until the result is disposed.</summary>
    /// <exception cref="PlatformException"><see cref="ErrorCode.SiloUnavailable"/>: it did not come in time.</exception>
    public async Task<IDisposable> TakeAsync(string accountId)
    {
        var queue = Enter(accountId);
        using var limit = new CancellationTokenSource(Patience, clock);
        try
        {
            await queue.Gate.WaitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            Leave(accountId, queue);
            throw new PlatformException(ErrorCode.SiloUnavailable, "Too many calls of the account are being created at once.") { RetryAfter = Retry };
        }
        return new Turn(this, accountId, queue);
    }

    private Queue Enter(string accountId)
    {
        lock (_queues)
        {
            if (!_queues.TryGetValue(accountId, out var queue)) _queues[accountId] = queue = new Queue();
            queue.Users++;
            return queue;
        }
    }

    private void Leave(string accountId, Queue queue)
    {
        lock (_queues)
        {
            if (--queue.Users == 0) _queues.Remove(accountId);
        }
    }

    private sealed class Queue
    {
        public SemaphoreSlim Gate { get; } = new(1);
        public int Users { get; set; }
    }

    private sealed class Turn(CreationTurns turns, string accountId, Queue queue) : IDisposable
    {
        public void Dispose()
        {
            queue.Gate.Release();
            turns.Leave(accountId, queue);
        }
    }
}
