using System.Collections.Concurrent;
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
    private const int Silos = 3, Grains = 2, Histories = 20, Steps = 120;

    private enum Act
    {
        Acquire,
        Release,
        Write,
        Renew,
        Revive,
        Lapse,
        Leave,
        BeForgotten,
        Join,
    }

    /// <summary>What must have happened in the histories, or they would have shown nothing.</summary>
    private enum Event
    {
        Takeover,
        RefusedClaim,
        ZombieWrite,
        OwnersWrite,
        RevivedOwner,
        RevivedLoser,
        ForgottenOwner,
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
        var events = new ConcurrentDictionary<Event, int>();
        var config = Config.QuickThrowOnFailure.WithMaxTest(Histories);
        await Task.Run(() => Prop.ForAll(steps.ListOf(Steps).ToArbitrary(), history =>
        {
            var world = new World(source, Interlocked.Increment(ref run), events);
            for (var silo = 0; silo < Silos; silo++)
                world.StepAsync(Act.Join, silo, 0).GetAwaiter().GetResult();
            foreach (var (act, (silo, grain)) in history)
                world.StepAsync(Kind(act), silo, grain).GetAwaiter().GetResult();
        }).Check(config), RuntimeHost.Cancel);
        TestContext.Current.TestOutputHelper?.WriteLine(string.Join(", ", events));
        Assert.Equal(Enum.GetValues<Event>(), events.Keys.Order());
    }

    private static Act Kind(int percent) => percent switch
    {
        < 32 => Act.Acquire,
        < 36 => Act.Release,
        < 58 => Act.Write,
        < 61 => Act.Renew,
        < 74 => Act.Lapse,
        < 88 => Act.Revive,
        < 90 => Act.Leave,
        < 92 => Act.BeForgotten,
        _ => Act.Join,
    };

    /// <summary>The model, and the tables beside it.</summary>
    private sealed class World(NpgsqlDataSource source, int run, ConcurrentDictionary<Event, int> events)
    {
        private readonly SiloTable _table = new(source);
        private readonly GrainDirectory _directory = new(source);
        private readonly PostgresStateStore _store = new(source, new ServiceCollection().BuildServiceProvider(), Options.Create(new GrainRuntimeOptions()));
        private readonly string?[] _ids = new string?[Silos];
        // The silos that have a row, and those of them whose lease is valid.
        private readonly HashSet<string> _known = [], _alive = [];
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
            Act.Lapse => LapseAsync(silo, "1 ms"),
            Act.Leave => LeaveAsync(silo),
            Act.BeForgotten => BeForgottenAsync(silo),
            Act.Renew => RenewAsync(silo),
            Act.Revive => ReviveAsync(silo),
            Act.Acquire => AcquireAsync(silo, grain),
            Act.Release => ReleaseAsync(silo, grain),
            _ => WriteAsync(silo, grain),
        };

        private static CancellationToken Cancel => CancellationToken.None;

        private void Count(Event? what)
        {
            if (what is { } one)
                events.AddOrUpdate(one, 1, static (_, count) => count + 1);
        }

        private GrainId Id(int grain) => new("model", $"{run}/{grain}");

        private async Task JoinAsync(int silo)
        {
            if (_ids[silo] is { } former && _alive.Contains(former))
                return;
            var id = $"run{run}-silo{silo}-{++_lives}";
            await _table.InsertAsync(new(id, id, "1", null, [], new Dictionary<string, string>(), ["model"], 0, 10, false, default), TimeSpan.FromMinutes(10), Cancel);
            _ids[silo] = id;
            _known.Add(id);
            _alive.Add(id);
        }

        // It does not know, and goes on believing what it believed: a zombie.
        private async Task LapseAsync(int silo, string ago)
        {
            if (_ids[silo] is not { } id || !_alive.Remove(id))
                return;
            await using var command = source.CreateCommand($"UPDATE silos SET lease_until = clock_timestamp() - interval '{ago}' WHERE id = '{id}'");
            Assert.Equal(1, await command.ExecuteNonQueryAsync());
        }

        private async Task LeaveAsync(int silo)
        {
            if (_ids[silo] is not { } id)
                return;
            await _table.DeleteAsync(id, Cancel);
            _alive.Remove(id);
            _known.Remove(id);
        }

        // Dead for so long that its rows are deleted, and those of silos without a row.
        private async Task BeForgottenAsync(int silo)
        {
            if (_ids[silo] is not { } id || !_alive.Contains(id))
                return;
            await LapseAsync(silo, "1 hour");
            _known.Remove(id);
            await _table.CleanUpAsync(Cancel);
            foreach (var (grain, _) in _owners.Where(owner => !_known.Contains(owner.Value.Silo)).ToArray())
            {
                _owners.Remove(grain);
                Count(Event.ForgottenOwner);
            }
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
            Assert.Equal(_known.Contains(id), await _table.ReviveAsync(id, TimeSpan.FromMinutes(10), Cancel) is not null);
            if (_known.Contains(id) && _alive.Add(id))
            {
                foreach (var belief in _beliefs.Where(belief => belief.Key.Silo == silo && belief.Value.Silo == id))
                    Count(_owners.GetValueOrDefault(belief.Key.Grain) == belief.Value ? Event.RevivedOwner : Event.RevivedLoser);
            }
            var owned = await _directory.OwnedByAsync(id, Cancel);
            Assert.Equal(_owners.Where(owner => owner.Value.Silo == id).Select(owner => Id(owner.Key)).ToHashSet(), owned);
        }

        private async Task AcquireAsync(int silo, int grain)
        {
            if (_ids[silo] is not { } id)
                return;
            var owner = _owners.TryGetValue(grain, out var found) && _alive.Contains(found.Silo) ? found.Silo : null;
            var claim = await _directory.AcquireAsync(Id(grain), id, Cancel);
            Count(claim.Ownership is null ? Event.RefusedClaim : _owners.TryGetValue(grain, out found) && found.Silo != id ? Event.Takeover : null);
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
                Count(Event.OwnersWrite);
            }
            catch (InconsistentStateException)
            {
                Assert.NotEqual(belief, _owners.GetValueOrDefault(grain));
                Count(Event.ZombieWrite);
            }
            var read = await _store.ReadAsync<Value>(address, Cancel);
            Assert.Equal(_states.TryGetValue(grain, out stored) ? stored.Value : null, read?.State.Number);
        }
    }

    private sealed record Value(int Number);
}
