using System.Reflection;
using Microsoft.Extensions.Options;
using VoiceGrains.GrainRuntime.Activations;

namespace VoiceGrains.GrainRuntime.Cluster;

/// <summary>The membership of a process that is alone: it is its only silo.</summary>
internal sealed class SoleMembership(GrainCatalog catalog, GrainClasses classes, IOptions<ClusterOptions> options, TimeProvider clock) : IClusterMembership
{
    private readonly DateTimeOffset _started = clock.GetUtcNow();
    private volatile bool _draining;

    public string? LocalSilo => options.Value.Name;

    public bool IsConnected => true;

    public bool IsBrokerConnected => true;

    public Task<IReadOnlyList<SiloInfo>> ListAsync(CancellationToken cancellationToken)
    {
        var own = options.Value;
        var version = Assembly.GetEntryAssembly()?.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";
        return Task.FromResult<IReadOnlyList<SiloInfo>>(
        [
            new(own.Name, own.Name, version, own.Address, [.. own.Roles], own.Labels.ToDictionary(), classes.GrainTypes, catalog.Count, own.MaxActivations, _draining, _started),
        ]);
    }

    public Task DrainAsync(CancellationToken cancellationToken)
    {
        _draining = true;
        return Task.CompletedTask;
    }
}
