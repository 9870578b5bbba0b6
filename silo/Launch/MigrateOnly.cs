using Npgsql;
using Orleans.Runtime;
using VoiceGrains.GrainRuntime.Storage;
using VoiceGrains.Grains;
using VoiceGrains.Hosting.Launch;

namespace VoiceGrains.Silo.Launch;

/// <summary>
/// Migrates as a step of its own, before any silo of a new version starts: it can run with rights to change the schema that silos need not have. A silo
/// migrates as well when it starts; where this ran first it finds nothing to do.
/// </summary>
internal static class MigrateOnly
{
    /// <summary>Connecting, waiting for another migration and migrating, all together.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(10);

    /// <exception cref="LaunchException">There is no database to migrate, it cannot be reached, or it refuses.</exception>
    public static async Task RunAsync(WebApplicationBuilder builder)
    {
        var connectionString = builder.Configuration.GetConnectionString("VoiceGrains");
        if (string.IsNullOrWhiteSpace(connectionString))
            throw new LaunchException("--migrate-only needs ConnectionStrings__VoiceGrains: the private PostgreSQL is migrated by the silo that starts it.", LaunchException.Usage);
        builder.Services.AddSingleton(_ => NpgsqlDataSource.Create(connectionString));
        builder.Services.AddGrainRuntime();
        builder.Services.AddVoiceGrains();
        await using var app = builder.Build();
        using var limit = new CancellationTokenSource(Limit);
        try
        {
            await app.Services.GetRequiredService<SchemaMigrations>().ApplyAsync(limit.Token);
        }
        catch (Exception failure) when (failure is NpgsqlException or OrleansConfigurationException or OperationCanceledException)
        {
            throw new LaunchException($"The database was not migrated: {failure.Message}", inner: failure);
        }
        Console.WriteLine("The database is up to date.");
    }
}
