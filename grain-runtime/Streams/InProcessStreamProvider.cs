using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans.Runtime;
using Orleans.Streams;
using VoiceGrains.GrainRuntime.Activations;

namespace VoiceGrains.GrainRuntime.Streams;

/// <summary>Streams within this process. What has no subscriber is dropped; nothing is stored.</summary>
internal sealed partial class InProcessStreamProvider : IStreamProvider
{
    private readonly Activation? _subscriber;
    private readonly ConcurrentDictionary<(StreamId Id, Type Event), object> _hubs;
    private readonly ILogger<InProcessStreamProvider> _logger;

    public InProcessStreamProvider(string name, IOptions<GrainRuntimeOptions> options, ILogger<InProcessStreamProvider> logger)
        : this(name, options.Value.StreamQueueLength, logger, new(), null)
    {
    }

    private InProcessStreamProvider(
        string name, int queueLength, ILogger<InProcessStreamProvider> logger, ConcurrentDictionary<(StreamId Id, Type Event), object> hubs, Activation? subscriber)
    {
        (Name, QueueLength, _logger, _hubs, _subscriber) = (name, queueLength, logger, hubs, subscriber);
    }

    public string Name { get; }

    public bool IsRewindable => false;

    public int QueueLength { get; }

    /// <summary>The same streams, for subscriptions of one activation.</summary>
    public InProcessStreamProvider For(Activation subscriber) => new(Name, QueueLength, _logger, _hubs, subscriber);

    public IAsyncStream<T> GetStream<T>(StreamId streamId) => new InProcessStream<T>(this, streamId, _subscriber);

    /// <summary>The stream's meeting point, while it has subscribers.</summary>
    public StreamHub<T>? FindHub<T>(StreamId id) => _hubs.TryGetValue((id, typeof(T)), out var hub) ? (StreamHub<T>)hub : null;

    public void Subscribe<T>(StreamId id, StreamSubscription<T> subscription)
    {
        while (!((StreamHub<T>)_hubs.GetOrAdd((id, typeof(T)), static _ => new StreamHub<T>())).TryAdd(subscription))
        {
            // Its last subscriber has just left and it is being taken out: the next one is new.
        }
    }

    public void Unsubscribe<T>(StreamId id, StreamSubscription<T> subscription)
    {
        if (FindHub<T>(id) is { } hub && hub.RemoveLeavesNone(subscription))
            _hubs.TryRemove(KeyValuePair.Create((id, typeof(T)), (object)hub));
    }

    [LoggerMessage(1540, LogLevel.Error, "A subscriber of stream {Stream} failed on an event; it gets the next")]
    public partial void LogSubscriberFailed(StreamId stream, Exception exception);
}

/// <summary>The subscriptions of one stream.</summary>
internal sealed class StreamHub<T>
{
    private readonly Lock _gate = new();
    private StreamSubscription<T>[] _subscriptions = [];
    private long _next;
    private bool _closed;

    public IReadOnlyList<StreamSubscription<T>> Subscriptions => Volatile.Read(ref _subscriptions);

    public bool TryAdd(StreamSubscription<T> subscription)
    {
        lock (_gate)
        {
            if (!_closed)
                _subscriptions = [.. _subscriptions, subscription];
            return !_closed;
        }
    }

    public bool RemoveLeavesNone(StreamSubscription<T> subscription)
    {
        lock (_gate)
        {
            _subscriptions = [.. _subscriptions.Where(other => other != subscription)];
            return _closed = _subscriptions.Length == 0;
        }
    }

    /// <summary>Queues the notice for every subscriber, in the same order for all.</summary>
    public void Publish(StreamNotice<T> notice)
    {
        lock (_gate)
        {
            var numbered = notice with { Token = new SequenceToken(_next++) };
            foreach (var subscription in _subscriptions)
                subscription.Post(numbered);
        }
    }
}

internal enum StreamNoticeKind : byte
{
    Next,
    Completed,
    Error,
}

/// <summary>What a producer says.</summary>
internal readonly record struct StreamNotice<T>(StreamNoticeKind Kind, T Item, Exception? Error, SequenceToken? Token = null);
