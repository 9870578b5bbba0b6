using System.Globalization;
using Npgsql;
using VoiceGrains.Server.Tests.Launch;
using VoiceGrains.Silo.Launch;
using VoiceGrains.Tests.Shared;

namespace VoiceGrains.Server.Tests.Cluster;

/// <summary>A gateway and two silos (or more) as processes, on a real broker and a database of their own.</summary>
internal sealed class ClusterProcesses : IAsyncDisposable
{
    private readonly string folder = InitializedData.MakeFolder();
    private readonly Dictionary<string, SiloProcess> silos = [];
    private readonly Dictionary<SiloProcess, Uri> gateways = [];
    private (string Name, string Value)[] common = [];
    private (string Name, string Value)[] ofSilos = [];
    private TestDatabase database = null!;
    private SiloProcess? gateway;

    public SiloProcess Gateway => gateway!;

    public RabbitServer Broker { get; private set; } = null!;

    public string Exchange { get; } = $"grains-{Guid.NewGuid():N}";

    public string Database => database.ConnectionString;

    public static Task<ClusterProcesses> StartAsync(params (string Name, string Value)[] siloSettings) => StartAsync(null, siloSettings);

    /// <param name="broker">One of the test's own, which it may stop.</param>
    public static async Task<ClusterProcesses> StartAsync(RabbitServer? broker, params (string Name, string Value)[] siloSettings)
    {
        var cluster = new ClusterProcesses { Broker = broker ?? await RabbitServer.GetAsync(TestContext.Current.CancellationToken) };
        try
        {
            await cluster.StartAllAsync(siloSettings);
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    public SiloProcess Silo(string name) => silos[name];

    /// <summary>Where a gateway has its gRPC port.</summary>
    public Uri GrpcOf(SiloProcess one) => gateways[one];

    public async Task<SiloProcess> AddGatewayAsync(string name, params (string Name, string Value)[] settings)
    {
        var grpc = FreePorts.Take(1)[0].ToString(CultureInfo.InvariantCulture);
        var one = await SiloProcess.StartReadyAsync("VoiceGrains.GatewayHost.dll", [.. common, ("Grpc__Port", grpc), .. settings], "--port", "0", "--data", DataOf(name));
        gateways[one] = new($"http://127.0.0.1:{grpc}");
        return one;
    }

    /// <summary>A silo of a new name, or a stopped one again.</summary>
    public async Task StartSiloAsync(string name)
    {
        if (silos.TryGetValue(name, out var stopped)) await stopped.DisposeAsync();
        var port = FreePorts.Take(1)[0].ToString(CultureInfo.InvariantCulture);
        silos[name] = await SiloProcess.StartReadyAsync(
            "VoiceGrains.Silo.dll", [.. common, ("Cluster__Name", name), .. ofSilos.Select(s => (s.Name, s.Value.Replace("PORT", port, StringComparison.Ordinal)))],
            "--port", port, "--data", DataOf(name));
    }

    /// <summary>Starts the silos again that a test has killed.</summary>
    public async Task MendAsync()
    {
        foreach (var name in silos.Where(silo => silo.Value.HasExited).Select(silo => silo.Key).ToList()) await StartSiloAsync(name);
    }

    /// <summary>The name of the silo that has a call, from the directory.</summary>
    public async Task<string> SiloOfAsync(string callId)
    {
        await using var source = NpgsqlDataSource.Create(database.ConnectionString);
        await using var command = source.CreateCommand("select s.name from grain_directory d join silos s on s.id = d.silo where d.grain_type = 'call' and d.grain_key = $1");
        command.Parameters.Add(new() { Value = callId });
        return (string)(await command.ExecuteScalarAsync(TestContext.Current.CancellationToken))!;
    }

    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll(gateways.Keys.Select(one => one.DisposeAsync().AsTask()));
        await Task.WhenAll(silos.Values.Select(silo => silo.DisposeAsync().AsTask()));
        if (database is not null) await database.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }

    private async Task StartAllAsync((string Name, string Value)[] siloSettings)
    {
        database = await PostgresServer.CreateDatabaseAsync(TestContext.Current.CancellationToken);
        common =
        [
            ("ConnectionStrings__VoiceGrains", database.ConnectionString), ("Cluster__RabbitMq", Broker.Uri), ("Cluster__Exchange", Exchange),
            ("Recognizers__Languages__en", "pocketsphinx"), ("Blobs__Path", Path.Combine(folder, "blobs")), ("Drain__Timeout", "00:00:00"),
        ];
        ofSilos = siloSettings;
        // The first alone: it makes the account and the key of secrets that all share.
        foreach (var name in (string[])["one", "two"])
            await StartSiloAsync(name);
        gateway = await AddGatewayAsync("gateway");
    }

    private string DataOf(string name)
    {
        var data = Path.Combine(folder, name);
        Directory.CreateDirectory(data);
        foreach (var file in (string[])["secret-key", "api-key"])
        {
            if (name != "one") File.Copy(Path.Combine(folder, "one", file), Path.Combine(data, file), overwrite: true);
        }
        return data;
    }
}
