using VoiceGrains.Hosting.Launch;

namespace VoiceGrains.Silo.Launch;

/// <summary>Runs the private PostgreSQL of a silo that is alone, for as long as the silo.</summary>
internal sealed partial class PrivatePostgresService(
    PostgresHome home, PrivatePostgres server, IHostApplicationLifetime lifetime, ILogger<PrivatePostgresService> logger) : IHostedService, IAsyncDisposable
{
    private volatile bool isStopping;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await server.StartAsync(cancellationToken);
        _ = WatchAsync();
    }

    public Task StopAsync(CancellationToken cancellationToken)
    {
        isStopping = true;
        return server.StopAsync();
    }

    /// <summary>Stops what a start that failed later on left running.</summary>
    public async ValueTask DisposeAsync() => await StopAsync(CancellationToken.None);

    /// <summary>A silo without its database serves nobody: end with an error, so that whatever supervises it starts both again.</summary>
    private async Task WatchAsync()
    {
        var exitCode = await server.Exited;
        if (isStopping)
            return;
        LogServerDied(exitCode, LogTail.Of(home.Log));
        Environment.ExitCode = LaunchException.Failed;
        lifetime.StopApplication();
    }

    [LoggerMessage(9003, LogLevel.Critical, "Private PostgreSQL ended by itself with code {ExitCode}; stopping. Its log ends:\n{Log}")]
    private partial void LogServerDied(int exitCode, string log);
}
