using Microsoft.Extensions.Diagnostics.HealthChecks;
using Npgsql;

namespace VoiceGrains.Hosting.Health;

/// <summary>Whether the database answers. Migrations need no check of their own: they are applied before the silo listens, or it does not start.</summary>
internal sealed class DatabaseHealthCheck(NpgsqlDataSource database) : IHealthCheck
{
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        try
        {
            await using var command = database.CreateCommand("SELECT 1");
            await command.ExecuteScalarAsync(cancellationToken);
            return HealthCheckResult.Healthy();
        }
        catch (Exception failure) when (failure is NpgsqlException or OperationCanceledException or TimeoutException)
        {
            return HealthCheckResult.Unhealthy($"The database does not answer: {failure.Message}");
        }
    }
}
