using Orleans.Runtime;
using Orleans.Streams;
using VoiceGrains.GrainRuntime.Activations;
using VoiceGrains.GrainRuntime.Calls;
using VoiceGrains.GrainRuntime.Diagnostics;

namespace VoiceGrains.GrainRuntime.Streams;

/// <summary>
/// A bounded queue and whoever empties it: turns of an activation, or else the thread pool. When full, the oldest event goes and the
/// subscriber hears of the gap before the next one.
/// </summary>
internal sealed class StreamSubscription<T>(InProcessStreamProvider provider, StreamId streamId, Activation? subscriber, IAsyncObserver<T> observer)
    : StreamSubscriptionHandle<T>, IDisposable
{
    // A turn hands on this many events, then lets other requests of the grain have theirs.
    private const int EventsPerTurn = 32;

    private readonly Lock _gate = new();
    private readonly Queue<StreamNotice<T>> _queue = new();
    private IAsyncObserver<T> _observer = observer;
    private long _dropped;
    private bool _delivering;
    private bool _closed;

    public Activation? Subscriber => subscriber;

    public override StreamId StreamId => streamId;

    public override string ProviderName => provider.Name;

    public override Guid HandleId { get; } = Guid.NewGuid();

    public override Task UnsubscribeAsync()
    {
        Dispose();
        return Task.CompletedTask;
    }

    public override Task<StreamSubscriptionHandle<T>> ResumeAsync(IAsyncObserver<T> observer, StreamSequenceToken? token = null)
    {
        ArgumentNullException.ThrowIfNull(observer);
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_closed, this);
            _observer = observer;
        }
        return Task.FromResult<StreamSubscriptionHandle<T>>(this);
    }

    public void Post(StreamNotice<T> notice)
    {
        lock (_gate)
        {
            if (_closed)
                return;
            if (_queue.Count >= provider.QueueLength)
            {
                _queue.Dequeue();
                _dropped++;
                GrainTelemetry.StreamDropped(streamId.GetNamespace() ?? "");
            }
            _queue.Enqueue(notice);
            if (_delivering)
                return;
            _delivering = true;
        }
        Schedule();
    }

    public void Dispose()
    {
        lock (_gate)
        {
            if (_closed)
                return;
            _closed = true;
            _queue.Clear();
        }
        provider.Unsubscribe(streamId, this);
        subscriber?.Disown(this);
    }

    public override bool Equals(StreamSubscriptionHandle<T>? other) => other is not null && other.HandleId == HandleId;

    public override bool Equals(object? obj) => Equals(obj as StreamSubscriptionHandle<T>);

    public override int GetHashCode() => HandleId.GetHashCode();

    private void Schedule()
    {
        if (subscriber is null)
        {
            ThreadPool.UnsafeQueueUserWorkItem(static self => _ = self.DeliverAsync(), this, preferLocal: false);
            return;
        }
        try
        {
            if (!subscriber.TryPost(new DeliveryTurn(this)))
                Dispose();
        }
        catch (LimitExceededException)
        {
            lock (_gate)
                _delivering = false;        // the grain is overloaded: the next event tries again
        }
    }

    private async Task DeliverAsync()
    {
        for (var delivered = 0; delivered < EventsPerTurn && TryTake(out var target, out var notice, out var dropped); delivered++)
        {
            try
            {
                if (dropped > 0)
                    await target.OnErrorAsync(new StreamGapException(streamId, dropped));
                await (notice.Kind switch
                {
                    StreamNoticeKind.Next => target.OnNextAsync(notice.Item, notice.Token),
                    StreamNoticeKind.Completed => target.OnCompletedAsync(),
                    _ => target.OnErrorAsync(notice.Error!),
                });
            }
            catch (Exception exception)
            {
                provider.LogSubscriberFailed(streamId, exception);
            }
        }
        lock (_gate)
        {
            _delivering = _queue.Count > 0;
            if (!_delivering)
                return;
        }
        Schedule();
    }

    private bool TryTake(out IAsyncObserver<T> target, out StreamNotice<T> notice, out long dropped)
    {
        lock (_gate)
        {
            (target, dropped) = (_observer, _dropped);
            if (!_queue.TryDequeue(out notice))
                return false;
            _dropped = 0;
            return true;
        }
    }

    private sealed class DeliveryTurn(StreamSubscription<T> subscription) : Turn
    {
        public override bool Interleaves => false;

        public override Task RunAsync(Activation activation)
        {
            CallContext.Current = null;
            return subscription.DeliverAsync();
        }

        public override void Reject(Exception exception) => subscription.Dispose();
    }
}
