using System.Reflection;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Orleans.Runtime;
using VoiceGrains.GrainRuntime.Storage;
using VoiceGrains.Tests.Shared;

namespace VoiceGrains.GrainRuntime.Tests.Storage;

public sealed class SchemaMigrationsTests
{
    private static readonly Assembly Own = typeof(SchemaMigrationsTests).Assembly;

    [Fact]
    public async Task Migrations_ApplyOnceInOrderAndAreRecorded()
    {
        await using var database = await PostgresServer.CreateDatabaseAsync(RuntimeHost.Cancel);
        await using var source = NpgsqlDataSource.Create(database.ConnectionString);
        var migrations = Migrations(source, new(Own, "late", 20), new(typeof(SchemaMigrations).Assembly, "grain-runtime", 0));

        await migrations.ApplyAsync(RuntimeHost.Cancel);
        await migrations.ApplyAsync(RuntimeHost.Cancel);

        Assert.Equal(
            ["grain-runtime/1/grain_state", "grain-runtime/2/grain_reminders", "grain-runtime/3/cluster", "late/1/notes"],
            await ListAsync(source, "SELECT scope || '/' || number || '/' || name FROM schema_migrations ORDER BY applied, scope, number"));
    }

    [Fact]
    public async Task ProcessesThatStartTogether_TakeTurns()
    {
        await using var database = await PostgresServer.CreateDatabaseAsync(RuntimeHost.Cancel);
        await using var source = NpgsqlDataSource.Create(database.ConnectionString);

        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Migrations(source, new MigrationSource(Own, "tests", 1)).ApplyAsync(RuntimeHost.Cancel)));

        Assert.Equal(["1"], await ListAsync(source, "SELECT count(*)::text FROM schema_migrations"));
    }

    [Fact]
    public async Task AppliedFileThatChanged_IsAnError()
    {
        await using var database = await PostgresServer.CreateDatabaseAsync(RuntimeHost.Cancel);
        await using var source = NpgsqlDataSource.Create(database.ConnectionString);
        var migrations = Migrations(source, new MigrationSource(Own, "tests", 1));
        await migrations.ApplyAsync(RuntimeHost.Cancel);
        await ListAsync(source, "UPDATE schema_migrations SET checksum = 'of another file' RETURNING scope");

        var error = await Assert.ThrowsAsync<OrleansConfigurationException>(() => migrations.ApplyAsync(RuntimeHost.Cancel));

        Assert.Contains("tests/0001_notes", error.Message, StringComparison.Ordinal);
        // The lock is free again: a repaired database migrates.
        await ListAsync(source, "DELETE FROM schema_migrations RETURNING scope");
        await ListAsync(source, "DROP TABLE notes; SELECT ''");
        await migrations.ApplyAsync(RuntimeHost.Cancel);
    }

    [Fact]
    public async Task FailedFile_LeavesNothingBehind()
    {
        await using var database = await PostgresServer.CreateDatabaseAsync(RuntimeHost.Cancel);
        await using var source = NpgsqlDataSource.Create(database.ConnectionString);
        await ListAsync(source, "CREATE TABLE notes (other text); SELECT ''");

        var error = await Assert.ThrowsAsync<OrleansConfigurationException>(
            () => Migrations(source, new MigrationSource(Own, "tests", 1)).ApplyAsync(RuntimeHost.Cancel));

        Assert.IsType<PostgresException>(error.InnerException);
        Assert.Empty(await ListAsync(source, "SELECT name FROM schema_migrations"));
    }

    private static SchemaMigrations Migrations(NpgsqlDataSource source, params MigrationSource[] sources) =>
        new(source, sources, NullLogger<SchemaMigrations>.Instance);

    private static async Task<List<string>> ListAsync(NpgsqlDataSource source, string sql)
    {
        await using var command = source.CreateCommand(sql);
        await using var reader = await command.ExecuteReaderAsync(RuntimeHost.Cancel);
        var rows = new List<string>();
        while (await reader.ReadAsync(RuntimeHost.Cancel))
            rows.Add(reader.GetString(0));
        return rows;
    }
}
