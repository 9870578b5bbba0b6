using VoiceGrains.Tests.Shared;

namespace VoiceGrains.Server.Tests.Outages;

/// <summary>What a gateway and a silo do while RabbitMQ, PostgreSQL or both cannot be reached.</summary>
public sealed class ClusterOutageTests(ClusterBehindProxies cluster) : IClassFixture<ClusterBehindProxies>
{
    private readonly Server silo = cluster.Silo, gateway = cluster.Gateway;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task ABrokerAwayForLongerThanTheLease_CostsALiveCallNothing_AndRefusesNewOnes(bool connectionsHang)
    {
        await using var talk = await Conversation.StartAsync(gateway);
        await talk.TakeTurnAsync();

        if (connectionsHang) cluster.ToBroker.Swallow();
        else cluster.ToBroker.Cut();
        await Task.WhenAll(gateway.AssertNoNewCallAsync("silo_unavailable"), silo.AssertNoNewCallAsync("silo_unavailable"));
        await gateway.UntilMissingAsync("broker", "cluster");
        await silo.UntilMissingAsync("broker", "cluster");
        await talk.TakeTurnAsync();
        await silo.UntilAsync(async () => (await cluster.SilosAsync() == 0, ""), "the silo has given up its grains");
        await Task.WhenAll(gateway.AssertNoNewCallAsync("silo_unavailable"), silo.AssertNoNewCallAsync("silo_unavailable"));
        Assert.Equal(200, (await gateway.Api.GetAsync($"/api/calls/{talk.CallId}")).Status);      // what only reads needs no broker
        await talk.TakeTurnAsync();
        await talk.HangUpAsync();
        await silo.UntilMetricAsync("voicegrains_calls_ends_waiting", 1);

        cluster.ToBroker.Heal();
        await silo.UntilReadyAsync();
        await gateway.UntilReadyAsync();
        await talk.AssertStoredAsync();
        await silo.UntilMetricAsync("voicegrains_calls_ends_waiting", 0);
        await using var next = await Conversation.StartAsync(gateway);
    }

    [Fact]
    public async Task ADatabaseAwayForLongerThanTheLease_CostsALiveCallNothing()
    {
        await using var talk = await Conversation.StartAsync(gateway);
        await talk.TakeTurnAsync();

        cluster.ToDatabase.Swallow();
        await gateway.UntilMissingAsync("database");
        await silo.UntilMissingAsync("database", "cluster");
        await Task.WhenAll(gateway.AssertNoNewCallAsync("database_unavailable"), silo.AssertNoNewCallAsync("database_unavailable"));
        await talk.TakeTurnAsync();
        await talk.HangUpAsync();
        await silo.UntilMetricAsync("voicegrains_calls_ends_waiting", 1);

        cluster.ToDatabase.Heal();
        await silo.UntilReadyAsync();
        await gateway.UntilReadyAsync();
        await talk.AssertStoredAsync();
        await using var next = await Conversation.StartAsync(gateway);
    }

    [Fact]
    public async Task AGatewayStartedBeforeItsServers_IsLiveAndSaysWhatIsMissing_AndServesWhenTheyAreThere()
    {
        await using var database = new TcpProxy(cluster.ToDatabase.Port);
        await using var broker = new TcpProxy(cluster.ToBroker.Port);
        database.Cut();
        broker.Cut();
        await using var early = await cluster.StartGatewayAsync("early", database, broker);
        await early.UntilMissingAsync("database", "broker", "cluster");
        await early.AssertNoNewCallAsync("database_unavailable");
        Assert.Contains("The database does not answer", early.Process.Printed, StringComparison.Ordinal);
        Assert.Contains("RabbitMQ", early.Process.Printed, StringComparison.Ordinal);

        database.Heal();
        await early.UntilMissingAsync("broker", "cluster");
        await early.AssertNoNewCallAsync("silo_unavailable");
        broker.Heal();
        await early.UntilReadyAsync();
        await using var talk = await Conversation.StartAsync(early);
    }
}
