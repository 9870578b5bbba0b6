using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace VoiceGrains.Silo.WebRtc;

/// <summary>Whether this silo's media port is open and receives.</summary>
internal sealed class WebRtcHealthCheck(WebRtcPeers peers) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
        => Task.FromResult(peers.Problem is { } problem ? HealthCheckResult.Unhealthy(problem) : HealthCheckResult.Healthy(peers.Port is null ? "Off." : null));
}
