using VoiceGrains.Silo.LocalCluster;

namespace VoiceGrains.Silo.Launch;

/// <summary>
/// Runs the private PostgreSQL of a silo that is alone, for as long as the silo. Calls that are live go on without it, so a server that dies is started again.
/// </summary>
internal sealed partial class PrivatePostgresService(PrivatePostgres server, TimeProvider clock, ILogger<PrivatePostgresService> logger) : IHostedService, IAsyncDisposable
{
    private readonly CancellationTokenSource stopping = new();
    private Task watching = Task.CompletedTask;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await server.StartAsync(cancellationToken);
        watching = new Supervisor(LogRestart, clock).WatchAsync(server, stopping.Token);
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await stopping.CancelAsync();
        await watching.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);       // a restart that has begun ends first
        await server.StopAsync();
    }

    /// <summary>Stops what a start that failed later on left running.</summary>
    public async ValueTask DisposeAsync()
    {
        await StopAsync(CancellationToken.None);
        stopping.Dispose();
    }

    [LoggerMessage(9003, LogLevel.Error, "Private PostgreSQL: {What}")]
    private partial void LogRestart(string what);
}
