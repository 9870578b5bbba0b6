using Npgsql;
using VoiceGrains.Tests.Shared;

namespace VoiceGrains.Server.Tests.Launch;

public sealed class MigrateOnlyTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(180);

    [Fact]
    public async Task ItMigratesAndExits_AndFindsNothingToDoTheSecondTime()
    {
        await using var database = await PostgresServer.CreateDatabaseAsync(TestContext.Current.CancellationToken);
        long? migrated = null;
        for (var run = 1; run <= 2; run++)
        {
            await using var silo = SiloProcess.Start([("ConnectionStrings__VoiceGrains", database.ConnectionString)], "--migrate-only");
            Assert.Equal(0, await silo.ExitAsync(Limit));
            Assert.Contains("The database is up to date.", silo.Printed, StringComparison.Ordinal);
            Assert.Equal(run == 1, silo.Printed.Contains("Applied migration", StringComparison.Ordinal));
            var count = await CountMigrationsAsync(database);
            Assert.True(count > 0);
            Assert.Equal(migrated ??= count, count);
        }
    }

    [Theory]
    [InlineData("", 2, "ConnectionStrings__VoiceGrains")]
    [InlineData("Host=127.0.0.1;Port=1;Timeout=2", 1, "The database was not migrated")]
    public async Task WithoutAReachableDatabase_ItSaysSo(string connectionString, int exitCode, string message)
    {
        await using var silo = SiloProcess.Start([("ConnectionStrings__VoiceGrains", connectionString)], "--migrate-only");
        Assert.Equal(exitCode, await silo.ExitAsync(Limit));
        Assert.Contains(message, silo.Printed, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", silo.Printed, StringComparison.Ordinal);
    }

    private static async Task<long> CountMigrationsAsync(TestDatabase database)
    {
        await using var source = NpgsqlDataSource.Create(database.ConnectionString);
        await using var count = source.CreateCommand("SELECT count(*) FROM schema_migrations");
        return (long)(await count.ExecuteScalarAsync(TestContext.Current.CancellationToken))!;
    }
}
