using System.Threading.Channels;
using Orleans.Streams;
using VoiceGrains.GrainRuntime.Streams;
using VoiceGrains.Grains.Calls.LiveEvents;

namespace VoiceGrains.Gateway.Grpc;

/// <summary>
/// One watcher's subscription to a call. While its queue is full the stream's own bounded queue fills, and then the stream drops the oldest events and
/// says how many: the watcher gets a <see cref="LiveGap"/>. The call and other watchers notice nothing.
/// </summary>
internal sealed class CallWatch : IAsyncObserver<LiveEvent>, IAsyncDisposable
{
    private readonly Channel<LiveEvent?> _events;       // null: look after the call
    private readonly TimeProvider _clock;
    private StreamSubscriptionHandle<LiveEvent>? _subscription;
    private Task<bool>? _waiting;
    private readonly GrpcMetrics _metrics;
    private readonly string _callId;

    private CallWatch(string callId, int queueLength, GrpcMetrics metrics, TimeProvider clock)
    {
        (_callId, _metrics, _clock) = (callId, metrics, clock);
        _events = Channel.CreateBounded<LiveEvent?>(new BoundedChannelOptions(queueLength) { SingleReader = true });
    }

    /// <exception cref="StreamInterruptedException">The stream cannot be reached.</exception>
    public static async Task<CallWatch> StartAsync(IAsyncStream<LiveEvent> stream, int queueLength, GrpcMetrics metrics, TimeProvider clock)
    {
        var watch = new CallWatch(stream.StreamId.GetKeyAsString(), queueLength, metrics, clock);
        watch._subscription = await stream.SubscribeAsync(watch);
        metrics.WatchersChanged(1);
        return watch;
    }

    /// <summary>The stream is cut off, and has brought nothing since.</summary>
    public bool IsInterrupted { get; private set; }

    /// <summary>True as soon as there is an event to take; false when none came for <paramref name="patience"/>, or the stream has just been cut off.</summary>
    public async Task<bool> WaitAsync(TimeSpan patience, CancellationToken cancellationToken)
    {
        if (!_events.Reader.TryPeek(out var next))
        {
            // One wait at a time: after a silence the next one takes up the same.
            _waiting ??= _events.Reader.WaitToReadAsync(CancellationToken.None).AsTask();
            try
            {
                await _waiting.WaitAsync(patience, _clock, cancellationToken);
                _waiting = null;
            }
            catch (TimeoutException)
            {
                return false;
            }
            _events.Reader.TryPeek(out next);
        }
        if (next is not null) return true;
        _events.Reader.TryRead(out _);
        return false;
    }

    /// <summary>The next event; there must be one.</summary>
    public LiveEvent Take() => _events.Reader.TryRead(out var next) && next is not null ? next : throw new InvalidOperationException("There is no event.");

    public Task OnNextAsync(LiveEvent item, StreamSequenceToken? token = null) => PutAsync(item);

    public Task OnCompletedAsync() => Task.CompletedTask;

    public Task OnErrorAsync(Exception ex)
    {
        if (ex is StreamGapException gap) return PutAsync(new LiveGap(_callId, _clock.GetUtcNow(), gap.Dropped, gap.AtLeast));
        if (ex is not StreamInterruptedException) return Task.CompletedTask;
        IsInterrupted = true;
        _events.Writer.TryWrite(null);      // where there is no room there are events to look at
        return Task.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        _events.Writer.TryComplete();
        if (_subscription is null) return;
        _metrics.WatchersChanged(-1);
        await _subscription.UnsubscribeAsync();
    }

    private async Task PutAsync(LiveEvent item)
    {
        IsInterrupted = false;
        while (!_events.Writer.TryWrite(item))
            if (!await _events.Writer.WaitToWriteAsync().ConfigureAwait(false)) return;     // nobody watches any more
    }
}
