using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using VoiceGrains.GrainRuntime.Activations;

namespace VoiceGrains.GrainRuntime.Hosting;

/// <summary>Prepares the database before other services start, and ends all activations when the host stops.</summary>
internal sealed class GrainRuntimeService(
    GrainCatalog catalog, ActivationMonitor monitor, IEnumerable<IRuntimePart> parts, IOptions<GrainRuntimeOptions> options,
    TimeProvider clock, RuntimeLog log) : IHostedService
{
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        monitor.Start();
        foreach (var part in parts)
            await part.StartAsync(cancellationToken).ConfigureAwait(false);
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        foreach (var part in parts.Reverse())
            await part.StopAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await catalog.StopAsync().WaitAsync(options.Value.ShutdownTimeout, clock, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is TimeoutException or OperationCanceledException)
        {
            log.ShutdownIncomplete(catalog.Count, options.Value.ShutdownTimeout);
        }
        if (catalog.Cluster is IAsyncDisposable cluster)
            await cluster.DisposeAsync().ConfigureAwait(false);       // last: activations that end still write and release
        monitor.Dispose();
    }
}

/// <summary>Something that runs as long as the runtime does.</summary>
internal interface IRuntimePart
{
    Task StartAsync(CancellationToken cancellationToken);

    Task StopAsync(CancellationToken cancellationToken);
}

/// <summary>Applies migrations when the host starts.</summary>
internal sealed class MigrateAtStart(Storage.SchemaMigrations migrations) : IRuntimePart
{
    public Task StartAsync(CancellationToken cancellationToken) => migrations.ApplyAsync(cancellationToken);

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
