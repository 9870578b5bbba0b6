using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Orleans.Runtime;
using Orleans.Streams;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;
using VoiceGrains.ClusterHost;
using VoiceGrains.GrainRuntime.Cluster;
using VoiceGrains.GrainRuntime.RabbitMq;
using VoiceGrains.GrainRuntime.Tests.Streams;
using VoiceGrains.Silo.Launch;

namespace VoiceGrains.GrainRuntime.Tests.Cluster;

/// <summary>The broker is there and does not let us in, or not do what we need: an operator must be able to tell from the log what to mend.</summary>
public sealed class BrokerRefusalTests
{
    private const string Secret = "s3cret-of-the-broker";

    [Theory]
    [InlineData("guest", Secret, "refuses the user name or password of Cluster:RabbitMq (user 'guest')")]
    [InlineData("nobody", Secret, "refuses the user name or password of Cluster:RabbitMq (user 'nobody')")]
    [InlineData(RabbitServer.Stranger, RabbitServer.Stranger, "refuses user 'stranger' what the cluster needs: NOT_ALLOWED - access to vhost '/' refused")]
    [InlineData(RabbitServer.Observer, RabbitServer.Observer, "refuses user 'observer' what the cluster needs: ACCESS_REFUSED")]
    public async Task RefusedAtTheStart_SaysWhatIsRefusedWithoutThePassword(string user, string password, string problem)
    {
        var rabbit = await RabbitServer.GetAsync(RuntimeHost.Cancel);
        var log = new LogKeeper();
        await using var connection = Connect(rabbit.UriOf(user, password), log);

        await log.ExpectAsync($"RabbitMQ at 127.0.0.1:{rabbit.Port} is of no use: it {problem}");
        Assert.False(connection.IsConnected);
        Assert.DoesNotContain(log.Lines, line => line.Contains(Secret, StringComparison.Ordinal));
        Assert.StartsWith("Error: ", Assert.Single(log.Lines));        // once, however often it is tried
    }

    [Fact]
    public async Task RefusedToPublish_SaysSoAndTriesAgain()
    {
        var rabbit = await RabbitServer.GetAsync(RuntimeHost.Cancel);
        var log = new LogKeeper();
        await using var connection = Connect(rabbit.UriOf(RabbitServer.Mute, RabbitServer.Mute), log);
        await connection.WaitUntilConnectedAsync(RuntimeHost.Cancel);

        Assert.True(connection.TrySend(new("@other", new() { Type = "request" }, "[]"u8.ToArray())));
        await log.ExpectAsync("refuses user 'mute' what the cluster needs: ACCESS_REFUSED");
        await RuntimeHost.EventuallyAsync(() => connection.IsConnected, "it connects again");
    }

    [Fact]
    public async Task DocumentedPermissions_AreEnoughForRequestsStreamsAndParking()
    {
        await using var cluster = await ClusterFixture.StartAsync();
        var log = new LogKeeper();
        var uri = cluster.Rabbit.UriOf(RabbitServer.Frugal, RabbitServer.Frugal);
        Task<SiloHost> StartAsync(bool client) => cluster.AddSiloAsync(
            client, options => options.RabbitMq = uri, services: services => services.AddLogging(logging => logging.AddProvider(log)));
        var silo = await StartAsync(client: false);
        var client = await StartAsync(client: true);

        Assert.Equal(1, await client.Grains.GetGrain<IAccountGrain>("a").AddAsync(1));

        var listener = new StreamListener<int>();
        await Stream(client).SubscribeAsync(listener);
        await Stream(silo).OnNextAsync(7);
        await RuntimeHost.EventuallyAsync(() => listener.Heard is ["7#0"], "the event arrives");
        Assert.DoesNotContain(log.Lines, line => line.StartsWith("Error", StringComparison.Ordinal));

        await using var connection = new BrokerConnection(new() { RabbitMq = uri, Exchange = cluster.Exchange }, new Deaf(), TimeProvider.System, log);
        Assert.True(connection.TrySend(new(WireProtocol.Address(silo.Id), new() { Type = "nonsense" }, "x"u8.ToArray())));
        await log.ExpectAsync("A message of type nonsense was parked");
        await RuntimeHost.EventuallyAsync(() => ParkedAsync(cluster).GetAwaiter().GetResult() == 1, "it is in the queue");
        Assert.True(client.Membership.IsConnected && silo.Membership.IsConnected);
    }

    [Fact]
    public async Task UnknownVirtualHost_IsNamed()
    {
        var rabbit = await RabbitServer.GetAsync(RuntimeHost.Cancel);
        var log = new LogKeeper();
        await using var connection = Connect(rabbit.Uri + "nowhere", log);

        await log.ExpectAsync("NOT_ALLOWED - vhost nowhere not found");
    }

    [Fact]
    public async Task NobodyListens_SaysThatItCannotBeReached()
    {
        var log = new LogKeeper();
        await using var connection = Connect($"amqp://guest:{Secret}@127.0.0.1:{FreePorts.Take(1)[0]}/", log);

        await log.ExpectAsync("it cannot be reached: Connection refused");
        Assert.DoesNotContain(log.Lines, line => line.Contains(Secret, StringComparison.Ordinal));
    }

    private static IAsyncStream<int> Stream(SiloHost host) =>
        host.Services.GetRequiredKeyedService<IStreamProvider>("live").GetStream<int>(StreamId.Create("news", "today"));

    private static async Task<uint> ParkedAsync(ClusterFixture cluster)
    {
        await using var connection = await new ConnectionFactory { Uri = new(cluster.Rabbit.Uri) }.CreateConnectionAsync(RuntimeHost.Cancel);
        await using var channel = await connection.CreateChannelAsync(cancellationToken: RuntimeHost.Cancel);
        return await channel.MessageCountAsync($"{cluster.Exchange}.poison", RuntimeHost.Cancel);
    }

    private static BrokerConnection Connect(string uri, LogKeeper log) =>
        new(new ClusterOptions { RabbitMq = uri, Exchange = $"grains-{Guid.NewGuid():N}" }, new Deaf(), TimeProvider.System, log);

    private sealed class Deaf : IBrokerListener
    {
        public IReadOnlyCollection<string> RoutingKeys => ["@us"];

        public void OnDelivered(BasicDeliverEventArgs message)
        {
        }

        public void OnReturned(BasicReturnEventArgs message)
        {
        }

        public void OnDisconnected()
        {
        }
    }
}
