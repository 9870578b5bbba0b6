using System.Globalization;
using VoiceGrains.Grains.Accounts;
using VoiceGrains.Grains.Secrets;
using VoiceGrains.Hosting.Launch;
using VoiceGrains.Silo.Drain;
using VoiceGrains.Silo.Launch;

namespace VoiceGrains.Silo.LocalCluster;

/// <summary>
/// A whole cluster on one machine: PostgreSQL, RabbitMQ, silos and a gateway before them, each a process of its own, started together, kept running and stopped
/// together. This process holds the data folder and serves nothing. Its children die with it, however it ends.
/// </summary>
internal sealed class ClusterLauncher(IConfiguration configuration, LaunchOptions options, int silos)
{
    private const string SiloProgram = "VoiceGrains.Silo.dll";
    private const string GatewayProgram = "VoiceGrains.GatewayHost.dll";

    /// <summary>Operators with psql, the launcher, and PostgreSQL's own reserve.</summary>
    private const int SpareConnections = 40;

    /// <summary>What a silo takes to stop once its calls have ended.</summary>
    private static readonly TimeSpan SiloStopLimit = TimeSpan.FromSeconds(15);

    private readonly TimeProvider clock = TimeProvider.System;
    private readonly List<ClusterMember> members = [];
    private readonly KeyValuePair<string, string> mark = LeftBehind.Mark(options.Data);
    private PrivatePostgres? postgres;
    private PrivateRabbitMq? rabbitMq;

    /// <summary>Runs until a signal; a second one ends live calls, a third kills.</summary>
    /// <returns>The exit code.</returns>
    /// <exception cref="LaunchException">The cluster did not start.</exception>
    public async Task<int> RunAsync()
    {
        using var signals = new StopSignals();
        if (options.Port != 0)
            DataFolderExtensions.RequireFreePort(options);
        var gatewayProgram = FindGateway();
        using var folder = DataFolder.Open(options.Data);
        try
        {
            var first = await StartAsync(folder, gatewayProgram, signals.Stop);
            await AnnounceAsync(folder, first);
            var supervisor = new Supervisor(Say, clock);
            await Task.WhenAll(Servers().Select(server => supervisor.WatchAsync(server, signals.Stop)));
        }
        catch (OperationCanceledException) when (signals.Stop.IsCancellationRequested)
        {
            Say("Stopping ...");
        }
        finally
        {
            await StopAsync(signals);
        }
        return 0;
    }

    private async Task<FirstAccount?> StartAsync(DataFolder folder, string gatewayProgram, CancellationToken cancellationToken)
    {
        var secretKey = new SecretKey(folder.ReadOrCreateSecretKey());
        if (string.IsNullOrEmpty(configuration["Admin:Token"]))
            folder.ReadOrCreateAdminToken();
        await LeftBehind.EndAsync(options.Data, clock, cancellationToken);
        var (database, broker) = (PrepareDatabase(), PrepareBroker());
        Say("Starting " + string.Join(" and ", Servers().Select(server => server.Name).DefaultIfEmpty("on your PostgreSQL and RabbitMQ")) + " ...");
        var brokerStart = rabbitMq?.StartAsync(cancellationToken) ?? Task.CompletedTask;
        var first = await StartDatabaseAsync(folder, database, secretKey, cancellationToken);
        await brokerStart;

        Say($"Starting the gateway and {silos} silo{(silos == 1 ? "" : "s")} ...");
        AddMembers(gatewayProgram, database, broker);
        await Task.WhenAll(members.Select(member => member.StartAsync(cancellationToken)));
        return first;
    }

    private async Task<FirstAccount?> StartDatabaseAsync(DataFolder folder, string database, SecretKey secretKey, CancellationToken cancellationToken)
    {
        if (postgres is not null)
            await postgres.StartAsync(cancellationToken);
        var first = await ClusterDatabase.PrepareAsync(configuration, database, secretKey, cancellationToken);
        if (first is not null)
            folder.WriteApiKey(first.ApiKey);
        return first;
    }

    private string PrepareDatabase()
    {
        if (configuration.GetConnectionString("VoiceGrains") is { Length: > 0 } own)
            return own;
        var home = PostgresHome.Prepare(options.Data);
        var logging = LoggerFactory.Create(builder => builder.AddSimpleConsole().SetMinimumLevel(LogLevel.Warning));
        postgres = new PrivatePostgres(home, (silos + 1) * PrivatePostgres.PoolSize + SpareConnections, clock, logging.CreateLogger<PrivatePostgres>());
        return PrivatePostgres.ConnectionString(home);
    }

    private string PrepareBroker()
    {
        if (configuration["Cluster:RabbitMq"] is { Length: > 0 } own)
            return own;
        rabbitMq = PrivateRabbitMq.Prepare(options.Data, [mark], clock);
        return rabbitMq.Uri;
    }

    private void AddMembers(string gatewayProgram, string database, string broker)
    {
        var ports = FreePorts.Take(silos + 1);
        for (var i = 1; i <= silos; i++)
        {
            var own = options with { Port = ports[i], Bind = "127.0.0.1", Data = FolderOf($"silo-{i}") };
            Add("silo", $"silo-{i}", Path.Combine(AppContext.BaseDirectory, SiloProgram), own, Settings().Without("Grpc__Port").Set("WebRtc__Port", WebRtcPort(i)));
        }
        Add("gateway", "gateway", gatewayProgram, options with { Port = options.Port == 0 ? ports[0] : options.Port, Data = FolderOf("gateway") }, Settings());

        string FolderOf(string name) => Path.Combine(options.Data, "cluster", name);

        // One address, several silos: each has a port of its own, from the configured one on.
        string WebRtcPort(int silo) => configuration.GetValue<int>("WebRtc:Port") is > 0 and var first ? (first + silo - 1).ToString(CultureInfo.InvariantCulture) : "0";

        MemberSettings Settings() => new MemberSettings()
            .Set("ConnectionStrings__VoiceGrains", database)
            .Set("Cluster__RabbitMq", broker)
            .Set("Blobs__Path", configuration["Blobs:Path"] is { Length: > 0 } blobs ? blobs : Path.Combine(options.Data, "blobs"))
            .Set(mark.Key, mark.Value);

        void Add(string role, string name, string program, LaunchOptions own, MemberSettings settings)
            => members.Add(new ClusterMember(role, name, program, own, settings.Set("Cluster__Name", name), Say, clock));
    }

    /// <summary>Silos first, while gateway and servers still carry their calls; what others depend on, last.</summary>
    private async Task StopAsync(StopSignals signals)
    {
        var drain = configuration.GetValue("Drain:Timeout", DrainOptions.ClusterTimeout);
        var stopping = Task.WhenAll(members.Where(IsSilo).Select(silo => silo.StopAsync(drain + SiloStopLimit, signals.Hurry, signals.Force)));
        await Task.WhenAny(stopping, Task.Delay(TimeSpan.FromSeconds(2), clock));
        if (!stopping.IsCompleted)
            Say($"Live calls go on until they end, at most {drain:hh\\:mm\\:ss}. Ctrl-C again ends them now.");
        await stopping;
        await Task.WhenAll(members.Where(member => !IsSilo(member)).Select(gateway => gateway.StopAsync()));
        await Task.WhenAll(rabbitMq?.StopAsync() ?? Task.CompletedTask, postgres?.StopAsync() ?? Task.CompletedTask);
        members.ForEach(member => member.Dispose());
    }

    private async Task AnnounceAsync(DataFolder folder, FirstAccount? first)
    {
        var url = members.First(member => !IsSilo(member)).Url;
        folder.WriteUrl(url);
        Console.WriteLine($"VoiceGrains is ready on {url}\n");
        Console.WriteLine(ClusterTable.Text(
        [
            .. members.OrderBy(IsSilo).Select(member => new ClusterTableRow(member.Role, member.Name, member.Url, member.ProcessId, member.Log)),
            new("broker", "RabbitMQ", rabbitMq is null ? "Cluster__RabbitMq" : $"amqp://127.0.0.1:{rabbitMq.Port}", rabbitMq?.ProcessId ?? 0, rabbitMq?.Log ?? ""),
            new("database", "PostgreSQL", postgres is null ? "ConnectionStrings__VoiceGrains" : postgres.Socket, postgres?.ProcessId ?? 0, postgres?.Log ?? ""),
        ]));
        var vg = Welcome.Command(folder);
        var silo = members.First(IsSilo);
        var here = Welcome.FromHere(url);
        var talkUrl = await TalkLink.CreateAsync(folder, here);
        Console.WriteLine(first is null ? $"\n  API key in {folder.ApiKeyFile}\n{(talkUrl is null ? "" : Welcome.Talk(talkUrl) + "\n")}" : Welcome.Text(first, folder, here, talkUrl));
        Console.WriteLine($"""
              Look at the cluster, kill one silo and look again:
                {vg} silos
                kill -9 {silo.ProcessId} && {vg} silos

            """);
    }

    private IEnumerable<IPrivateServer> Servers() => [.. new IPrivateServer?[] { postgres, rabbitMq }.OfType<IPrivateServer>(), .. members];

    /// <summary>Beside this program, or where <c>Launch:Gateway</c> says: in a checkout each program is built into a folder of its own.</summary>
    private string FindGateway()
    {
        var program = configuration["Launch:Gateway"] is { Length: > 0 } stated ? stated : Path.Combine(AppContext.BaseDirectory, GatewayProgram);
        return File.Exists(program) ? program : throw new LaunchException($"The gateway's program is missing: {program}. Start with ./run, which builds it, or set Launch__Gateway.");
    }

    private static bool IsSilo(ClusterMember member) => member.Role == "silo";

    private static void Say(string line) => Console.WriteLine(line);
}
