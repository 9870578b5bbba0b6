namespace VoiceGrains.Server.Tests.Cluster;

/// <summary>Two silos and a gateway as processes, whose calls end two seconds after their client was lost.</summary>
public sealed class ShortGraceCluster : IAsyncLifetime
{
    internal ClusterProcesses Processes { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Processes = await ClusterProcesses.StartAsync(("Calls__Resume__Grace", "00:00:02"));

    public async ValueTask DisposeAsync()
    {
        if (Processes is not null) await Processes.DisposeAsync();
    }
}
