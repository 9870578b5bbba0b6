using Microsoft.Extensions.Diagnostics.HealthChecks;
using VoiceGrains.GrainRuntime.Cluster;

namespace VoiceGrains.Hosting.Health;

/// <summary>Whether grains on other silos can be reached. A process that is alone needs nobody and is always healthy.</summary>
internal sealed class ClusterHealthCheck(IClusterMembership membership) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
        => Task.FromResult(membership.IsConnected
            ? HealthCheckResult.Healthy()
            : HealthCheckResult.Unhealthy(membership.IsBrokerConnected ? "This silo's membership has lapsed." : "Without RabbitMQ no other silo is reached."));
}
