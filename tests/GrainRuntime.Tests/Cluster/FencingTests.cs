using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Npgsql;
using Orleans.Storage;
using VoiceGrains.GrainRuntime.Activations;
using VoiceGrains.GrainRuntime.Cluster;
using VoiceGrains.GrainRuntime.Directory;
using VoiceGrains.GrainRuntime.Storage;

namespace VoiceGrains.GrainRuntime.Tests.Cluster;

/// <summary>A write and a takeover of the same grain at the same time.</summary>
public sealed class FencingTests
{
    private static readonly GrainId Grain = new("fenced", "g");
    private static readonly StateAddress Address = new("fenced", "g", "value");

    [Fact]
    public async Task TakeoverDuringAWrite_WaitsForItAndReadsIt()
    {
        await using var database = await CreateDatabaseAsync();
        await using var source = NpgsqlDataSource.Create(database.ConnectionString);
        var (directory, gate) = (new GrainDirectory(source), new Gate(sleeps: false));
        var (store, former) = await StartAsync(source, directory, gate);

        var write = store.WriteAsync(Address, new Value(1), null, former, RuntimeHost.Cancel);
        await gate.Reached.WaitAsync(RuntimeHost.Cancel);
        await LapseAsync(source, "former");
        var takeover = directory.AcquireAsync(Grain, "heir", RuntimeHost.Cancel);
        await RuntimeHost.EventuallyAsync(() => IsWaitingAsync(source).GetAwaiter().GetResult(), "the heir waits for the lock");
        Assert.False(takeover.IsCompleted);
        gate.Open();

        Assert.Equal(1, await write);
        Assert.Equal("heir", (await takeover).Ownership!.Value.Silo);
        Assert.Equal(new Value(1), (await store.ReadAsync<Value>(Address, RuntimeHost.Cancel))?.State);
        await Assert.ThrowsAsync<InconsistentStateException>(() => store.WriteAsync(Address, new Value(2), 1, former, RuntimeHost.Cancel));
        Assert.Equal(new Value(1), (await store.ReadAsync<Value>(Address, RuntimeHost.Cancel))?.State);
    }

    [Fact]
    public async Task WriterThatFallsAsleepInItsTransaction_HoldsTheGrainForTwoSecondsOnly()
    {
        await using var database = await CreateDatabaseAsync();
        await using var source = NpgsqlDataSource.Create(database.ConnectionString);
        var (directory, gate) = (new GrainDirectory(source), new Gate(sleeps: true));
        var (store, former) = await StartAsync(source, directory, gate);

        var write = store.WriteAsync(Address, new Value(1), null, former, RuntimeHost.Cancel);
        await gate.Reached.WaitAsync(RuntimeHost.Cancel);
        await LapseAsync(source, "former");
        var heir = (await directory.AcquireAsync(Grain, "heir", RuntimeHost.Cancel)).Ownership;       // while the writer sleeps
        gate.Open();

        await Assert.ThrowsAnyAsync<NpgsqlException>(() => write);
        Assert.Null(await store.ReadAsync<Value>(Address, RuntimeHost.Cancel));
        Assert.Equal(1, await store.WriteAsync(Address, new Value(2), null, heir, RuntimeHost.Cancel));
    }

    private static async Task<TestDatabase> CreateDatabaseAsync()
    {
        var database = await PostgresServer.CreateDatabaseAsync(RuntimeHost.Cancel);
        await using (await RuntimeHost.StartAsync(database))
        {
            // Applies the migrations.
        }
        return database;
    }

    // Two silos, of which the first owns the grain; its writes stop at the gate before they are committed.
    private static async Task<(PostgresStateStore Store, GrainOwnership Former)> StartAsync(NpgsqlDataSource source, GrainDirectory directory, Gate gate)
    {
        var table = new SiloTable(source);
        foreach (var id in new[] { "former", "heir" })
            await table.InsertAsync(new(id, id, "1", null, [], new Dictionary<string, string>(), ["fenced"], 0, 10, false, default), TimeSpan.FromMinutes(10), RuntimeHost.Cancel);
        var services = new ServiceCollection().AddSingleton<IStateProjection<Value>>(gate).BuildServiceProvider();
        var store = new PostgresStateStore(source, services, Options.Create(new GrainRuntimeOptions()));
        return (store, (await directory.AcquireAsync(Grain, "former", RuntimeHost.Cancel)).Ownership!.Value);
    }

    private static async Task LapseAsync(NpgsqlDataSource source, string silo)
    {
        await using var command = source.CreateCommand($"UPDATE silos SET lease_until = clock_timestamp() - interval '1 ms' WHERE id = '{silo}'");
        Assert.Equal(1, await command.ExecuteNonQueryAsync(RuntimeHost.Cancel));
    }

    private static async Task<bool> IsWaitingAsync(NpgsqlDataSource source)
    {
        await using var command = source.CreateCommand("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'");
        return (long)(await command.ExecuteScalarAsync(RuntimeHost.Cancel))! == 1;
    }

    private sealed record Value(int Number);

    // A writer that does not sleep says something now and then, however slow the machine is that lets it wait.
    private sealed class Gate(bool sleeps) : IStateProjection<Value>
    {
        private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously), _open = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Reached => _reached.Task;

        public void Open() => _open.SetResult();

        public async Task ProjectAsync(NpgsqlConnection connection, NpgsqlTransaction transaction, string grainKey, Value? state, CancellationToken cancellationToken)
        {
            _reached.TrySetResult();
            await using var saySomething = new NpgsqlCommand("SELECT 1", connection, transaction);
            while (!sleeps && await Task.WhenAny(_open.Task, Task.Delay(100, cancellationToken)) != _open.Task)
                await saySomething.ExecuteNonQueryAsync(cancellationToken);
            await _open.Task;
        }
    }
}
