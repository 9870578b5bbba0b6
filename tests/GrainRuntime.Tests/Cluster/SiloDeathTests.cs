using System.Diagnostics;
using Orleans;
using Orleans.Runtime;
using VoiceGrains.ClusterHost;

namespace VoiceGrains.GrainRuntime.Tests.Cluster;

/// <summary>Silos in processes of their own that die, or look as if.</summary>
public sealed class SiloDeathTests
{
    private const string AccountEtag = "SELECT etag FROM grain_state WHERE grain_type = 'account'";
    private static readonly TimeSpan TakeoverLimit = TimeSpan.FromSeconds(10);

    [Fact]
    public Task KilledSilo_ItsGrainsAreElsewhereWithinTenSeconds() => MachineStalls.RetryAsync(KillAsync);

    private static async Task KillAsync()
    {
        using var stalls = new MachineStalls();
        await using var cluster = await ClusterFixture.StartAsync();
        await using var doomed = await cluster.StartProcessAsync();
        var client = await cluster.AddSiloAsync(client: true);
        var grain = client.Grains.GetGrain<IAccountGrain>("a");
        Assert.Equal(5, await grain.AddAsync(5));
        Assert.Equal(doomed.Id, await grain.WhereAsync());
        var waiting = grain.WaitAsync(RuntimeHost.Cancel);
        await using var journal = new JournalWriter(client.Grains, "j").Start();
        await journal.GoesOnAsync();
        var heir = await cluster.AddSiloAsync();

        doomed.Kill();
        var killed = Stopwatch.GetTimestamp();

        await RequestUntilServedAsync(() => grain.WhereAsync(), heir.Id);
        var killedFor = Stopwatch.GetElapsedTime(killed);
        stalls.Measure(() => Assert.InRange(killedFor, TimeSpan.Zero, TakeoverLimit));
        Assert.Equal(6, await grain.AddAsync(1));
        var lost = await Assert.ThrowsAsync<SiloUnavailableException>(() => waiting);       // it may have been done: nobody does it again
        Assert.Contains("not known", lost.Message);
        Assert.Equal(heir.Id, Assert.Single(await client.Membership.ListAsync(RuntimeHost.Cancel)).Id);
        await journal.GoesOnAsync();
        await journal.AssertKeptAsync(cluster);
    }

    [Fact]
    public Task SiloStoppedForLongerThanItsLease_CannotWriteWhenItWakes() => MachineStalls.RetryAsync(FreezeAsync);

    private static async Task FreezeAsync()
    {
        using var stalls = new MachineStalls();
        await using var cluster = await ClusterFixture.StartAsync();
        await using var zombie = await cluster.StartProcessAsync();
        var client = await cluster.AddSiloAsync(client: true);
        var grain = client.Grains.GetGrain<IAccountGrain>("a");
        Assert.Equal(1, await grain.AddAsync(1));
        await grain.AddOftenAsync();        // goes on adding in its silo, asked or not
        await using var journal = new JournalWriter(client.Grains, "j").Start();
        await journal.GoesOnAsync();
        var heir = await cluster.AddSiloAsync();

        zombie.Stop();
        var stopped = Stopwatch.GetTimestamp();
        await RequestUntilServedAsync(() => grain.WhereAsync(), heir.Id);
        var stoppedFor = Stopwatch.GetElapsedTime(stopped);
        stalls.Measure(() => Assert.InRange(stoppedFor, TimeSpan.Zero, TakeoverLimit + TimeSpan.FromSeconds(2)));
        var total = await grain.AddAsync(1);
        var etag = await cluster.ScalarAsync<int>(AccountEtag);

        zombie.Continue();
        await RuntimeHost.EventuallyAsync(() => IsBack(client, zombie.Id), "the zombie is a member again");

        Assert.Equal(etag, await cluster.ScalarAsync<int>(AccountEtag));
        Assert.Equal(total + 1, await grain.AddAsync(1));
        Assert.Equal(heir.Id, await grain.WhereAsync());
        await journal.GoesOnAsync();
        await journal.AssertKeptAsync(cluster);
        Assert.Equal(heir.Id, await cluster.ScalarAsync<string>("SELECT silo FROM grain_directory WHERE grain_type = 'account'"));
    }

    [Fact]
    public Task RemindersOfADeadSilo_AreTakenOverWithinTenSeconds() => MachineStalls.RetryAsync(KillTheirSiloAsync);

    private static async Task KillTheirSiloAsync()
    {
        using var stalls = new MachineStalls();
        await using var cluster = await ClusterFixture.StartAsync();
        // A minute ahead: by its own clock every reminder would be due and every lease over.
        await using var doomed = await cluster.StartProcessAsync("--ClockSkewSeconds=60");
        var client = await cluster.AddSiloAsync(client: true);
        for (var number = 0; number < 10; number++)
            await client.Grains.GetGrain<IBellGrain>($"b{number}").SetAsync(TimeSpan.FromSeconds(5), TimeSpan.FromHours(1));
        var heir = await cluster.AddSiloAsync();

        doomed.Kill();
        var killed = Stopwatch.GetTimestamp();

        await RuntimeHost.EventuallyAsync(() => heir.Probe.Log.Count(line => line.StartsWith("rang", StringComparison.Ordinal)) == 10, "all bells ring");
        var killedFor = Stopwatch.GetElapsedTime(killed);
        stalls.Measure(() => Assert.InRange(killedFor, TimeSpan.Zero, TakeoverLimit + TimeSpan.FromSeconds(5)));
        Assert.Equal(10, heir.Probe.Log.Where(line => line.StartsWith("rang", StringComparison.Ordinal)).Distinct().Count());
    }

    // A request that the dead silo had already been given is lost, and says so.
    internal static async Task RequestUntilServedAsync(Func<Task<string>> request, string expected)
    {
        var started = Stopwatch.GetTimestamp();
        while (true)
        {
            try
            {
                Assert.Equal(expected, await request());
                return;
            }
            catch (SiloUnavailableException) when (Stopwatch.GetElapsedTime(started) < 2 * TakeoverLimit)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(100), RuntimeHost.Cancel);
            }
        }
    }

    private static bool IsBack(SiloHost client, string id)
    {
        var members = client.Membership.ListAsync(RuntimeHost.Cancel).GetAwaiter().GetResult();
        return members.Any(silo => silo.Id == id && silo.Activations == 0);
    }
}
