using Microsoft.Extensions.Diagnostics.HealthChecks;
using VoiceGrains.Grains.Calls;

namespace VoiceGrains.Silo.Drain;

/// <summary>Whether new calls are taken. Reads what a refusal reads, so that readiness is never later than the first refusal.</summary>
internal sealed class AdmissionHealthCheck(CallAdmission admission) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
        => Task.FromResult(admission.IsOpen
            ? HealthCheckResult.Healthy()
            : HealthCheckResult.Unhealthy($"Draining: no new calls are taken; {admission.Calls} are live."));
}
