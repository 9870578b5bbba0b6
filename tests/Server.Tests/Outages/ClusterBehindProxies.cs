using System.Globalization;
using Npgsql;
using VoiceGrains.Server.Tests.Launch;
using VoiceGrains.Silo.Launch;
using VoiceGrains.Tests.Shared;

namespace VoiceGrains.Server.Tests.Outages;

/// <summary>A silo and a gateway as processes, with a network to RabbitMQ and one to PostgreSQL that a test may cut. The lease is short: 3 s.</summary>
public sealed class ClusterBehindProxies : IAsyncLifetime
{
    private readonly string folder = InitializedData.MakeFolder();
    private readonly string exchange = $"grains-{Guid.NewGuid():N}";
    private TestDatabase database = null!;
    private RabbitServer rabbit = null!;
    private TcpProxy toDatabase = null!;
    private TcpProxy toBroker = null!;
    private Server? silo;
    private Server? gateway;

    internal RabbitServer Rabbit => rabbit;
    internal TcpProxy ToDatabase => toDatabase;
    internal TcpProxy ToBroker => toBroker;
    internal Server Silo => silo!;
    internal Server Gateway => gateway!;

    public async ValueTask InitializeAsync()
    {
        database = await PostgresServer.CreateDatabaseAsync();
        rabbit = await RabbitServer.GetAsync();
        toDatabase = new TcpProxy(new NpgsqlConnectionStringBuilder(database.ConnectionString).Port);
        toBroker = new TcpProxy(rabbit.Port);
        silo = await StartAsync("VoiceGrains.Silo.dll", "silo", toDatabase, toBroker);
        gateway = await StartGatewayAsync("gateway", toDatabase, toBroker);
    }

    /// <summary>Another gateway of the same cluster, with a network of its own.</summary>
    internal Task<Server> StartGatewayAsync(string name, TcpProxy databaseNetwork, TcpProxy brokerNetwork)
        => StartAsync("VoiceGrains.GatewayHost.dll", name, databaseNetwork, brokerNetwork);

    /// <summary>How many silos are members, as their database says.</summary>
    internal async Task<long> SilosAsync()
    {
        await using var source = NpgsqlDataSource.Create(database.ConnectionString);
        await using var command = source.CreateCommand("select count(*) from silos");
        return (long)(await command.ExecuteScalarAsync(TestContext.Current.CancellationToken))!;
    }

    public async ValueTask DisposeAsync()
    {
        if (gateway is not null) await gateway.DisposeAsync();
        if (silo is not null) await silo.DisposeAsync();
        if (toBroker is not null) await toBroker.DisposeAsync();
        if (toDatabase is not null) await toDatabase.DisposeAsync();
        if (database is not null) await database.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }

    private async Task<Server> StartAsync(string program, string name, TcpProxy databaseNetwork, TcpProxy brokerNetwork)
    {
        var address = new NpgsqlConnectionStringBuilder(database.ConnectionString);
        (string, string)[] settings =
        [
            ("ConnectionStrings__VoiceGrains", $"Host=127.0.0.1;Port={databaseNetwork.Port};Username={address.Username};Database={address.Database}"),
            ("Cluster__RabbitMq", $"amqp://guest:guest@127.0.0.1:{brokerNetwork.Port}/"), ("Cluster__Exchange", exchange), ("Cluster__Name", name),
            ("Cluster__Lease", "00:00:03"), ("Cluster__RenewPeriod", "00:00:01"), ("Cluster__Heartbeat", "00:00:01"),
            ("Blobs__Path", Path.Combine(folder, "blobs")), ("Drain__Timeout", "00:00:00"), Conversation.RecognitionTimeout,
        ];
        var data = Path.Combine(folder, name);
        Directory.CreateDirectory(data);
        foreach (var file in (string[])["secret-key", "api-key"])
        {
            if (name != "silo") File.Copy(Path.Combine(folder, "silo", file), Path.Combine(data, file));
        }
        var port = FreePorts.Take(1)[0].ToString(CultureInfo.InvariantCulture);       // others must know it: 0 tells them nothing
        return await Server.OfAsync(await SiloProcess.StartReadyAsync(program, settings, "--port", port, "--data", data));
    }
}
