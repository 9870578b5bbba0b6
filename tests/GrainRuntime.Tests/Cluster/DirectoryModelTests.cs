using FsCheck;
using FsCheck.Fluent;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Npgsql;
using Orleans.Storage;
using VoiceGrains.GrainRuntime.Activations;
using VoiceGrains.GrainRuntime.Cluster;
using VoiceGrains.GrainRuntime.Directory;
using VoiceGrains.GrainRuntime.Storage;

namespace VoiceGrains.GrainRuntime.Tests.Cluster;

/// <summary>The rules of directory and fencing, held against a model for any history of a few silos and grains. The SQL is the real one.</summary>
public sealed class DirectoryModelTests
{
    private const int Silos = 3, Grains = 2;

    private enum Act
    {
        Acquire,
        Release,
        Write,
        Renew,
        Revive,
        Die,
        Join,
    }

    [Fact]
    public async Task AnyHistory_HasOneOwnerPerGrainAndOnlyItWrites()
    {
        await using var database = await PostgresServer.CreateDatabaseAsync(RuntimeHost.Cancel);
        await using (await RuntimeHost.StartAsync(database))
        {
            // Applies the migrations.
        }
        await using var source = NpgsqlDataSource.Create(database.ConnectionString);
        var steps = Gen.Zip(Gen.Choose(0, 99), Gen.Zip(Gen.Choose(0, Silos - 1), Gen.Choose(0, Grains - 1)));
        var run = 0;
        var config = Config.QuickThrowOnFailure.WithMaxTest(40).WithEndSize(60);
        await Task.Run(() => Prop.ForAll(steps.ListOf().ToArbitrary(), history =>
        {
            var world = new World(source, Interlocked.Increment(ref run));
            foreach (var (act, (silo, grain)) in history)
                world.StepAsync(Kind(act), silo, grain).GetAwaiter().GetResult();
        }).Check(config), RuntimeHost.Cancel);
    }

    private static Act Kind(int percent) => percent switch
    {
        < 35 => Act.Acquire,
        < 45 => Act.Release,
        < 75 => Act.Write,
        < 80 => Act.Renew,
        < 88 => Act.Die,
        < 92 => Act.Revive,
        _ => Act.Join,
    };

    /// <summary>The model, and the tables beside it.</summary>
    private sealed class World(NpgsqlDataSource source, int run)
    {
        private readonly SiloTable _table = new(source);
        private readonly GrainDirectory _directory = new(source);
        private readonly PostgresStateStore _store = new(source, new ServiceCollection().BuildServiceProvider(), Options.Create(new GrainRuntimeOptions()));
        private readonly string?[] _ids = new string?[Silos];
        private readonly HashSet<string> _alive = [];
        private readonly Dictionary<int, GrainOwnership> _owners = [];
        // What each silo believes that it owns: it may be long outdated.
        private readonly Dictionary<(int Silo, int Grain), GrainOwnership> _beliefs = [];
        private readonly Dictionary<int, (int Value, int Etag)> _states = [];
        private int _lives;
        private long _lastEpoch;
        private int _written;

        public Task StepAsync(Act act, int silo, int grain) => act switch
        {
            Act.Join => JoinAsync(silo),
            Act.Die => DieAsync(silo),
            Act.Renew => RenewAsync(silo),
            Act.Revive => ReviveAsync(silo),
            Act.Acquire => AcquireAsync(silo, grain),
            Act.Release => ReleaseAsync(silo, grain),
            _ => WriteAsync(silo, grain),
        };

        private static CancellationToken Cancel => CancellationToken.None;

        private GrainId Id(int grain) => new("model", $"{run}/{grain}");

        private async Task JoinAsync(int silo)
        {
            if (_ids[silo] is { } former && _alive.Contains(former))
                return;
            var id = $"run{run}-silo{silo}-{++_lives}";
            await _table.InsertAsync(new(id, id, "1", null, [], new Dictionary<string, string>(), ["model"], 0, 10, false, default), TimeSpan.FromMinutes(10), Cancel);
            _ids[silo] = id;
            _alive.Add(id);
        }

        // Its lease lapses; it does not know.
        private async Task DieAsync(int silo)
        {
            if (_ids[silo] is not { } id || !_alive.Remove(id))
                return;
            await using var command = source.CreateCommand($"UPDATE silos SET lease_until = clock_timestamp() - interval '1 ms' WHERE id = '{id}'");
            Assert.Equal(1, await command.ExecuteNonQueryAsync());
        }

        private async Task RenewAsync(int silo)
        {
            if (_ids[silo] is { } id)
                Assert.Equal(_alive.Contains(id), await _table.RenewAsync(id, TimeSpan.FromMinutes(10), 0, false, Cancel) is not null);
        }

        // What nobody has taken meanwhile is still its own.
        private async Task ReviveAsync(int silo)
        {
            if (_ids[silo] is not { } id)
                return;
            Assert.NotNull(await _table.ReviveAsync(id, TimeSpan.FromMinutes(10), Cancel));
            _alive.Add(id);
            var owned = await _directory.OwnedByAsync(id, Cancel);
            Assert.Equal(_owners.Where(owner => owner.Value.Silo == id).Select(owner => Id(owner.Key)).ToHashSet(), owned);
        }

        private async Task AcquireAsync(int silo, int grain)
        {
            if (_ids[silo] is not { } id)
                return;
            var owner = _owners.TryGetValue(grain, out var found) && _alive.Contains(found.Silo) ? found.Silo : null;
            var claim = await _directory.AcquireAsync(Id(grain), id, Cancel);
            if (_alive.Contains(id) && (owner is null || owner == id))
            {
                Assert.Equal(id, claim.Ownership!.Value.Silo);
                Assert.True(claim.Ownership.Value.Epoch > _lastEpoch);
                _lastEpoch = claim.Ownership.Value.Epoch;
                _owners[grain] = _beliefs[(silo, grain)] = claim.Ownership.Value;
            }
            else
            {
                Assert.Null(claim.Ownership);
                Assert.Equal(owner, claim.Owner);
            }
        }

        private async Task ReleaseAsync(int silo, int grain)
        {
            if (!_beliefs.Remove((silo, grain), out var belief))
                return;
            await _directory.ReleaseAsync(Id(grain), belief, Cancel);
            if (_owners.GetValueOrDefault(grain) == belief)
                _owners.Remove(grain);
        }

        private async Task WriteAsync(int silo, int grain)
        {
            if (!_beliefs.TryGetValue((silo, grain), out var belief))
                return;
            var address = new StateAddress("model", Id(grain).Key, "value");
            int? etag = _states.TryGetValue(grain, out var stored) ? stored.Etag : null;       // even with the right version
            var value = ++_written;
            try
            {
                var next = await _store.WriteAsync(address, new Value(value), etag, belief, Cancel);
                Assert.Equal(belief, _owners.GetValueOrDefault(grain));
                _states[grain] = (value, next);
            }
            catch (InconsistentStateException)
            {
                Assert.NotEqual(belief, _owners.GetValueOrDefault(grain));
            }
            var read = await _store.ReadAsync<Value>(address, Cancel);
            Assert.Equal(_states.TryGetValue(grain, out stored) ? stored.Value : null, read?.State.Number);
        }
    }

    private sealed record Value(int Number);
}
