using Microsoft.Extensions.DependencyInjection.Extensions;

namespace VoiceGrains.Hosting.Observability;

/// <summary>Metrics for Prometheus on <c>/metrics</c>; traces and metrics by OTLP where an end point is configured.</summary>
public static class ObservabilityExtensions
{
    public static WebApplicationBuilder AddObservability(this WebApplicationBuilder builder)
    {
        builder.Services.TryAddSingleton(_ => new MetricRegistry(meter => meter.StartsWith("VoiceGrains", StringComparison.Ordinal) || meter == "System.Runtime"));
        if (builder.Configuration[TelemetryExport.EndpointKey] is { Length: > 0 } endpoint)
            builder.Services.AddHostedService(_ => new TelemetryExport(endpoint));
        return builder;
    }

    /// <summary>Open to whoever reaches the port, as scrapers expect; it tells counts and times, never what was said.</summary>
    public static void MapMetrics(this IEndpointRouteBuilder routes)
    {
        // Made now, not at the first scrape: it counts from the start.
        var metrics = routes.ServiceProvider.GetRequiredService<MetricRegistry>();
        routes.MapGet("/metrics", () => Results.Text(metrics.Scrape(), PrometheusText.ContentType)).AllowAnonymous().ExcludeFromDescription();
    }
}
