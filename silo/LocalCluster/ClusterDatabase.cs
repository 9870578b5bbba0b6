using Npgsql;
using Orleans.Runtime;
using VoiceGrains.GrainRuntime.Storage;
using VoiceGrains.Grains;
using VoiceGrains.Grains.Accounts;
using VoiceGrains.Grains.Secrets;
using VoiceGrains.Hosting.Launch;

namespace VoiceGrains.Silo.LocalCluster;

/// <summary>What must be in the database before any member starts; done here once, so that all can start at the same time.</summary>
internal static class ClusterDatabase
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    /// <summary>Brings the schema up to date and makes the first account of an empty database; null where there is one.</summary>
    /// <exception cref="LaunchException">The database cannot be reached, or refuses.</exception>
    public static async Task<FirstAccount?> PrepareAsync(IConfiguration configuration, string connectionString, SecretKey secretKey, CancellationToken cancellationToken)
    {
        var services = new ServiceCollection();
        services.AddSingleton(configuration);
        services.AddSingleton(secretKey);
        services.AddSingleton(_ => NpgsqlDataSource.Create(connectionString));
        services.AddLogging(logging => logging.AddSimpleConsole().SetMinimumLevel(LogLevel.Warning));
        services.AddGrainRuntime();
        services.AddVoiceGrains();
        await using var provider = services.BuildServiceProvider();
        using var limit = new CancellationTokenSource(Limit);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            await provider.GetRequiredService<SchemaMigrations>().ApplyAsync(either.Token);
            return await provider.GetRequiredService<AccountSetup>().EnsureFirstAccountAsync(either.Token);
        }
        catch (Exception failure) when (failure is NpgsqlException or OrleansConfigurationException || limit.IsCancellationRequested)
        {
            throw new LaunchException($"The database cannot be used: {failure.Message}", inner: failure);
        }
    }
}
