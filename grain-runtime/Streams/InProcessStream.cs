using Orleans.Runtime;
using Orleans.Streams;
using VoiceGrains.GrainRuntime.Activations;

namespace VoiceGrains.GrainRuntime.Streams;

internal sealed class InProcessStream<T>(InProcessStreamProvider provider, StreamId streamId, Activation? subscriber) : IAsyncStream<T>
{
    public bool IsRewindable => false;

    public string ProviderName => provider.Name;

    public StreamId StreamId => streamId;

    public Task OnNextAsync(T item, StreamSequenceToken? token = null) => Publish(new(StreamNoticeKind.Next, item, null));

    public Task OnCompletedAsync() => Publish(new(StreamNoticeKind.Completed, default!, null));

    public Task OnErrorAsync(Exception ex) => Publish(new(StreamNoticeKind.Error, default!, ex));

    public Task<StreamSubscriptionHandle<T>> SubscribeAsync(IAsyncObserver<T> observer)
    {
        ArgumentNullException.ThrowIfNull(observer);
        var subscription = new StreamSubscription<T>(provider, streamId, subscriber, observer);
        provider.Subscribe(streamId, subscription);
        if (subscriber is not null && !subscriber.TryOwn(subscription))
            subscription.Dispose();
        return Task.FromResult<StreamSubscriptionHandle<T>>(subscription);
    }

    public Task<IList<StreamSubscriptionHandle<T>>> GetAllSubscriptionHandles()
    {
        var all = provider.FindHub<T>(streamId)?.Subscriptions ?? [];
        return Task.FromResult<IList<StreamSubscriptionHandle<T>>>([.. all.Where(subscription => subscription.Subscriber == subscriber)]);
    }

    private Task Publish(StreamNotice<T> notice)
    {
        provider.FindHub<T>(streamId)?.Publish(notice);
        return Task.CompletedTask;
    }
}
