using Orleans.Runtime;

namespace Orleans.Streams;

/// <summary>A stream without the type of its events.</summary>
public interface IAsyncStream
{
    /// <summary>Whether a subscriber can start in the past: not here.</summary>
    bool IsRewindable { get; }

    string ProviderName { get; }

    StreamId StreamId { get; }
}

/// <summary>
/// Where producers and subscribers meet. A stream exists as soon as it is named. Producing never waits for a subscriber: each has a bounded
/// queue, and one that is too slow loses its oldest events and is told how many.
/// </summary>
public interface IAsyncStream<T> : IAsyncStream, IAsyncObservable<T>, IAsyncObserver<T>
{
    /// <summary>The subscriptions that this grain, or the code outside of grains, has on this stream.</summary>
    Task<IList<StreamSubscriptionHandle<T>>> GetAllSubscriptionHandles();
}
