using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using VoiceGrains.Grains.Secrets;
using VoiceGrains.Grains.Tests.Calls;
using VoiceGrains.Grains.Webhooks;
using VoiceGrains.Providers.Http;
using VoiceGrains.Tests.Shared;

namespace VoiceGrains.Grains.Tests.Webhooks;

/// <summary>One process's deliveries, by a clock of the test's: several on one database are several processes.</summary>
internal sealed class DeliveryRig : IAsyncDisposable
{
    private static readonly TimeSpan LookPeriod = TimeSpan.FromMilliseconds(200);
    private readonly ProviderHttpPool _http;
    private readonly DeliveryMetrics _metrics;
    private readonly DeliveryWorker _worker;

    /// <summary>A look passes over rows that another transaction has locked, and the worker's own next one is by the test's clock.</summary>
    private readonly Timer _looks;

    public DeliveryRig(CallHost host, ManualClock clock, WebhookOptions? options = null, params string[] allowed)
    {
        Options = options ?? new WebhookOptions();
        Options.Jitter = 0;
        var wrapped = Microsoft.Extensions.Options.Options.Create(Options);
        var guard = new OutboundGuard(Microsoft.Extensions.Options.Options.Create(new OutboundOptions { AllowedNetworks = [.. allowed] }));
        Clock = clock;
        _http = new ProviderHttpPool(guard);
        _metrics = new DeliveryMetrics(host.Services.GetRequiredService<IMeterFactory>());
        Queue = new DeliveryQueue(host.Database, host.Services.GetRequiredService<SealedJson>(), clock, wrapped);
        _worker = new DeliveryWorker(
            Queue, new DeliverySender(_http, guard, wrapped, clock), Signal, _metrics, host.Services.GetRequiredService<ICallEventWriter>(), wrapped, clock, Random.Shared,
            NullLogger<DeliveryWorker>.Instance);
        _looks = new Timer(_ => Signal.Raise(), null, LookPeriod, LookPeriod);
    }

    public WebhookOptions Options { get; }
    public ManualClock Clock { get; }
    public DeliveryQueue Queue { get; }
    public DeliverySignal Signal { get; } = new();

    public Task StartAsync() => _worker.StartAsync(TestContext.Current.CancellationToken);

    public Task StopAsync() => _worker.StopAsync(TestContext.Current.CancellationToken);

    /// <summary>Moves the clock and has the outbox looked at.</summary>
    public void Advance(TimeSpan time)
    {
        Clock.Advance(time);
        Signal.Raise();
    }

    public async ValueTask DisposeAsync()
    {
        await _looks.DisposeAsync();
        await _worker.StopAsync(new CancellationToken(canceled: true));
        _worker.Dispose();
        _metrics.Dispose();
        _http.Dispose();
    }
}
