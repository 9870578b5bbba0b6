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
    private readonly Channel<LiveEvent> _events;
    private readonly TimeProvider _clock;
    private StreamSubscriptionHandle<LiveEvent>? _subscription;
    private Task<bool>? _waiting;
    private string _callId = "";

    private CallWatch(int queueLength, TimeProvider clock)
        => (_events, _clock) = (Channel.CreateBounded<LiveEvent>(new BoundedChannelOptions(queueLength) { SingleReader = true }), clock);

    public static async Task<CallWatch> StartAsync(IAsyncStream<LiveEvent> stream, int queueLength, TimeProvider clock)
    {
        var watch = new CallWatch(queueLength, clock) { _callId = stream.StreamId.GetKeyAsString() };
        watch._subscription = await stream.SubscribeAsync(watch);
        return watch;
    }

    public bool HasEvents => _events.Reader.TryPeek(out _);

    /// <summary>True as soon as there is an event to take; false when none came for <paramref name="patience"/>.</summary>
    public async Task<bool> WaitAsync(TimeSpan patience, CancellationToken cancellationToken)
    {
        if (HasEvents) return true;
        // One wait at a time: after a silence the next one takes up the same.
        _waiting ??= _events.Reader.WaitToReadAsync(CancellationToken.None).AsTask();
        try
        {
            await _waiting.WaitAsync(patience, _clock, cancellationToken);
            _waiting = null;
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }

    /// <summary>The next event; there must be one.</summary>
    public LiveEvent Take() => _events.Reader.TryRead(out var next) ? next : throw new InvalidOperationException("There is no event.");

    public Task OnNextAsync(LiveEvent item, StreamSequenceToken? token = null) => PutAsync(item);

    public Task OnCompletedAsync() => Task.CompletedTask;

    public Task OnErrorAsync(Exception ex) => ex is StreamGapException gap ? PutAsync(new LiveGap(_callId, _clock.GetUtcNow(), gap.Dropped)) : Task.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        _events.Writer.TryComplete();
        if (_subscription is not null) await _subscription.UnsubscribeAsync();
    }

    private async Task PutAsync(LiveEvent item)
    {
        while (!_events.Writer.TryWrite(item))
            if (!await _events.Writer.WaitToWriteAsync().ConfigureAwait(false)) return;     // nobody watches any more
    }
}
