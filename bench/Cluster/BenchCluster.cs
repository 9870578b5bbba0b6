using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using Orleans;
using VoiceGrains.ClusterHost;
using VoiceGrains.GrainRuntime.Cluster;
using VoiceGrains.Tests.Shared;

namespace VoiceGrains.Bench.Cluster;

/// <summary>A private broker and a private database (whose commits are on the disk), silos with toy grains in processes of their own, and this process as their client.</summary>
internal sealed class BenchCluster : IAsyncDisposable
{
    private static readonly TimeSpan ReportLimit = TimeSpan.FromSeconds(30);
    private readonly TestDatabase _database;
    private readonly List<ClusterHostProcess> _silos = [];
    private IHost? _client;

    private BenchCluster(RabbitServer rabbit, TestDatabase database) => (Rabbit, _database) = (rabbit, database);

    public RabbitServer Rabbit { get; }

    public IReadOnlyList<ClusterHostProcess> Silos => _silos;

    private IClusterMembership Membership => _client!.Services.GetRequiredService<IClusterMembership>();

    public IGrainFactory Grains => _client!.Services.GetRequiredService<IGrainFactory>();

    /// <param name="silos">How many.</param>
    /// <param name="settings">Settings of each silo, as on its command line.</param>
    public static async Task<BenchCluster> StartAsync(int silos, string[] settings, CancellationToken cancellationToken)
    {
        var rabbit = await RabbitServer.GetAsync(cancellationToken);
        var cluster = new BenchCluster(rabbit, await PostgresServer.CreateDatabaseAsync(cancellationToken, durable: true));
        try
        {
            var exchange = $"grains-{Guid.NewGuid():N}";
            for (var number = 0; number < silos; number++)
                cluster._silos.Add(await ClusterHostProcess.StartAsync(rabbit.Uri, exchange, cluster._database.ConnectionString, settings, cancellationToken));
            await cluster.StartClientAsync(exchange, cancellationToken);
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    /// <summary>Waits until the silos have reported that many activations together.</summary>
    public async Task WaitForActivationsAsync(int count, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(ReportLimit);
        while ((await Membership.ListAsync(limit.Token)).Sum(silo => silo.Activations) != count)
            await Task.Delay(100, limit.Token);
    }

    public async ValueTask DisposeAsync()
    {
        if (_client is not null)
        {
            await _client.StopAsync();
            _client.Dispose();
        }
        foreach (var silo in _silos)
            await silo.DisposeAsync();
        await _database.DisposeAsync();
    }

    private async Task StartClientAsync(string exchange, CancellationToken cancellationToken)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Cluster:RabbitMq"] = Rabbit.Uri,
            ["Cluster:Exchange"] = exchange,
            ["Cluster:Name"] = "bench",
        });
        builder.Logging.AddConsole().SetMinimumLevel(LogLevel.Warning);
        builder.Services.AddSingleton(_ => NpgsqlDataSource.Create(_database.ConnectionString));
        builder.Services.AddGrainRuntime().AddGrains(typeof(IEchoGrain).Assembly);
        builder.Services.AddGrainClient(builder.Configuration);
        _client = builder.Build();
        await _client.StartAsync(cancellationToken);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(ReportLimit);
        while ((await Membership.ListAsync(limit.Token)).Count < _silos.Count)
            await Task.Delay(100, limit.Token);
    }
}
