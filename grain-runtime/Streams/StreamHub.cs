using System.Text.Json;
using VoiceGrains.GrainRuntime.Diagnostics;

namespace VoiceGrains.GrainRuntime.Streams;

/// <summary>The subscriptions of one stream in this process, and the account of what its producers elsewhere have sent.</summary>
internal abstract class StreamHub(StreamAddress address)
{
    private TaskCompletionSource? _answer;

    public StreamAddress Address => address;

    /// <summary>Guards <see cref="Opening"/> and <see cref="IsUnheard"/>.</summary>
    public Lock OpeningGate { get; } = new();

    /// <summary>The provider's work until events from other processes come here; null before it has begun.</summary>
    public Task? Opening { get; set; }

    /// <summary>The last subscriber has left.</summary>
    public bool IsUnheard { get; set; }

    /// <summary>Takes what a producer sent, unless it is here already.</summary>
    /// <param name="local">The producer is in this process: nothing is lost on the way.</param>
    public abstract void Receive(StreamArrival arrival, JsonSerializerOptions json, bool local);

    /// <summary>Tells all subscribers that the stream is disturbed.</summary>
    public abstract void Tell(Exception error);

    /// <summary>Whoever begins to produce from here on does so under the eyes of this hub.</summary>
    public abstract void OnNobodyProduces();

    /// <summary>Completes with the next answer to a question for producers.</summary>
    public Task ExpectAnswer()
    {
        var answer = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        return (Interlocked.CompareExchange(ref _answer, answer, null) ?? answer).Task;
    }

    public void OnAnswered() => Interlocked.Exchange(ref _answer, null)?.TrySetResult();
}

/// <inheritdoc/>
internal sealed class StreamHub<T>(StreamAddress address) : StreamHub(address)
{
    private readonly Lock _gate = new();
    private readonly StreamLedger _ledger = new();
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

    /// <summary>True for the one that takes out the last.</summary>
    public bool RemoveLeavesNone(StreamSubscription<T> subscription)
    {
        lock (_gate)
        {
            if (_closed)
                return false;
            _subscriptions = [.. _subscriptions.Where(other => other != subscription)];
            return _closed = _subscriptions.Length == 0;
        }
    }

    /// <summary>Queues the notice for every subscriber, in the same order for all.</summary>
    public void Publish(StreamNoticeKind kind, StreamItem<T>? item, Exception? error, StreamLoss lostBefore = default)
    {
        lock (_gate)
        {
            _next += lostBefore.Count;
            Post(new(kind, item, error, new SequenceToken(_next++), lostBefore));
        }
    }

    public override void Receive(StreamArrival arrival, JsonSerializerOptions json, bool local)
    {
        lock (_gate)
        {
            if (arrival.Kind is { } kind)
            {
                if (_ledger.TryTake(arrival.Source, arrival.Number, arrival.IsLast, local, out var lost))
                    Publish(kind, kind == StreamNoticeKind.Next ? new JsonItem<T>(arrival.Body, json) : null, arrival.Error, lost);
            }
            else if (_ledger.Mark(arrival.Source, arrival.Number, arrival.IsLast) is { IsNone: false } gap)
            {
                _next += gap.Count;
                Post(new(StreamNoticeKind.Gap, null, null, null, gap));
            }
        }
    }

    public override void Tell(Exception error)
    {
        lock (_gate)
            Post(new(StreamNoticeKind.Error, null, error, null, default));
    }

    public override void OnNobodyProduces()
    {
        lock (_gate)
            _ledger.StartsHere();
    }

    private void Post(StreamNotice<T> notice)
    {
        if (notice.LostBefore.Count > 0)
            GrainTelemetry.StreamLost(notice.LostBefore.Count);
        foreach (var subscription in _subscriptions)
            subscription.Post(notice);
    }
}
