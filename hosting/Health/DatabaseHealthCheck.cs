using Microsoft.Extensions.Diagnostics.HealthChecks;
using VoiceGrains.Grains.Storage;

namespace VoiceGrains.Hosting.Health;

/// <summary>
/// Whether the database answers: reads what refusals read. Migrations need no check of their own: they are applied before the silo listens, or it does not start.
/// </summary>
internal sealed class DatabaseHealthCheck(DatabaseWatch watch) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
        => Task.FromResult(watch.Answers ? HealthCheckResult.Healthy() : HealthCheckResult.Unhealthy("The database does not answer."));
}
