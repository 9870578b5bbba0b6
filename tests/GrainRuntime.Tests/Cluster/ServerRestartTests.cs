using Orleans.Runtime;
using VoiceGrains.ClusterHost;

namespace VoiceGrains.GrainRuntime.Tests.Cluster;

/// <summary>The servers go away and come back under running silos.</summary>
public sealed class ServerRestartTests
{
    // Started once; each test leaves it running.
    private static readonly Lazy<Task<RabbitServer>> Own = new(RabbitServer.StartAsync);

    [Fact]
    public async Task RestartedBroker_FindsItsSilosBoundAgainWithTheirGrainsInMemory()
    {
        var rabbit = await Own.Value;
        await using var cluster = await ClusterFixture.StartAsync(rabbit);
        // The lease outlasts the restart, so nobody has to give anything up.
        var silo = await cluster.AddSiloAsync(options: options => options.Lease = TimeSpan.FromMinutes(2));
        var client = await cluster.AddSiloAsync(client: true);
        var grain = client.Grains.GetGrain<IAccountGrain>("a");
        Assert.Equal(1, await grain.AddAsync(1));
        var inFlight = client.Grains.GetGrain<IAccountGrain>("busy").WaitAsync(RuntimeHost.Cancel);
        await silo.Probe.ExpectAsync("activated a");
        await silo.Probe.ExpectAsync("activated busy");
        await silo.Probe.ExpectAsync("waiting");
        await using var journal = new JournalWriter(client.Grains, "j").Start();
        await journal.GoesOnAsync();

        await rabbit.KillAsync();
        await Assert.ThrowsAsync<SiloUnavailableException>(() => inFlight);
        Assert.False(client.Membership.IsConnected);
        var whileAway = silo.Grains.GetGrain<IAccountGrain>("a").LengthAsync("local");      // needs no broker
        Assert.Equal(5, await whileAway);
        await rabbit.StartBrokerAsync();
        await RuntimeHost.EventuallyAsync(() => client.Membership.IsConnected && silo.Membership.IsConnected, "both are connected again");

        Assert.Equal(3, await grain.LengthAsync("abc"));
        await journal.GoesOnAsync();
        await journal.AssertKeptAsync(cluster);
        Assert.Single(silo.Probe.Log, line => line == "activated a");
    }

    [Fact]
    public async Task DatabaseAwayForLongerThanTheLease_LeavesGrainsInMemoryAndServesAgainWhenItIsBack()
    {
        await using var cluster = await ClusterFixture.StartAsync();
        var silo = await cluster.AddSiloAsync(options: ClusterFixture.Hasty);
        var former = silo.Id;
        var grain = silo.Grains.GetGrain<IAccountGrain>("a");
        Assert.Equal(1, await grain.AddAsync(1));
        await using var journal = new JournalWriter(silo.Grains, "j").Start();
        await journal.GoesOnAsync();

        await using (await cluster.CutDatabaseAsync())
        {
            await RuntimeHost.EventuallyAsync(() => silo.Membership.LocalSilo is null, "the lease lapses");
            await Assert.ThrowsAsync<SiloUnavailableException>(() => grain.AddAsync(1));
        }
        await RuntimeHost.EventuallyAsync(() => silo.Membership.IsConnected, "the lease is valid again");

        Assert.Equal(former, silo.Id);
        Assert.Equal(2, await grain.AddAsync(1));
        await journal.GoesOnAsync();
        await journal.AssertKeptAsync(cluster);
        Assert.Single(silo.Probe.Log, line => line == "activated a");
    }

    [Fact]
    public async Task BrokerAwayForLongerThanTheLease_MakesTheSiloGiveUpItsGrainsAndJoinAnew()
    {
        var rabbit = await Own.Value;
        await using var cluster = await ClusterFixture.StartAsync(rabbit);
        var silo = await cluster.AddSiloAsync(options: ClusterFixture.Hasty);
        var former = silo.Id;
        Assert.Equal(1, await silo.Grains.GetGrain<IAccountGrain>("a").AddAsync(1));
        await using var journal = new JournalWriter(silo.Grains, "j").Start();
        await journal.GoesOnAsync();

        await rabbit.KillAsync();
        await RuntimeHost.EventuallyAsync(() => silo.Membership.LocalSilo is null, "the silo leaves");
        Assert.Equal(0L, await cluster.ScalarAsync<long>("SELECT count(*) FROM silos"));
        await Assert.ThrowsAsync<SiloUnavailableException>(() => silo.Grains.GetGrain<IAccountGrain>("a").WhereAsync());
        await rabbit.StartBrokerAsync();
        await RuntimeHost.EventuallyAsync(() => silo.Membership.IsConnected, "the silo joins again");

        Assert.NotEqual(former, silo.Id);
        Assert.Equal(2, await silo.Grains.GetGrain<IAccountGrain>("a").AddAsync(1));
        await journal.GoesOnAsync();
        await journal.AssertKeptAsync(cluster);
    }
}
