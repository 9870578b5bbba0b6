using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Orleans.Runtime;

namespace VoiceGrains.GrainRuntime.Streams;

/// <summary>What the stream providers have in common: the streams that have subscribers in this process.</summary>
internal abstract partial class StreamCore(string name, int queueLength, ILogger logger)
{
    private readonly ConcurrentDictionary<StreamAddress, StreamHub> _hubs = new();

    public string Name => name;

    /// <summary>Notices that may wait for one subscriber.</summary>
    public int QueueLength => queueLength;

    protected IEnumerable<StreamHub> Hubs => _hubs.Values;

    /// <summary>Queues the notice for whoever listens. Never waits.</summary>
    public abstract void Publish<T>(StreamAddress address, StreamNoticeKind kind, T? item, Exception? error);

    /// <summary>Done as soon as every later event reaches the subscription.</summary>
    public virtual Task SubscribeAsync<T>(StreamAddress address, StreamSubscription<T> subscription)
    {
        Add(address, subscription);
        return Task.CompletedTask;
    }

    /// <summary>The stream's meeting point, while it has subscribers.</summary>
    public StreamHub<T>? FindHub<T>(StreamAddress address) => (StreamHub<T>?)FindHub(address);

    public StreamHub? FindHub(StreamAddress address) => _hubs.GetValueOrDefault(address);

    public void Unsubscribe<T>(StreamAddress address, StreamSubscription<T> subscription)
    {
        if (FindHub<T>(address) is not { } hub || !hub.RemoveLeavesNone(subscription))
            return;
        _hubs.TryRemove(KeyValuePair.Create<StreamAddress, StreamHub>(address, hub));
        OnUnheard(hub);
    }

    protected StreamHub<T> Add<T>(StreamAddress address, StreamSubscription<T> subscription)
    {
        while (true)
        {
            // One whose last subscriber has just left is being taken out: the next one is new.
            var hub = (StreamHub<T>)_hubs.GetOrAdd(address, static address => new StreamHub<T>(address));
            if (hub.TryAdd(subscription))
                return hub;
        }
    }

    /// <summary>The last subscriber has left.</summary>
    protected virtual void OnUnheard(StreamHub hub)
    {
    }

    [LoggerMessage(1584, LogLevel.Error, "A subscriber of stream {Stream} failed on an event; it gets the next")]
    public partial void LogSubscriberFailed(StreamId stream, Exception exception);

    [LoggerMessage(1585, LogLevel.Error, "An event of stream {Stream} cannot be read; it counts as lost")]
    public partial void LogUnreadable(StreamId stream, Exception exception);
}
