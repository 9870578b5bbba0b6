using Npgsql;
using VoiceGrains.Hosting.Launch;

namespace VoiceGrains.Silo.Launch;

/// <summary>
/// The PostgreSQL server that VoiceGrains brings along: made on the first start, started before and stopped after everything else, reachable only through
/// a socket that only this user can open (peer authentication, no TCP).
/// </summary>
/// <param name="maxConnections">Of all its clients together.</param>
internal sealed partial class PrivatePostgres(PostgresHome home, int maxConnections, TimeProvider clock, ILogger<PrivatePostgres> logger) : IPrivateServer
{
    /// <summary>Connections that one silo or gateway may open.</summary>
    public const int PoolSize = 60;

    private const string Database = "voicegrains";
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(60);     // recovery after a crash replays the log first
    private static readonly TimeSpan FastStopLimit = TimeSpan.FromSeconds(1.5);
    private static readonly TimeSpan LastStopLimit = TimeSpan.FromSeconds(0.3);
    private FolderLock? homeLock;
    private ServerProcess? server;

    public string Name => "postgres";

    /// <summary>Folder of the socket at which it is reached.</summary>
    public string Socket => home.Socket;

    public string Log => home.Log;

    public int ProcessId => server?.Id ?? 0;

    public Task<int> Exited => server?.Exited ?? Task.FromResult(0);

    /// <summary>How to reach the server of a home, whether or not it runs yet.</summary>
    public static string ConnectionString(PostgresHome home) => new NpgsqlConnectionStringBuilder
    {
        Host = home.Socket,
        Username = Database,
        Database = Database,
        ApplicationName = "voicegrains",
        MaxPoolSize = PoolSize,
    }.ConnectionString;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(StartLimit, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            homeLock ??= FolderLock.Take(home.Root);
            await new PostgresOrphan(home, clock).RemoveAsync(either.Token);
            LogTail.StartAnew(home.Log);
            if (!File.Exists(Path.Combine(home.Cluster, "PG_VERSION")))
                await CreateClusterAsync(either.Token);
            WriteAccessRules();
            server = await ServerProcess.StartAsync(Command("postgres", ServerArguments()));
            await WaitUntilReadyAsync(server, either.Token);
            LogStarted(server.Id, home.Root);
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested)
        {
            throw new LaunchException($"The private PostgreSQL was not ready within {StartLimit.TotalSeconds:0} s. Its log, {home.Log}, ends:\n{LogTail.Of(home.Log)}");
        }
    }

    /// <summary>Fast shutdown, then harder. Ignores the host's own limit: this is the last to stop, and bounded by itself.</summary>
    public async Task StopAsync()
    {
        if (server is { } running)
        {
            if (!await StopsAsync(running, Native.SigInt, FastStopLimit) && !await StopsAsync(running, Native.SigQuit, LastStopLimit))
                await StopsAsync(running, Native.SigKill, LastStopLimit);
        }
        if (home.IsSocketTemporary && Directory.Exists(home.Socket))
            Directory.Delete(home.Socket, recursive: true);
        homeLock?.Dispose();
        homeLock = null;
    }

    private async Task<bool> StopsAsync(ServerProcess running, int signal, TimeSpan limit)
    {
        var isStopped = await running.StopAsync(signal, limit, clock);
        if (!isStopped)
            LogSlowStop(signal);
        return isStopped;
    }

    private ServerCommand Command(string program, params string[] arguments) => new(Path.Combine(home.Programs, program), arguments)
    {
        RunAs = home.RunAs,
        DeathSignal = "INT",        // a fast shutdown
        WorkingDirectory = home.Root,
        Log = home.Log,
    };

    /// <summary>Made beside and renamed, so that a start cut off half-way leaves nothing that looks like a cluster.</summary>
    private async Task CreateClusterAsync(CancellationToken cancellationToken)
    {
        var draft = home.Cluster + ".new";
        if (Directory.Exists(draft))
            Directory.Delete(draft, recursive: true);
        var initdb = await ServerProcess.StartAsync(Command("initdb", "--pgdata", draft, "--username", Database,
            "--encoding", "UTF8", "--locale", "C", "--auth", "peer", "--no-instructions"));
        if (await initdb.Exited.WaitAsync(cancellationToken) != 0)
            throw new LaunchException($"initdb failed. Its log, {home.Log}, ends:\n{LogTail.Of(home.Log)}");
        Directory.Move(draft, home.Cluster);
    }

    /// <summary>Only the operating system's user that runs the silo gets in, whoever that is today.</summary>
    private void WriteAccessRules()
    {
        File.WriteAllText(Path.Combine(home.Cluster, "pg_hba.conf"), "local all all peer map=silo\n");
        File.WriteAllText(Path.Combine(home.Cluster, "pg_ident.conf"), $"silo \"{Environment.UserName}\" {Database}\n");
    }

    private string[] ServerArguments() =>
    [
        "-D", home.Cluster,
        "-c", "listen_addresses=",
        "-c", $"unix_socket_directories={home.Socket}",
        "-c", "unix_socket_permissions=0777",       // the folder's mode 0700 is the fence; root comes through it, others do not
        "-c", $"max_connections={maxConnections}",
        "-c", "jit=off",                            // compiling costs more than it saves on queries of a millisecond
        "-c", "timezone=UTC",
        "-c", "log_timezone=UTC",
    ];

    private async Task WaitUntilReadyAsync(ServerProcess running, CancellationToken cancellationToken)
    {
        var settings = new NpgsqlConnectionStringBuilder(ConnectionString(home)) { Pooling = false, Timeout = 5 };
        while (true)
        {
            if (running.Exited.IsCompleted)
                throw new LaunchException($"The private PostgreSQL ended at its start. Its log, {home.Log}, ends:\n{LogTail.Of(home.Log)}");
            try
            {
                await using var connection = new NpgsqlConnection(settings.ConnectionString);
                await connection.OpenAsync(cancellationToken);
                return;
            }
            catch (PostgresException missing) when (missing.SqlState == PostgresErrorCodes.InvalidCatalogName)
            {
                await CreateDatabaseAsync(settings, cancellationToken);
            }
            catch (NpgsqlException notYet) when (notYet is not PostgresException { SqlState: not PostgresErrorCodes.CannotConnectNow })
            {
                await Task.Delay(TimeSpan.FromMilliseconds(15), clock, cancellationToken);
            }
            catch (PostgresException refused)
            {
                throw new LaunchException($"The private PostgreSQL refuses this process: {refused.MessageText}. Its log, {home.Log}, ends:\n{LogTail.Of(home.Log)}", inner: refused);
            }
        }
    }

    private static async Task CreateDatabaseAsync(NpgsqlConnectionStringBuilder settings, CancellationToken cancellationToken)
    {
        var maintenance = new NpgsqlConnectionStringBuilder(settings.ConnectionString) { Database = "postgres" };
        await using var connection = new NpgsqlConnection(maintenance.ConnectionString);
        await connection.OpenAsync(cancellationToken);
        await using var create = new NpgsqlCommand($"CREATE DATABASE {Database}", connection);
        await create.ExecuteNonQueryAsync(cancellationToken);
    }

    [LoggerMessage(9001, LogLevel.Debug, "Private PostgreSQL runs as process {ProcessId} in {Home}")]
    private partial void LogStarted(int processId, string home);

    [LoggerMessage(9002, LogLevel.Warning, "Private PostgreSQL did not stop in time on signal {Signal}")]
    private partial void LogSlowStop(int signal);
}
