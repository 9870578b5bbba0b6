using Microsoft.Extensions.DependencyInjection;
using Orleans.Runtime;
using Orleans.Streams;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;
using VoiceGrains.GrainRuntime.Streams;
using VoiceGrains.GrainRuntime.Streams.RabbitMq;
using VoiceGrains.GrainRuntime.Tests.Cluster;

namespace VoiceGrains.GrainRuntime.Tests.Streams;

/// <summary>Streams between processes (here: hosts) over a real broker.</summary>
public sealed class RabbitStreamTests
{
    private static readonly StreamId Id = StreamId.Create("news", "today");
    private static readonly StreamAddress Address = StreamAddress.Of<int>(Id);

    [Fact]
    public async Task Events_ReachSubscribersInEveryProcessOnceAndInOrder()
    {
        await using var cluster = await ClusterFixture.StartAsync();
        var silo = await cluster.AddSiloAsync();
        var gateways = new[] { await cluster.AddSiloAsync(client: true), await cluster.AddSiloAsync(client: true) };
        var listeners = new List<StreamListener<int>>();
        foreach (var host in (SiloHost[])[silo, silo, .. gateways, gateways[1]])
        {
            listeners.Add(new());
            await Stream(host).SubscribeAsync(listeners[^1]);
        }

        for (var item = 0; item < 500; item++)
            Assert.True(Stream(silo).OnNextAsync(item).IsCompletedSuccessfully);
        await Stream(silo).OnErrorAsync(new TimeoutException("oops"));
        await Stream(silo).OnCompletedAsync();

        string[] expected = [.. Enumerable.Range(0, 500).Select(item => $"{item}#{item}"), "error oops", "completed"];
        await RuntimeHost.EventuallyAsync(() => listeners.All(listener => listener.Heard.Count >= expected.Length), "all events");
        Assert.All(listeners, listener => Assert.Equal(expected, listener.Heard));
    }

    [Fact]
    public async Task Subscriber_GetsEverythingFromItsSubscriptionOn_AndBeforeItNothingIsSent()
    {
        await using var cluster = await ClusterFixture.StartAsync();
        var silo = await cluster.AddSiloAsync();
        var gateway = await cluster.AddSiloAsync(client: true);
        for (var round = 0; round < 10; round++)
        {
            await UntilUnheardAsync(silo, () => -1);
            var listener = new StreamListener<int>();
            var handle = await Stream(gateway).SubscribeAsync(listener);
            for (var item = 0; item < 20; item++)
                await Stream(silo).OnNextAsync(item);
            await RuntimeHost.EventuallyAsync(() => listener.Heard.Count >= 20, "its events");
            Assert.Equal(Enumerable.Range(0, 20).Select(item => $"{item}#{item}"), listener.Heard);
            await handle.UnsubscribeAsync();
        }
    }

    [Fact]
    public async Task ManySubscribersOfAProcess_ShareOneBinding_AndTheLastTakesItAlong()
    {
        await using var cluster = await ClusterFixture.StartAsync();
        var gateway = await cluster.AddSiloAsync(client: true);
        var handles = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => Stream(gateway).SubscribeAsync(new StreamListener<int>())));
        Assert.Equal(1, Streams(gateway).BoundKeys);
        Assert.True(await IsBoundAsync(cluster, Address.Key));

        await Task.WhenAll(handles.Skip(1).Select(handle => handle.UnsubscribeAsync()));
        Assert.True(await IsBoundAsync(cluster, Address.Key));
        await handles[0].UnsubscribeAsync();
        await UntilUnboundAsync(cluster, Address.Key);
        Assert.Equal(0, Streams(gateway).BoundKeys);
    }

    [Fact]
    public async Task SubscribersThatComeAndGoAtOnce_LeaveNothingBehindAndMissNothing()
    {
        await using var cluster = await ClusterFixture.StartAsync();
        var silo = await cluster.AddSiloAsync();
        var gateway = await cluster.AddSiloAsync(client: true);
        await Task.WhenAll(Enumerable.Range(0, 8).Select(worker => Task.Run(async () =>
        {
            for (var round = 0; round < 10; round++)
            {
                var listener = new StreamListener<int>();
                var handle = await Stream(gateway).SubscribeAsync(listener);
                await Stream(silo).OnNextAsync(worker * 100 + round);
                await RuntimeHost.EventuallyAsync(() => listener.Heard.Any(line => line.StartsWith($"{worker * 100 + round}#", StringComparison.Ordinal)), "its own event");
                Assert.DoesNotContain(listener.Heard, line => line.StartsWith("gap", StringComparison.Ordinal));
                await handle.UnsubscribeAsync();
            }
        })));
        await UntilUnboundAsync(cluster, Address.Key);
    }

    [Fact]
    public async Task AProcessThatVanishes_LeavesNoBinding_AndProducersStopSending()
    {
        await using var cluster = await ClusterFixture.StartAsync();
        var silo = await cluster.AddSiloAsync();
        var gateway = await cluster.AddSiloAsync(client: true);
        await Stream(gateway).SubscribeAsync(new StreamListener<int>());
        await Stream(silo).OnNextAsync(0);
        Assert.True(Streams(silo).FindProducer(Address)!.IsHeard);

        await gateway.DisposeAsync();
        await UntilUnheardAsync(silo, () => 1);
        Assert.False(await IsBoundAsync(cluster, Address.Key));
    }

    [Fact]
    public async Task RestartedBroker_LeavesAGapOfWhatWasPublishedMeanwhile()
    {
        var rabbit = await RabbitServer.StartAsync();
        await using var cluster = await ClusterFixture.StartAsync(rabbit);
        var silo = await cluster.AddSiloAsync();
        var gateway = await cluster.AddSiloAsync(client: true);
        var (near, far) = (new StreamListener<int>(), new StreamListener<int>());
        await Stream(silo).SubscribeAsync(near);
        await Stream(gateway).SubscribeAsync(far);
        await Stream(silo).OnNextAsync(0);
        await RuntimeHost.EventuallyAsync(() => far.Heard.Count == 1, "the first event");

        await rabbit.KillAsync();
        await RuntimeHost.EventuallyAsync(() => far.Heard.Count == 2 && near.Heard.Count == 2, "both are told");
        Task[] refused = [Stream(gateway, "other").SubscribeAsync(new StreamListener<int>()), Stream(gateway).SubscribeAsync(new StreamListener<int>())];
        for (var item = 1; item <= 7; item++)
            Assert.True(Stream(silo).OnNextAsync(item).IsCompletedSuccessfully);
        foreach (var subscribing in refused)
            await Assert.ThrowsAsync<StreamInterruptedException>(() => subscribing);
        Assert.Single(await Stream(gateway).GetAllSubscriptionHandles());
        await rabbit.StartBrokerAsync();
        await RuntimeHost.EventuallyAsync(() => far.Heard.Count == 3, "the gap, without another event");
        await Stream(silo).OnNextAsync(8);
        await RuntimeHost.EventuallyAsync(() => far.Heard.Count == 4 && near.Heard.Count == 10, "the event after it");

        Assert.Equal(["0#0", "interrupted", "gap of 7", "8#8"], far.Heard);
        // The producer's own process needs no broker.
        Assert.Equal(["0#0", .. Enumerable.Range(1, 8).Select(item => $"{item}#{item}")], near.Heard.Where(line => line != "interrupted"));
        Assert.Equal(2, Streams(gateway).BoundKeys + Streams(silo).BoundKeys - 1);      // the stream for both, the question for the producer
    }

    [Fact]
    public async Task AStreamThatMovesToAnotherProcess_KeepsItsSubscribers()
    {
        await using var cluster = await ClusterFixture.StartAsync();
        var (one, two, three) = (await cluster.AddSiloAsync(), await cluster.AddSiloAsync(), await cluster.AddSiloAsync());
        var gateway = await cluster.AddSiloAsync(client: true);
        var listener = new StreamListener<int>();
        await Stream(gateway).SubscribeAsync(listener);

        await Stream(one).OnNextAsync(1);
        await RuntimeHost.EventuallyAsync(() => listener.Heard.Count == 1, "the first producer");
        await one.DisposeAsync();       // in order: it says that it is done
        await Stream(two).OnNextAsync(2);
        await RuntimeHost.EventuallyAsync(() => listener.Heard.Count == 2, "the second producer");
        await Stream(three).OnNextAsync(3);     // the second has not said so: it may be dead
        await RuntimeHost.EventuallyAsync(() => listener.Heard.Count == 4, "the third producer");

        Assert.Equal(["1#0", "2#1", "gap of 0 or more", "3#2"], listener.Heard);
    }

    [Fact]
    public async Task SlowSubscriber_LosesTheOldestEvents_AndNobodyElseDoes()
    {
        await using var cluster = await ClusterFixture.StartAsync();
        var silo = await cluster.AddSiloAsync();
        var gateway = await cluster.AddSiloAsync(client: true, runtime: options => options.StreamQueueLength = 4);
        var (slow, quick) = (new StreamListener<int>(), new StreamListener<int>());
        slow.Hold();
        await Stream(gateway).SubscribeAsync(slow);
        await Stream(silo).OnNextAsync(0);
        await RuntimeHost.EventuallyAsync(() => slow.Waiting, "the slow one holds event 0");
        await Stream(gateway).SubscribeAsync(quick);
        for (var item = 1; item <= 10; item++)
        {
            await Stream(silo).OnNextAsync(item);
            await RuntimeHost.EventuallyAsync(() => quick.Heard.Count == item, "the quick one keeps up");
        }
        slow.Release();

        await RuntimeHost.EventuallyAsync(() => slow.Heard.Count == 6, "the rest");
        Assert.Equal(["0#0", "gap of 6", "7#7", "8#8", "9#9", "10#10"], slow.Heard);
    }

    [Fact]
    public async Task EverySubscriber_GetsAnObjectOfItsOwn()
    {
        await using var cluster = await ClusterFixture.StartAsync();
        var silo = await cluster.AddSiloAsync();
        var gateway = await cluster.AddSiloAsync(client: true);
        var heard = new List<List<int>>();
        foreach (var host in (SiloHost[])[silo, silo, gateway, gateway])
            await Provider(host).GetStream<List<int>>(Id).SubscribeAsync((item, _) =>
            {
                lock (heard)
                    heard.Add(item);
                return Task.CompletedTask;
            });
        List<int> original = [1, 2];
        await Provider(silo).GetStream<List<int>>(Id).OnNextAsync(original);

        await RuntimeHost.EventuallyAsync(() => heard.Count == 4, "all four");
        Assert.All(heard, item => Assert.Equal([1, 2], item));
        Assert.Equal(5, heard.Append(original).Distinct(ReferenceEqualityComparer.Instance).Count());
    }

    [Fact]
    public async Task Grain_HearsAnotherProcessAsTurns()
    {
        await using var cluster = await ClusterFixture.StartAsync();
        var silo = await cluster.AddSiloAsync(services: services => services.AddGrains(typeof(RabbitStreamTests).Assembly));
        var other = await cluster.AddSiloAsync(client: true);
        var probe = silo.Probe;
        var grain = silo.Grains.GetGrain<IReaderGrain>("a");
        await grain.ListenAsync(Id);

        await Stream(other).OnNextAsync(7);
        await probe.ExpectAsync("heard 7");
        await grain.LeaveAsync();
        await probe.ExpectAsync("gone");
        await UntilUnboundAsync(cluster, Address.Key);
    }

    [Fact]
    public async Task ForeignAndBrokenMessages_CountAsLostAndStopNothing()
    {
        await using var cluster = await ClusterFixture.StartAsync();
        var silo = await cluster.AddSiloAsync();
        var gateway = await cluster.AddSiloAsync(client: true);
        var listener = new StreamListener<int>();
        await Stream(gateway).SubscribeAsync(listener);
        await Stream(silo).OnNextAsync(0);
        await RuntimeHost.EventuallyAsync(() => listener.Heard.Count == 1, "the first event");

        await using (var foreign = await ConnectAsync(cluster))
        {
            var source = Streams(silo).FindProducer(Address)!.Source;
            await foreign.SendAsync(Address.Key, new BasicProperties { Type = "next" }, "{}"u8.ToArray());
            await foreign.SendAsync(Address.Key, StreamWire.Properties("next", Address, source, 1), "\"no number\""u8.ToArray());
            await foreign.SendAsync(Address.Key, StreamWire.Properties("error", Address, source, 2), "[]"u8.ToArray());
        }
        await RuntimeHost.EventuallyAsync(() => listener.Heard.Count == 3, "what came of them");
        Assert.Equal(["0#0", "gap of 1", "error unknown: The error cannot be read."], listener.Heard);
    }

    private static IStreamProvider Provider(SiloHost host) => host.Services.GetRequiredKeyedService<IStreamProvider>("live");

    private static RabbitStreams Streams(SiloHost host) => host.Services.GetRequiredKeyedService<RabbitStreams>("live");

    private static IAsyncStream<int> Stream(SiloHost host, string key = "today") => Provider(host).GetStream<int>(StreamId.Create("news", key));

    // Events that nobody hears tell the producer so.
    private static async Task UntilUnheardAsync(SiloHost silo, Func<int> next)
    {
        await Stream(silo).OnNextAsync(next());
        await RuntimeHost.EventuallyAsync(() =>
        {
            if (!Streams(silo).FindProducer(Address)!.IsHeard)
                return true;
            _ = Stream(silo).OnNextAsync(next());
            return false;
        }, "nobody listens");
    }

    private static async Task UntilUnboundAsync(ClusterFixture cluster, string key)
    {
        await using var foreign = await ConnectAsync(cluster);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(RuntimeHost.Cancel);
        patience.CancelAfter(TimeSpan.FromSeconds(20));
        while (await foreign.IsBoundAsync(key))
            await Task.Delay(20, patience.Token);
    }

    private static async Task<bool> IsBoundAsync(ClusterFixture cluster, string key)
    {
        await using var foreign = await ConnectAsync(cluster);
        return await foreign.IsBoundAsync(key);
    }

    private static async Task<ForeignClient> ConnectAsync(ClusterFixture cluster)
    {
        var connection = await new ConnectionFactory { Uri = new(cluster.Rabbit.Uri) }.CreateConnectionAsync(RuntimeHost.Cancel);
        return new(connection, await connection.CreateChannelAsync(new(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: true), RuntimeHost.Cancel), $"{cluster.Exchange}.streams");
    }

    /// <summary>Somebody else on the broker.</summary>
    private sealed class ForeignClient(IConnection connection, IChannel channel, string exchange) : IAsyncDisposable
    {
        public async Task SendAsync(string key, BasicProperties properties, byte[] body) =>
            await channel.BasicPublishAsync(exchange, key, mandatory: true, properties, body, RuntimeHost.Cancel);

        /// <summary>Whether a message with that key reaches anybody. (What is sent is no stream's and is ignored.)</summary>
        public async Task<bool> IsBoundAsync(string key)
        {
            try
            {
                await SendAsync(key, new BasicProperties { Type = "probe" }, []);
                return true;
            }
            catch (PublishException exception) when (exception.IsReturn)
            {
                return false;
            }
        }

        public async ValueTask DisposeAsync()
        {
            await channel.DisposeAsync();
            await connection.DisposeAsync();
        }
    }
}
