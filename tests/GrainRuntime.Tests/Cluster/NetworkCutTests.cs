using Orleans.Runtime;
using VoiceGrains.ClusterHost;

namespace VoiceGrains.GrainRuntime.Tests.Cluster;

/// <summary>One silo cannot reach the broker any more, and nothing tells it so: no connection is reset, bytes just do not arrive.</summary>
public sealed class NetworkCutTests
{
    [Fact]
    public async Task SiloCutFromTheBroker_GivesItsGrainsUpBeforeOthersTakeThemAndRejoins()
    {
        await using var cluster = await ClusterFixture.StartAsync();
        await using var network = new TcpProxy(cluster.Rabbit.Port);
        await using var cut = await cluster.StartProcessAsync(network, ClusterFixture.HastySettings);
        var client = await cluster.AddSiloAsync(client: true);
        await using var journal = new JournalWriter(client.Grains, "j").Start();
        await journal.GoesOnAsync();
        Assert.Equal(cut.Id, await journal.Grain.WhereAsync());
        // Writes in its silo without being asked: what a silo does that does not know that it is cut off.
        var account = client.Grains.GetGrain<IAccountGrain>("a");
        await account.AddOftenAsync();
        Assert.Equal(cut.Id, await account.WhereAsync());
        var heir = await cluster.AddSiloAsync();

        network.Swallow();
        await RuntimeHost.EventuallyAsync(() => !Members(client).Contains(cut.Id), "the cut silo leaves");
        await SiloDeathTests.RequestUntilServedAsync(() => account.WhereAsync(), heir.Id);
        await journal.GoesOnAsync();
        Assert.Equal(heir.Id, await journal.Grain.WhereAsync());
        var etag = await AccountEtagAsync(cluster);
        await journal.GoesOnAsync();
        Assert.Equal(etag, await AccountEtagAsync(cluster));       // nobody writes it but the one who was asked

        network.Heal();
        await RuntimeHost.EventuallyAsync(() => Members(client) is [_, _], "the cut silo joins again");
        Assert.DoesNotContain(cut.Id, Members(client));
        await journal.GoesOnAsync();
        Assert.Equal(heir.Id, await account.WhereAsync());
        Assert.Equal(etag, await AccountEtagAsync(cluster));
        await heir.Membership.DrainAsync(RuntimeHost.Cancel);
        Assert.NotEqual(heir.Id, await client.Grains.GetGrain<IAccountGrain>("new").WhereAsync());
        await journal.AssertKeptAsync(cluster);
    }

    [Fact]
    public async Task ShortStall_LeavesEveryGrainWhereItIs()
    {
        await using var cluster = await ClusterFixture.StartAsync();
        await using var network = new TcpProxy(cluster.Rabbit.Port);
        await using var silo = await cluster.StartProcessAsync(network);
        var client = await cluster.AddSiloAsync(client: true);
        await using var journal = new JournalWriter(client.Grains, "j").Start();
        await journal.GoesOnAsync();

        network.Swallow();
        var waiting = client.Grains.GetGrain<IAccountGrain>("a").AddAsync(1);
        await Task.Delay(TimeSpan.FromSeconds(1), RuntimeHost.Cancel);     // how long the stall lasts: below the heartbeat's limit
        Assert.False(waiting.IsCompleted);
        network.Heal();

        Assert.Equal(1, await waiting);
        await journal.GoesOnAsync();
        Assert.Equal(silo.Id, await journal.Grain.WhereAsync());
        await journal.AssertKeptAsync(cluster);
    }

    private static List<string> Members(SiloHost host) => [.. host.Membership.ListAsync(RuntimeHost.Cancel).GetAwaiter().GetResult().Select(silo => silo.Id)];

    private static Task<int> AccountEtagAsync(ClusterFixture cluster) => cluster.ScalarAsync<int>("SELECT etag FROM grain_state WHERE grain_type = 'account'");
}
