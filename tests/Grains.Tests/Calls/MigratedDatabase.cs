using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using VoiceGrains.GrainRuntime.Storage;
using VoiceGrains.Tests.Shared;

namespace VoiceGrains.Grains.Tests.Calls;

/// <summary>Databases with the platform's tables: copies of one that was migrated once, for the migrations take longer than most tests.</summary>
internal static class MigratedDatabase
{
    private static readonly Lazy<Task<TestDatabase>> Template = new(MigrateAsync);

    /// <summary>Dispose it to drop it.</summary>
    public static async Task<TestDatabase> CreateAsync(CancellationToken cancellationToken)
        => await PostgresServer.CreateDatabaseAsync(cancellationToken, template: (await Template.Value.WaitAsync(cancellationToken)).Name);

    private static async Task<TestDatabase> MigrateAsync()
    {
        var database = await PostgresServer.CreateDatabaseAsync();
        await using var host = await CallHost.StartAsync(database, configure: builder => builder.Services.RemoveAll<IHostedService>());
        await host.Services.GetRequiredService<SchemaMigrations>().ApplyAsync(CancellationToken.None);
        return database;
    }
}
