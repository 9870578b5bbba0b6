using Microsoft.Extensions.DependencyInjection;
using Orleans;
using Orleans.Runtime;
using Orleans.Streams;
using VoiceGrains.GrainRuntime.Streams;

namespace VoiceGrains.GrainRuntime.Tests.Streams;

public sealed class StreamTests
{
    private static readonly StreamId Id = StreamId.Create("news", "today");

    [Fact]
    public async Task Events_ReachEverySubscriberInOrder()
    {
        await using var host = await StartAsync();
        var stream = Stream(host);
        var one = new StreamListener<int>();
        var two = new StreamListener<int>();
        await stream.SubscribeAsync(one);
        await stream.SubscribeAsync(two.TakeAsync, two.OnErrorAsync, two.OnCompletedAsync);

        for (var item = 0; item < 500; item++)
            await stream.OnNextAsync(item);
        await stream.OnErrorAsync(new ApplicationException("oops"));
        await stream.OnCompletedAsync();

        string[] expected = [.. Enumerable.Range(0, 500).Select(item => $"{item}#{item}"), "error oops", "completed"];
        await RuntimeHost.EventuallyAsync(() => one.Heard.Count == expected.Length && two.Heard.Count == expected.Length, "all events");
        Assert.Equal(expected, one.Heard);
        Assert.Equal(expected, two.Heard);
    }

    [Fact]
    public async Task Grain_HearsEventsAsTurnsAndStopsWithItsActivation()
    {
        await using var host = await StartAsync();
        var grain = host.Grains.GetGrain<IReaderGrain>("a");
        await grain.ListenAsync(Id);
        Assert.Equal(1, await grain.SubscriptionsAsync(Id));
        var work = grain.WorkAsync();
        await host.Probe.ExpectAsync("working");

        await Stream(host).OnNextAsync(7);
        host.Probe.Open("work");
        await host.Probe.ExpectAsync("worked");      // the event waited for its turn
        await host.Probe.ExpectAsync("heard 7");
        await work;

        await grain.LeaveAsync();
        await host.Probe.ExpectAsync("gone");
        await RuntimeHost.EventuallyAsync(() => Stream(host).GetAllSubscriptionHandles().Result.Count == 0, "no subscription");
        Assert.Equal(0, await grain.SubscriptionsAsync(Id));
        await Stream(host).OnNextAsync(8);
        Assert.Equal("gone", host.Probe.Log.Last());
    }

    [Fact]
    public async Task SlowSubscriber_LosesTheOldestEventsAndIsToldWithoutDelayingOthers()
    {
        await using var host = await StartAsync(queueLength: 4);
        var stream = Stream(host);
        var slow = new StreamListener<int>();
        var quick = new StreamListener<int>();
        slow.Hold();
        await stream.SubscribeAsync(slow);
        await stream.OnNextAsync(0);
        await RuntimeHost.EventuallyAsync(() => slow.Waiting, "the slow one holds event 0");
        await stream.SubscribeAsync(quick);

        for (var item = 1; item <= 10; item++)
        {
            Assert.True(stream.OnNextAsync(item).IsCompletedSuccessfully);
            await RuntimeHost.EventuallyAsync(() => quick.Heard.Count == item, "the quick one keeps up");
        }
        slow.Release();

        await RuntimeHost.EventuallyAsync(() => slow.Heard.Count == 6, "the rest");
        Assert.Equal(["0#0", "gap of 6", "7#7", "8#8", "9#9", "10#10"], slow.Heard);
    }

    [Fact]
    public async Task FailingSubscriber_GetsTheNextEvent()
    {
        await using var host = await StartAsync();
        var heard = new StreamListener<int>();
        await Stream(host).SubscribeAsync((item, token) => item == 1 ? throw new ApplicationException("no") : heard.TakeAsync(item, token));

        await Stream(host).OnNextAsync(1);
        await Stream(host).OnNextAsync(2);

        await RuntimeHost.EventuallyAsync(() => heard.Heard.Count == 1, "the event after the failure");
        Assert.Equal(["2#1"], heard.Heard);
    }

    [Fact]
    public async Task Unsubscribed_HearsNothingMoreAndAnotherObserverCanResume()
    {
        await using var host = await StartAsync();
        var stream = Stream(host);
        var one = new StreamListener<int>();
        var two = new StreamListener<int>();
        var handle = await stream.SubscribeAsync(one);
        await stream.OnNextAsync(1);
        await RuntimeHost.EventuallyAsync(() => one.Heard.Count == 1, "event 1");

        Assert.Equal(handle, await handle.ResumeAsync(two));
        await stream.OnNextAsync(2);
        await RuntimeHost.EventuallyAsync(() => two.Heard.Count == 1, "event 2");
        await handle.UnsubscribeAsync();
        await stream.OnNextAsync(3);

        Assert.Empty(await stream.GetAllSubscriptionHandles());
        Assert.Equal((1, 1), (one.Heard.Count, two.Heard.Count));
    }

    [Fact]
    public async Task StreamsOfOtherNamesAndTypes_AreSeparate()
    {
        await using var host = await StartAsync();
        var provider = Provider(host);
        var heard = new StreamListener<int>();
        await provider.GetStream<int>(StreamId.Create("news", "a")).SubscribeAsync(heard);

        await provider.GetStream<int>(StreamId.Create("news", "b")).OnNextAsync(1);
        await provider.GetStream<int>(StreamId.Create("other", "a")).OnNextAsync(2);
        await provider.GetStream<string>(StreamId.Create("news", "a")).OnNextAsync("3");
        await provider.GetStream<int>(StreamId.Create("news", "a")).OnNextAsync(4);

        await RuntimeHost.EventuallyAsync(() => heard.Heard.Count > 0, "the one event");
        Assert.Equal(["4#0"], heard.Heard);
    }

    private static Task<RuntimeHost> StartAsync(int queueLength = 1_024) => RuntimeHost.StartAsync(
        options: options => options.StreamQueueLength = queueLength, services: services => services.AddInProcessStreams("live"));

    private static IStreamProvider Provider(RuntimeHost host) => host.Services.GetRequiredKeyedService<IStreamProvider>("live");

    private static IAsyncStream<int> Stream(RuntimeHost host) => Provider(host).GetStream<int>(Id);
}

internal interface IReaderGrain : IGrainWithStringKey
{
    Task ListenAsync(StreamId id);

    Task<int> SubscriptionsAsync(StreamId id);

    Task WorkAsync();

    Task LeaveAsync();
}

internal sealed class ReaderGrain(Probe probe) : Grain, IReaderGrain
{
    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        probe.Say("gone");
        return Task.CompletedTask;
    }

    public Task ListenAsync(StreamId id) => Stream(id).SubscribeAsync((item, _) =>
    {
        probe.Say($"heard {item}");
        return Task.CompletedTask;
    });

    public async Task<int> SubscriptionsAsync(StreamId id) => (await Stream(id).GetAllSubscriptionHandles()).Count;

    public async Task WorkAsync()
    {
        probe.Say("working");
        await probe.GateAsync("work");
        probe.Say("worked");
    }

    public Task LeaveAsync()
    {
        DeactivateOnIdle();
        return Task.CompletedTask;
    }

    private IAsyncStream<int> Stream(StreamId id) => this.GetStreamProvider("live").GetStream<int>(id);
}
