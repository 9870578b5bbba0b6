namespace Orleans.Streams;

/// <summary>Something that can be subscribed to.</summary>
public interface IAsyncObservable<T>
{
    /// <summary>
    /// Delivers every event from now on to the observer. A grain's subscription delivers as turns of its activation and ends with it;
    /// one made outside of grains lasts until it is disposed of.
    /// </summary>
    Task<StreamSubscriptionHandle<T>> SubscribeAsync(IAsyncObserver<T> observer);
}
