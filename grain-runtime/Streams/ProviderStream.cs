using Orleans.Runtime;
using Orleans.Streams;
using VoiceGrains.GrainRuntime.Activations;
using VoiceGrains.GrainRuntime.Diagnostics;

namespace VoiceGrains.GrainRuntime.Streams;

/// <summary>A provider as code outside of grains (<paramref name="subscriber"/> is null) or one activation sees it.</summary>
internal sealed class StreamProvider(StreamCore core, Activation? subscriber = null) : IStreamProvider
{
    public string Name => core.Name;

    public bool IsRewindable => false;

    /// <summary>The same streams, for subscriptions of one activation.</summary>
    public StreamProvider For(Activation activation) => new(core, activation);

    public IAsyncStream<T> GetStream<T>(StreamId streamId) => new ProviderStream<T>(core, streamId, subscriber);
}

internal sealed class ProviderStream<T>(StreamCore core, StreamId streamId, Activation? subscriber) : IAsyncStream<T>
{
    private readonly StreamAddress _address = StreamAddress.Of<T>(streamId);

    public bool IsRewindable => false;

    public string ProviderName => core.Name;

    public StreamId StreamId => streamId;

    public Task OnNextAsync(T item, StreamSequenceToken? token = null) => Publish(StreamNoticeKind.Next, item, null);

    public Task OnCompletedAsync() => Publish(StreamNoticeKind.Completed, default, null);

    public Task OnErrorAsync(Exception ex) => Publish(StreamNoticeKind.Error, default, ex);

    public async Task<StreamSubscriptionHandle<T>> SubscribeAsync(IAsyncObserver<T> observer)
    {
        ArgumentNullException.ThrowIfNull(observer);
        var subscription = new StreamSubscription<T>(core, streamId, _address, subscriber, observer);
        GrainTelemetry.StreamSubscriptionsChanged(streamId.GetNamespace() ?? "", 1);
        var subscribing = core.SubscribeAsync(_address, subscription);
        if (subscriber is not null && !subscriber.TryOwn(subscription))
            subscription.Dispose();
        try
        {
            await subscribing;
        }
        catch
        {
            subscription.Dispose();
            throw;
        }
        return subscription;
    }

    public Task<IList<StreamSubscriptionHandle<T>>> GetAllSubscriptionHandles()
    {
        var all = core.FindHub<T>(_address)?.Subscriptions ?? [];
        return Task.FromResult<IList<StreamSubscriptionHandle<T>>>([.. all.Where(subscription => subscription.Subscriber == subscriber)]);
    }

    private Task Publish(StreamNoticeKind kind, T? item, Exception? error)
    {
        try
        {
            core.Publish(_address, kind, item, error);
            return Task.CompletedTask;
        }
        catch (Exception exception)
        {
            return Task.FromException(exception);
        }
    }
}
