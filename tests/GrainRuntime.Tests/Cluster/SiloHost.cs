using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using Orleans;
using VoiceGrains.ClusterHost;
using VoiceGrains.GrainRuntime.Cluster;

namespace VoiceGrains.GrainRuntime.Tests.Cluster;

/// <summary>One silo or client of a cluster, in this process, with a broker and a database that are real.</summary>
internal sealed class SiloHost : IAsyncDisposable
{
    private readonly IHost _host;
    private bool _disposed;

    private SiloHost(IHost host) => _host = host;

    public IServiceProvider Services => _host.Services;

    public IGrainFactory Grains => Services.GetRequiredService<IGrainFactory>();

    public IClusterMembership Membership => Services.GetRequiredService<IClusterMembership>();

    public Probe Probe => Services.GetRequiredService<Probe>();

    public string Id => Membership.LocalSilo!;

    public static async Task<SiloHost> StartAsync(
        string rabbit, string database, string exchange, bool client = false, Action<ClusterOptions>? options = null, Action<GrainRuntimeOptions>? runtime = null,
        Action<IServiceCollection>? services = null, string name = "silo")
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Cluster:RabbitMq"] = rabbit,
            ["Cluster:Exchange"] = exchange,
            ["Cluster:Name"] = name,
        });
        builder.Logging.SetMinimumLevel(LogLevel.Warning);
        builder.Services.AddSingleton<Probe>().AddSingleton<IDiary, ProbeDiary>();
        builder.Services.AddSingleton(_ => NpgsqlDataSource.Create(database));
        builder.Services.AddGrainRuntime(runtime).AddGrains(typeof(AccountGrain).Assembly);
        if (client)
            builder.Services.AddGrainClient(builder.Configuration, options);
        else
            builder.Services.AddGrainCluster(builder.Configuration, options);
        builder.Services.AddRabbitMqStreams(builder.Configuration, "live");
        services?.Invoke(builder.Services);
        var host = builder.Build();
        await host.StartAsync(RuntimeHost.Cancel);
        return new(host);
    }

    public Task StopAsync() => _host.StopAsync(RuntimeHost.Cancel);

    public async ValueTask DisposeAsync()
    {
        if (_disposed)
            return;
        _disposed = true;
        await _host.StopAsync(CancellationToken.None);
        _host.Dispose();
    }
}

/// <summary>A broker's exchange and a database for one test.</summary>
internal sealed class ClusterFixture : IAsyncDisposable
{
    private readonly List<SiloHost> _hosts = [];

    private ClusterFixture(TestDatabase database, RabbitServer rabbit) => (Database, Rabbit) = (database, rabbit);

    public TestDatabase Database { get; }

    public RabbitServer Rabbit { get; }

    public string Exchange { get; } = $"grains-{Guid.NewGuid():N}";

    /// <summary>Half the usual lease and heartbeat, for a silo in a process of its own that a test waits for.</summary>
    public static string[] HastySettings { get; } = ["--Cluster:Lease=00:00:03", "--Cluster:RenewPeriod=00:00:01", "--Cluster:Heartbeat=00:00:01"];

    /// <summary>The same for a silo in this process.</summary>
    public static void Hasty(ClusterOptions options) =>
        (options.Lease, options.RenewPeriod, options.Heartbeat) = (TimeSpan.FromSeconds(3), TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1));

    public static async Task<ClusterFixture> StartAsync(RabbitServer? rabbit = null) =>
        new(await PostgresServer.CreateDatabaseAsync(RuntimeHost.Cancel), rabbit ?? await RabbitServer.GetAsync(RuntimeHost.Cancel));

    public async Task<SiloHost> AddSiloAsync(
        bool client = false, Action<ClusterOptions>? options = null, Action<GrainRuntimeOptions>? runtime = null, string name = "silo", Action<IServiceCollection>? services = null)
    {
        var host = await SiloHost.StartAsync(Rabbit.Uri, Database.ConnectionString, Exchange, client, options, runtime, services, name);
        _hosts.Add(host);
        return host;
    }

    /// <summary>Starts a silo in a process of its own.</summary>
    public Task<ClusterHostProcess> StartProcessAsync(params string[] settings) =>
        ClusterHostProcess.StartAsync(Rabbit.Uri, Exchange, Database.ConnectionString, settings, RuntimeHost.Cancel);

    /// <summary>Starts one that reaches the broker only through the proxy.</summary>
    public Task<ClusterHostProcess> StartProcessAsync(TcpProxy network, params string[] settings) =>
        ClusterHostProcess.StartAsync(
            new UriBuilder(Rabbit.Uri) { Port = network.Port }.Uri.ToString(), Exchange, Database.ConnectionString, settings, RuntimeHost.Cancel);

    /// <summary>Ends all connections to the database and lets none in, until disposed.</summary>
    public async Task<IAsyncDisposable> CutDatabaseAsync()
    {
        await AsAdministratorAsync($"ALTER DATABASE {Database.Name} ALLOW_CONNECTIONS false");
        await AsAdministratorAsync($"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{Database.Name}'");
        return new Cut(() => AsAdministratorAsync($"ALTER DATABASE {Database.Name} ALLOW_CONNECTIONS true"));
    }

    public async Task<T> ScalarAsync<T>(string sql)
    {
        await using var connection = new NpgsqlConnection(Database.ConnectionString);
        await connection.OpenAsync(RuntimeHost.Cancel);
        await using var command = new NpgsqlCommand(sql, connection);
        return (T)(await command.ExecuteScalarAsync(RuntimeHost.Cancel))!;
    }

    public async Task ExecuteAsync(string sql)
    {
        await using var connection = new NpgsqlConnection(Database.ConnectionString);
        await connection.OpenAsync(RuntimeHost.Cancel);
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(RuntimeHost.Cancel);
    }

    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll(_hosts.Select(host => host.DisposeAsync().AsTask()));
        await Database.DisposeAsync();
    }

    private async Task AsAdministratorAsync(string sql)
    {
        var address = new NpgsqlConnectionStringBuilder(Database.ConnectionString) { Database = "postgres", Pooling = false };
        await using var connection = new NpgsqlConnection(address.ConnectionString);
        await connection.OpenAsync(RuntimeHost.Cancel);
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(RuntimeHost.Cancel);
    }

    private sealed class Cut(Func<Task> restore) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync() => await restore();
    }
}

internal sealed class ProbeDiary(Probe probe) : IDiary
{
    public void Say(string what) => probe.Say(what);
}
