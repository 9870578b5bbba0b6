using RabbitMQ.Client.Events;
using VoiceGrains.GrainRuntime.Cluster;
using VoiceGrains.GrainRuntime.RabbitMq;

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
        await using var connection = Connect($"amqp://guest:{Secret}@127.0.0.1:{PostgresServer.FreePort()}/", log);

        await log.ExpectAsync("it cannot be reached: Connection refused");
        Assert.DoesNotContain(log.Lines, line => line.Contains(Secret, StringComparison.Ordinal));
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
