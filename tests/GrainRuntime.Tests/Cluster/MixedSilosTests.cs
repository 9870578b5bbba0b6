using Microsoft.Extensions.DependencyInjection;
using Orleans.Runtime;
using VoiceGrains.ClusterHost;
using VoiceGrains.GrainRuntime.Cluster;
using VoiceGrains.GrainRuntime.Tests.Calls;

namespace VoiceGrains.GrainRuntime.Tests.Cluster;

/// <summary>Silos that are not alike: of two versions, with wrong clocks, and the rows of one that is long dead.</summary>
public sealed class MixedSilosTests
{
    [Fact]
    public async Task GrainTypeOfANewVersion_IsActivatedOnlyByTheSilosThatKnowIt()
    {
        await using var cluster = await ClusterFixture.StartAsync();
        var old = await cluster.AddSiloAsync(name: "old");
        var next = await cluster.AddSiloAsync(name: "new", services: AddNewGrains);
        var client = await cluster.AddSiloAsync(client: true, services: AddNewGrains);
        await RuntimeHost.EventuallyAsync(() => client.Services.GetRequiredService<ClusterMembership>().View.Silos.Count == 2, "the client knows both");

        await Task.WhenAll(Enumerable.Range(0, 20).Select(number => client.Grains.GetGrain<ICounterGrain>($"c{number}").GetAsync()));
        var places = await Task.WhenAll(Enumerable.Range(0, 40).Select(number => client.Grains.GetGrain<IAccountGrain>($"a{number}").WhereAsync()));

        Assert.Equal(next.Id, await cluster.ScalarAsync<string>("SELECT string_agg(DISTINCT silo, ' ') FROM grain_directory WHERE grain_type = 'counter'"));
        Assert.Equal(new[] { old.Id, next.Id }.Order(), places.Distinct().Order());

        await next.StopAsync();     // as when a roll-out is taken back
        var unknown = await Assert.ThrowsAsync<SiloUnavailableException>(() => client.Grains.GetGrain<ICounterGrain>("c0").GetAsync());
        Assert.Contains("No silo of the cluster knows the grain type 'counter'", unknown.Message);
        Assert.Equal(old.Id, await client.Grains.GetGrain<IAccountGrain>("a0").WhereAsync());
    }

    [Fact]
    public async Task RowsOfDeadSilos_HoldGrainsNoLongerThanTheirLease()
    {
        await using var cluster = await ClusterFixture.StartAsync();
        var silo = await cluster.AddSiloAsync();
        await cluster.ExecuteAsync(
            """
            INSERT INTO silos (id, name, version, roles, labels, grain_types, max_activations, draining, lease_until)
            SELECT id, id, '1', '{}', '{}', '{account}', 10, false, clock_timestamp() + lease
            FROM (VALUES ('lapsed', interval '-1 minute'), ('lapses-soon', interval '3 s')) AS ghosts (id, lease);
            INSERT INTO grain_directory (grain_type, grain_key, silo, epoch)
            SELECT 'account', silo, silo, nextval('grain_epochs') FROM unnest(ARRAY['forgotten', 'lapsed', 'lapses-soon']) AS ghosts (silo);
            """);
        var last = await cluster.ScalarAsync<long>("SELECT max(epoch) FROM grain_directory");

        foreach (var key in new[] { "forgotten", "lapsed", "lapses-soon" })
            Assert.Equal(1, await silo.Grains.GetGrain<IAccountGrain>(key).AddAsync(1));

        Assert.True(await cluster.ScalarAsync<bool>("SELECT lease_until <= clock_timestamp() FROM silos WHERE id = 'lapses-soon'"));
        Assert.Equal(3L, await cluster.ScalarAsync<long>($"SELECT count(*) FROM grain_directory WHERE silo = '{silo.Id}' AND epoch > {last}"));
        Assert.Equal(["activated forgotten", "activated lapsed", "activated lapses-soon"], silo.Probe.Log);
    }

    [Fact]
    public async Task ClocksThatDifferByTwoMinutes_ChangeNothing()
    {
        await using var cluster = await ClusterFixture.StartAsync();
        await using var ahead = await cluster.StartProcessAsync("--ClockSkewSeconds=60");
        await using var behind = await cluster.StartProcessAsync("--ClockSkewSeconds=-60");
        var client = await cluster.AddSiloAsync(client: true);
        await RuntimeHost.EventuallyAsync(() => client.Services.GetRequiredService<ClusterMembership>().View.Silos.Count == 2, "the client knows both");
        // Which of two silos of equal load takes a grain is chance: as many as it takes for both to have some.
        List<JournalWriter> journals = [];
        List<string> places = [];
        while (journals.Count < 6 || (journals.Count < 40 && places.Distinct().Count() < 2))
        {
            journals.Add(new JournalWriter(client.Grains, $"j{journals.Count}").Start());
            places.Add(await journals[^1].Grain.WhereAsync());
        }
        Assert.Equal(new[] { ahead.Id, behind.Id }.Order(), places.Distinct().Order());

        // Longer than a lease (6 s): nobody takes a neighbour for dead because of its own clock.
        var later = await cluster.ScalarAsync<DateTime>("SELECT clock_timestamp() + interval '13 s'");
        await RuntimeHost.EventuallyAsync(
            () => cluster.ScalarAsync<bool>($"SELECT min(lease_until) > '{later:O}' FROM silos").GetAwaiter().GetResult(), "both go on renewing their leases");
        Assert.Equal(places, await Task.WhenAll(journals.Select(journal => journal.Grain.WhereAsync())));

        ahead.Kill();
        foreach (var journal in journals)
        {
            await SiloDeathTests.RequestUntilServedAsync(journal.Grain.WhereAsync, behind.Id);
            await journal.AssertKeptAsync(cluster);
        }
    }

    private static void AddNewGrains(IServiceCollection services) => services.AddGrains(typeof(CounterGrain).Assembly);
}
