using System.Collections.Concurrent;
using System.Diagnostics;
using System.Threading.Channels;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using Orleans;
using VoiceGrains.Tests.Shared;

namespace VoiceGrains.GrainRuntime.Tests;

/// <summary>A running grain runtime with this assembly's grains, and what its grains tell the test.</summary>
internal sealed class RuntimeHost : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private readonly ServiceProvider _services;

    private RuntimeHost(ServiceProvider services) => _services = services;

    public static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public IServiceProvider Services => _services;

    public IGrainFactory Grains => _services.GetRequiredService<IGrainFactory>();

    public Probe Probe => _services.GetRequiredService<Probe>();

    /// <summary>Starts a runtime. Without a database its state is in memory.</summary>
    public static async Task<RuntimeHost> StartAsync(
        TestDatabase? database = null, Action<GrainRuntimeOptions>? options = null, TimeProvider? clock = null, Action<IServiceCollection>? services = null)
    {
        var collection = new ServiceCollection();
        collection.AddLogging(logging => logging.SetMinimumLevel(LogLevel.Warning));
        collection.AddSingleton<Probe>();
        if (clock is not null)
            collection.AddSingleton(clock);
        if (database is not null)
            collection.AddSingleton(_ => NpgsqlDataSource.Create(database.ConnectionString));
        collection.AddGrainRuntime(options).AddGrains(typeof(RuntimeHost).Assembly);
        if (database is null)
            collection.UseInMemoryGrainStorage();
        services?.Invoke(collection);

        var host = new RuntimeHost(collection.BuildServiceProvider());
        foreach (var service in host._services.GetServices<IHostedService>())
            await service.StartAsync(Cancel);
        return host;
    }

    /// <summary>Waits until the condition holds, at most as long as a loaded machine may need.</summary>
    public static async Task EventuallyAsync(Func<bool> condition, string what)
    {
        var started = Stopwatch.GetTimestamp();
        while (!condition())
        {
            Assert.True(Stopwatch.GetElapsedTime(started) < Patience, $"Did not happen: {what}");
            await Task.Delay(TimeSpan.FromMilliseconds(5), Cancel);
        }
    }

    /// <summary>Advances the clock step by step until the condition holds, for work that arms its next timer on another thread.</summary>
    public static async Task AdvanceUntilAsync(ManualClock clock, TimeSpan step, Func<bool> condition, string what)
    {
        var started = Stopwatch.GetTimestamp();
        while (!condition())
        {
            Assert.True(Stopwatch.GetElapsedTime(started) < Patience, $"Did not happen: {what}");
            clock.Advance(step);
            await Task.Delay(TimeSpan.FromMilliseconds(5), Cancel);
        }
    }

    public async Task StopAsync()
    {
        foreach (var service in _services.GetServices<IHostedService>().Reverse())
            await service.StopAsync(Cancel);
    }

    public async ValueTask DisposeAsync()
    {
        Probe.OpenAll();
        await StopAsync();
        await _services.DisposeAsync();
    }
}

/// <summary>What grains write down, and gates at which they wait for the test.</summary>
internal sealed class Probe
{
    private readonly ConcurrentDictionary<string, TaskCompletionSource> _gates = new();
    private readonly Channel<string> _events = Channel.CreateUnbounded<string>();
    private readonly ConcurrentQueue<string> _log = new();

    public IReadOnlyCollection<string> Log => _log;

    public void Say(string what)
    {
        _log.Enqueue(what);
        _events.Writer.TryWrite(what);
    }

    /// <summary>Waits for the next thing said, which must be this.</summary>
    public async Task ExpectAsync(string what)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(RuntimeHost.Cancel);
        timeout.CancelAfter(TimeSpan.FromSeconds(30));
        Assert.Equal(what, await _events.Reader.ReadAsync(timeout.Token));
    }

    public Task GateAsync(string name) => Gate(name).Task;

    public void Open(string name) => Gate(name).TrySetResult();

    public void OpenAll()
    {
        foreach (var gate in _gates.Values)
            gate.TrySetResult();
    }

    private TaskCompletionSource Gate(string name) => _gates.GetOrAdd(name, static _ => new(TaskCreationOptions.RunContinuationsAsynchronously));
}
