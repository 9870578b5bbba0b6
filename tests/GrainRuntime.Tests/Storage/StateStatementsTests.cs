using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Orleans.Storage;
using VoiceGrains.GrainRuntime.Storage;
using VoiceGrains.Tests.Shared;

namespace VoiceGrains.GrainRuntime.Tests.Storage;

/// <summary>Statements that are sent with the state's own, as a transaction of their own or, beside a projection, in one.</summary>
public sealed class StateStatementsTests
{
    private static readonly StateAddress Address = new("lines", "k", "lines");

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Statements_AreStoredWithTheStateOrNotAtAll(bool besideProjection)
    {
        await using var database = await PostgresServer.CreateDatabaseAsync(RuntimeHost.Cancel);
        await using var host = await RuntimeHost.StartAsync(database, services: services =>
        {
            services.AddMigrations(typeof(StateStatementsTests).Assembly, "tests", order: 10).AddSingleton<IStateStatements<LineState>, LineStatements>();
            if (besideProjection) services.AddSingleton<IStateProjection<LineState>, Nothing>();
        });
        var source = host.Services.GetRequiredService<NpgsqlDataSource>();
        var store = host.Services.GetRequiredService<IGrainStateStore>();

        Assert.Equal(1, await WriteAsync("new", null));
        Assert.Equal(("new", "new"), await StoredAsync());
        Assert.Equal(2, await WriteAsync("newer", 1));
        Assert.Equal(("newer", "newer"), await StoredAsync());

        // Lost races: there is one already, another version is stored, and the same where the statement would have failed as well.
        foreach (var (text, etag) in new (string, int?)[] { ("lost", null), ("lost", 1), (LineStatements.Refused, null), (LineStatements.Refused, 1) })
        {
            var conflict = await Assert.ThrowsAsync<InconsistentStateException>(() => WriteAsync(text, etag));
            Assert.Equal("2", conflict.StoredEtag);
            Assert.Equal(("newer", "newer"), await StoredAsync());
        }

        // A statement that fails takes the state with it.
        Assert.Equal(PostgresErrorCodes.NotNullViolation, (await Assert.ThrowsAsync<PostgresException>(() => WriteAsync(LineStatements.Refused, 2))).SqlState);
        Assert.Equal(("newer", "newer"), await StoredAsync());

        await Assert.ThrowsAsync<InconsistentStateException>(() => store.ClearAsync<LineState>(Address, 1, ownership: null, RuntimeHost.Cancel));
        Assert.Equal(("newer", "newer"), await StoredAsync());
        await Assert.ThrowsAsync<InconsistentStateException>(() => store.ClearAsync<LineState>(Address, null, ownership: null, RuntimeHost.Cancel));
        Assert.Equal(("newer", "newer"), await StoredAsync());
        await store.ClearAsync<LineState>(Address, 2, ownership: null, RuntimeHost.Cancel);
        Assert.Equal((null, null), await StoredAsync());

        // The first write is a transaction of its own without projections, and fails whole as well.
        await Assert.ThrowsAsync<PostgresException>(() => WriteAsync(LineStatements.Refused, null));
        Assert.Equal((null, null), await StoredAsync());

        Task<int> WriteAsync(string text, int? etag) => store.WriteAsync(Address, new LineState(text), etag, ownership: null, RuntimeHost.Cancel);

        async Task<(string? State, string? Row)> StoredAsync()
        {
            await using var command = source.CreateCommand("SELECT text FROM notes WHERE key = 'k'");
            return ((await store.ReadAsync<LineState>(Address, RuntimeHost.Cancel))?.State.Text, (string?)await command.ExecuteScalarAsync(RuntimeHost.Cancel));
        }
    }

    private sealed record LineState(string Text)
    {
        public LineState() : this("")
        {
        }
    }

    private sealed class LineStatements : IStateStatements<LineState>
    {
        public const string Refused = "refused by the table";

        public IEnumerable<NpgsqlBatchCommand> Of(string grainKey, LineState? state)
        {
            yield return state is null
                ? new("DELETE FROM notes WHERE key = $1") { Parameters = { new() { Value = grainKey } } }
                : new("INSERT INTO notes VALUES ($1, nullif($2, $3)) ON CONFLICT (key) DO UPDATE SET text = excluded.text")
                {
                    Parameters = { new() { Value = grainKey }, new() { Value = state.Text }, new() { Value = Refused } },
                };
        }
    }

    private sealed class Nothing : IStateProjection<LineState>
    {
        public Task ProjectAsync(NpgsqlConnection connection, NpgsqlTransaction transaction, string grainKey, LineState? state, CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
