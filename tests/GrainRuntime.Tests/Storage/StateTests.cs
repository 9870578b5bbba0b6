using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Orleans;
using Orleans.Runtime;
using Orleans.Storage;
using VoiceGrains.GrainRuntime.Storage;
using VoiceGrains.Tests.Shared;

namespace VoiceGrains.GrainRuntime.Tests.Storage;

public sealed class StateTests
{
    [Fact]
    public async Task State_SurvivesTheProcess()
    {
        await using var database = await PostgresServer.CreateDatabaseAsync(RuntimeHost.Cancel);
        await using (var host = await StartAsync(database))
        {
            var note = host.Grains.GetGrain<INoteGrain>("n");
            Assert.Equal(new NoteView("", null, false), await note.ViewAsync());
            Assert.Equal(new NoteView("hello", "1", true), await note.SaveAsync("hello"));
            Assert.Equal(new NoteView("again", "2", true), await note.SaveAsync("again"));
        }
        await using (var host = await StartAsync(database))
            Assert.Equal(new NoteView("again", "2", true), await host.Grains.GetGrain<INoteGrain>("n").ViewAsync());
    }

    [Fact]
    public async Task Clear_DeletesTheRecordAndResetsTheState()
    {
        await using var database = await PostgresServer.CreateDatabaseAsync(RuntimeHost.Cancel);
        await using var host = await StartAsync(database);
        var note = host.Grains.GetGrain<INoteGrain>("n");
        await note.SaveAsync("hello");

        Assert.Equal(new NoteView("", null, false), await note.ClearAsync());

        Assert.Equal(new NoteView("new", "1", true), await note.SaveAsync("new"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task LostRace_IsAnInconsistentStateAndDiscardsTheActivation(bool clear)
    {
        await using var database = await PostgresServer.CreateDatabaseAsync(RuntimeHost.Cancel);
        await using var one = await StartAsync(database);
        await using var two = await StartAsync(database);
        var here = one.Grains.GetGrain<INoteGrain>("n");
        var there = two.Grains.GetGrain<INoteGrain>("n");
        await here.ViewAsync();
        await there.SaveAsync("first");

        var conflict = await Assert.ThrowsAsync<InconsistentStateException>(() => clear ? here.ClearAsync() : here.SaveAsync("second"));

        Assert.Equal(("1", ""), (conflict.StoredEtag, conflict.CurrentEtag));
        // The very next call finds a new activation with what the other writer stored.
        Assert.Equal(new NoteView("first", "1", true), await here.ViewAsync());
        Assert.Equal(new NoteView("second", "2", true), await here.SaveAsync("second"));
        Assert.Equal("second", await ProjectedAsync(one, "n"));
    }

    [Fact]
    public async Task Projection_FollowsWritesAndClears()
    {
        await using var database = await PostgresServer.CreateDatabaseAsync(RuntimeHost.Cancel);
        await using var host = await StartAsync(database);
        var note = host.Grains.GetGrain<INoteGrain>("n");

        await note.SaveAsync("hello");
        Assert.Equal("hello", await ProjectedAsync(host, "n"));
        await note.SaveAsync("more");
        Assert.Equal("more", await ProjectedAsync(host, "n"));
        await note.ClearAsync();
        Assert.Null(await ProjectedAsync(host, "n"));
    }

    [Fact]
    public async Task FailedProjection_RollsTheStateBack()
    {
        await using var database = await PostgresServer.CreateDatabaseAsync(RuntimeHost.Cancel);
        await using var host = await StartAsync(database);
        var note = host.Grains.GetGrain<INoteGrain>("n");
        await note.SaveAsync("good");

        await Assert.ThrowsAsync<ApplicationException>(() => note.SaveAsync(NoteProjection.Refused));

        Assert.Equal("good", await ProjectedAsync(host, "n"));
        await note.ReloadAsync();
        Assert.Equal(new NoteView("good", "1", true), await note.ViewAsync());
    }

    [Fact]
    public async Task InMemoryStore_KeepsStateAndFindsConflicts()
    {
        await using var host = await RuntimeHost.StartAsync();
        var store = host.Services.GetRequiredService<IGrainStateStore>();
        var address = new StateAddress("note", "n", "note");

        var etag = await store.WriteAsync(address, new NoteState { Text = "x" }, null, ownership: null, RuntimeHost.Cancel);
        await Assert.ThrowsAsync<InconsistentStateException>(() => store.WriteAsync(address, new NoteState(), null, ownership: null, RuntimeHost.Cancel));
        Assert.Equal("x", (await store.ReadAsync<NoteState>(address, RuntimeHost.Cancel))!.Value.State.Text);
        await store.ClearAsync<NoteState>(address, etag, ownership: null, RuntimeHost.Cancel);
        Assert.Null(await store.ReadAsync<NoteState>(address, RuntimeHost.Cancel));
    }

    private static Task<RuntimeHost> StartAsync(TestDatabase database) => RuntimeHost.StartAsync(database, services: services => services
        .AddMigrations(typeof(StateTests).Assembly, "tests", order: 10)
        .AddSingleton<IStateProjection<NoteState>, NoteProjection>());

    private static async Task<string?> ProjectedAsync(RuntimeHost host, string key)
    {
        await using var command = host.Services.GetRequiredService<NpgsqlDataSource>().CreateCommand("SELECT text FROM notes WHERE key = $1");
        command.Parameters.Add(new() { Value = key });
        return (string?)await command.ExecuteScalarAsync(RuntimeHost.Cancel);
    }
}

internal sealed record NoteView(string Text, string? Etag, bool Exists);

internal sealed class NoteState
{
    public string Text { get; set; } = "";
}

internal sealed class NoteProjection : IStateProjection<NoteState>
{
    public const string Refused = "refused by the projection";

    public async Task ProjectAsync(
        NpgsqlConnection connection, NpgsqlTransaction transaction, string grainKey, NoteState? state, CancellationToken cancellationToken)
    {
        var sql = state is null ? "DELETE FROM notes WHERE key = $1" : "INSERT INTO notes VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET text = $2";
        await using var command = new NpgsqlCommand(sql, connection, transaction) { Parameters = { new() { Value = grainKey } } };
        if (state is not null)
            command.Parameters.Add(new() { Value = state.Text });
        await command.ExecuteNonQueryAsync(cancellationToken);
        if (state?.Text == Refused)
            throw new ApplicationException("no");
    }
}

internal interface INoteGrain : IGrainWithStringKey
{
    Task<NoteView> ViewAsync();

    Task<NoteView> SaveAsync(string text);

    Task<NoteView> ClearAsync();

    Task ReloadAsync();
}

internal sealed class NoteGrain([PersistentState("note")] IPersistentState<NoteState> note) : Grain, INoteGrain
{
    public Task<NoteView> ViewAsync() => Task.FromResult(new NoteView(note.State.Text, note.Etag, note.RecordExists));

    public async Task<NoteView> SaveAsync(string text)
    {
        note.State.Text = text;
        await note.WriteStateAsync(CancellationToken.None);
        return await ViewAsync();
    }

    public async Task<NoteView> ClearAsync()
    {
        await note.ClearStateAsync();
        return await ViewAsync();
    }

    public Task ReloadAsync() => note.ReadStateAsync();
}
