using Orleans.Runtime;

namespace Orleans.Streams;

/// <summary>One subscription.</summary>
public abstract class StreamSubscriptionHandle<T> : IEquatable<StreamSubscriptionHandle<T>>
{
    public abstract StreamId StreamId { get; }

    public abstract string ProviderName { get; }

    public abstract Guid HandleId { get; }

    /// <summary>Ends the subscription. Events that wait are not delivered any more; one that is being handled is not interrupted.</summary>
    public abstract Task UnsubscribeAsync();

    /// <summary>Hands the subscription to another observer. Events that wait go to it.</summary>
    public abstract Task<StreamSubscriptionHandle<T>> ResumeAsync(IAsyncObserver<T> observer, StreamSequenceToken? token = null);

    public abstract bool Equals(StreamSubscriptionHandle<T>? other);
}
