using VoiceGrains.Server.Tests.Launch;

namespace VoiceGrains.Server.Tests.Cluster;

/// <summary>Two silos and two gateways as processes. A test may kill silos: the next one begins with <see cref="ClusterProcesses.MendAsync"/>.</summary>
public sealed class SharedCluster : IAsyncLifetime
{
    internal ClusterProcesses Processes { get; private set; } = null!;

    internal SiloProcess SecondGateway { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Processes = await ClusterProcesses.StartAsync();
        SecondGateway = await Processes.AddGatewayAsync("gateway-2");
    }

    public async ValueTask DisposeAsync()
    {
        if (Processes is not null) await Processes.DisposeAsync();
    }
}
