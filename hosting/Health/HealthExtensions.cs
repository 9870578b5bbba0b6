using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace VoiceGrains.Hosting.Health;

/// <summary>Whether the process runs (<c>/health/live</c>) and whether it can take calls (<c>/health/ready</c>).</summary>
public static class HealthExtensions
{
    /// <summary>Checks with this tag decide readiness.</summary>
    public const string Ready = "ready";

    /// <summary>Registers the checks of the host; capabilities add their own with the tag <see cref="Ready"/>.</summary>
    public static WebApplicationBuilder AddHealth(this WebApplicationBuilder builder)
    {
        builder.Services.AddHealthChecks()
            .AddCheck<DatabaseHealthCheck>("database", tags: [Ready])
            .AddCheck<BrokerHealthCheck>("broker", tags: [Ready])
            .AddCheck<ClusterHealthCheck>("cluster", tags: [Ready]);
        return builder;
    }

    /// <summary>Live answers 200 without looking at anything; ready answers 503 and names each check that fails.</summary>
    public static void MapHealth(this IEndpointRouteBuilder routes)
    {
        routes.MapHealthChecks("/health/live", new() { Predicate = _ => false, ResponseWriter = WriteAsync });
        routes.MapHealthChecks("/health/ready", new() { Predicate = check => check.Tags.Contains(Ready), ResponseWriter = WriteAsync });
    }

    private static Task WriteAsync(HttpContext context, HealthReport report) => context.Response.WriteAsJsonAsync(new
    {
        status = report.Status == HealthStatus.Healthy ? "ok" : report.Status.ToString().ToLowerInvariant(),
        missing = report.Entries.Where(entry => entry.Value.Status != HealthStatus.Healthy).Select(entry => entry.Key),
        checks = report.Entries.ToDictionary(entry => entry.Key, entry => new
        {
            status = entry.Value.Status == HealthStatus.Healthy ? "ok" : entry.Value.Status.ToString().ToLowerInvariant(),
            detail = entry.Value.Description,
            milliseconds = Math.Round(entry.Value.Duration.TotalMilliseconds, 1),
        }),
    }, context.RequestAborted);
}
