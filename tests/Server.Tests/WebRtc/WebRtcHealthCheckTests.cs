using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using VoiceGrains.Silo.WebRtc;

namespace VoiceGrains.Server.Tests.WebRtc;

public sealed class WebRtcHealthCheckTests
{
    [Fact]
    public async Task ASilo_IsReady_WhileItsMediaPortIsOpen()
    {
        await using var services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        var peers = Create(new WebRtcOptions { Port = 0 }, services);
        Assert.Equal((HealthStatus.Unhealthy, "The media port is not open."), await CheckAsync(peers));
        await peers.StartAsync(CancellationToken.None);
        Assert.Equal((HealthStatus.Healthy, null), await CheckAsync(peers));
        await peers.DisposeAsync();
        Assert.Equal((HealthStatus.Unhealthy, "The port is closed."), await CheckAsync(peers));
    }

    [Fact]
    public async Task ASiloWithoutWebRtc_LacksNothing()
    {
        await using var services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        await using var peers = Create(new WebRtcOptions { Enabled = false }, services);
        await peers.StartAsync(CancellationToken.None);
        Assert.Equal((HealthStatus.Healthy, "Off."), await CheckAsync(peers));
    }

    private static WebRtcPeers Create(WebRtcOptions options, ServiceProvider services) => new(
        Options.Create(options), TimeProvider.System, NullLoggerFactory.Instance, services.GetRequiredService<IMeterFactory>(), NullLogger<WebRtcPeers>.Instance);

    private static async Task<(HealthStatus Status, string? Detail)> CheckAsync(WebRtcPeers peers)
    {
        var result = await new WebRtcHealthCheck(peers).CheckHealthAsync(new HealthCheckContext(), TestContext.Current.CancellationToken);
        return (result.Status, result.Description);
    }
}
