using Microsoft.Extensions.Diagnostics.HealthChecks;
using VoiceGrains.GrainRuntime.Cluster;

namespace VoiceGrains.Hosting.Health;

/// <summary>Whether the message broker is connected. A process that is alone needs none and is always healthy.</summary>
internal sealed class BrokerHealthCheck(IClusterMembership membership) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
        => Task.FromResult(membership.IsBrokerConnected ? HealthCheckResult.Healthy() : HealthCheckResult.Unhealthy("RabbitMQ is not connected."));
}
