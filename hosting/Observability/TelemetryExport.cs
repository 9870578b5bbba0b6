using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace VoiceGrains.Hosting.Observability;

/// <summary>
/// Sends traces and metrics by OTLP where <c>OTEL_EXPORTER_OTLP_ENDPOINT</c> is set, in the environment or in configuration; the exporter's other
/// <c>OTEL_*</c> variables apply as OpenTelemetry documents them. (OpenTelemetry's own hosting package is not used: this is all that was needed of it.)
/// </summary>
internal sealed class TelemetryExport(string endpoint) : IHostedService
{
    /// <summary>OpenTelemetry's name of the setting.</summary>
    public const string EndpointKey = "OTEL_EXPORTER_OTLP_ENDPOINT";
    private const int FlushLimitMs = 1_000;      // part of the time that a silo has to stop
    private TracerProvider? tracer;
    private MeterProvider? meter;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        var resource = ResourceBuilder.CreateDefault().AddService("voicegrains", serviceVersion: typeof(TelemetryExport).Assembly.GetName().Version?.ToString(3))
            .AddEnvironmentVariableDetector();
        tracer = Sdk.CreateTracerProviderBuilder().SetResourceBuilder(resource).AddSource("VoiceGrains.*", "Microsoft.AspNetCore")
            .AddOtlpExporter(UseEndpoint).Build();
        meter = Sdk.CreateMeterProviderBuilder().SetResourceBuilder(resource).AddMeter("VoiceGrains.*", "System.Runtime")
            .AddOtlpExporter(UseEndpoint).Build();
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.Run(() =>
    {
        // Each blocks until the last spans and values are sent, or the limit passes.
        Parallel.Invoke(() => tracer?.Shutdown(FlushLimitMs), () => meter?.Shutdown(FlushLimitMs));
        tracer?.Dispose();
        meter?.Dispose();
    }, CancellationToken.None);

    /// <summary>The exporter reads the environment by itself; only what configuration files say must be handed to it.</summary>
    private void UseEndpoint(OtlpExporterOptions options)
    {
        if (Environment.GetEnvironmentVariable(EndpointKey) is null)
            options.Endpoint = new Uri(endpoint);
    }
}
