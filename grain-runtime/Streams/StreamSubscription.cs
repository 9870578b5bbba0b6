using System.Text.Json;
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
internal sealed class StreamSubscription<T>(StreamCore provider, StreamId streamId, StreamAddress address, Activation? subscriber, IAsyncObserver<T> observer)
    : StreamSubscriptionHandle<T>, IDisposable
{
    // A turn hands on this many events, then lets other requests of the grain have theirs.
    private const int EventsPerTurn = 32;

    private readonly Lock _gate = new();
    private readonly Queue<StreamNotice<T>> _queue = new();
    private IAsyncObserver<T> _observer = observer;
    private StreamLoss _dropped;
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
                var oldest = _queue.Dequeue();
                _dropped += oldest.Weight;
                if (oldest.Token is not null)
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
        GrainTelemetry.StreamSubscriptionsChanged(streamId.GetNamespace() ?? "", -1);
        provider.Unsubscribe(address, this);
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
        for (var delivered = 0; delivered < EventsPerTurn && TryTake(out var target, out var notice, out var lost); delivered++)
        {
            try
            {
                if (!lost.IsNone)
                    await target.OnErrorAsync(new StreamGapException(streamId, lost.Count, lost.AtLeast));
                await (notice.Kind switch
                {
                    StreamNoticeKind.Next => OnNextAsync(target, notice.Item!, notice.Token!),
                    StreamNoticeKind.Completed => target.OnCompletedAsync(),
                    StreamNoticeKind.Error => target.OnErrorAsync(notice.Error!),
                    _ => Task.CompletedTask,
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

    private Task OnNextAsync(IAsyncObserver<T> target, StreamItem<T> item, SequenceToken token)
    {
        T next;
        try
        {
            next = item.Take();
        }
        catch (JsonException exception)
        {
            provider.LogUnreadable(streamId, exception);
            return target.OnErrorAsync(new StreamGapException(streamId, 1));
        }
        return target.OnNextAsync(next, token);
    }

    private bool TryTake(out IAsyncObserver<T> target, out StreamNotice<T> notice, out StreamLoss lost)
    {
        lock (_gate)
        {
            (target, lost) = (_observer, _dropped);
            if (!_queue.TryDequeue(out notice))
                return false;
            lost += notice.LostBefore;
            _dropped = default;
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
