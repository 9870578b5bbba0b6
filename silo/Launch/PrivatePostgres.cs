using Npgsql;
using VoiceGrains.Hosting.Launch;

namespace VoiceGrains.Silo.Launch;

/// <summary>
/// The PostgreSQL server that a single-node silo brings along: made on the first start, started before and stopped after everything else, reachable only through
/// a socket that only this user can open (peer authentication, no TCP).
/// </summary>
internal sealed partial class PrivatePostgres(PostgresHome home, IHostApplicationLifetime lifetime, TimeProvider clock, ILogger<PrivatePostgres> logger)
    : IHostedService, IAsyncDisposable
{
    private const string Database = "voicegrains";
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(60);     // recovery after a crash replays the log first
    private static readonly TimeSpan FastStopLimit = TimeSpan.FromSeconds(1.5);
    private static readonly TimeSpan LastStopLimit = TimeSpan.FromSeconds(0.3);
    private FolderLock? homeLock;
    private PostgresProcess? server;
    private volatile bool isStopping;

    /// <summary>How to reach the server of a home, whether or not it runs yet.</summary>
    public static string ConnectionString(PostgresHome home) => new NpgsqlConnectionStringBuilder
    {
        Host = home.Socket,
        Username = Database,
        Database = Database,
        ApplicationName = "voicegrains",
        MaxPoolSize = 60,
        Timeout = 10,
        CommandTimeout = 30,
    }.ConnectionString;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(StartLimit, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            homeLock = FolderLock.Take(home.Root);
            await new PostgresOrphan(home, clock).RemoveAsync(either.Token);
            if (File.Exists(home.Log))
                File.Move(home.Log, home.Log + ".old", overwrite: true);
            if (!File.Exists(Path.Combine(home.Cluster, "PG_VERSION")))
                await CreateClusterAsync(either.Token);
            WriteAccessRules();
            server = await PostgresProcess.StartAsync(home, "postgres", ServerArguments());
            await WaitUntilReadyAsync(server, either.Token);
            _ = WatchAsync(server);
            LogStarted(server.Id, home.Root);
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested)
        {
            throw new LaunchException($"The private PostgreSQL was not ready within {StartLimit.TotalSeconds:0} s. Its log, {home.Log}, ends:\n{EndOfLog()}");
        }
    }

    /// <summary>Fast shutdown, then harder. Ignores the host's own limit: this is the last to stop, and bounded by itself.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        isStopping = true;
        if (server is { } running)
        {
            if (!await StopsAsync(running, Native.SigInt, FastStopLimit) && !await StopsAsync(running, Native.SigQuit, LastStopLimit))
                await StopsAsync(running, Native.SigKill, LastStopLimit);
        }
        if (home.IsSocketTemporary && Directory.Exists(home.Socket))
            Directory.Delete(home.Socket, recursive: true);
        homeLock?.Dispose();
        (server, homeLock) = (null, null);
    }

    /// <summary>Stops what a start that failed later on left running.</summary>
    public async ValueTask DisposeAsync() => await StopAsync(CancellationToken.None);

    private async Task<bool> StopsAsync(PostgresProcess running, int signal, TimeSpan limit)
    {
        running.Signal(signal);
        try
        {
            await running.Exited.WaitAsync(limit, clock);
            return true;
        }
        catch (TimeoutException)
        {
            LogSlowStop(signal);
            return false;
        }
    }

    /// <summary>Made beside and renamed, so that a start cut off half-way leaves nothing that looks like a cluster.</summary>
    private async Task CreateClusterAsync(CancellationToken cancellationToken)
    {
        var draft = home.Cluster + ".new";
        if (Directory.Exists(draft))
            Directory.Delete(draft, recursive: true);
        var initdb = await PostgresProcess.StartAsync(home, "initdb", "--pgdata", draft, "--username", Database,
            "--encoding", "UTF8", "--locale", "C", "--auth", "peer", "--no-instructions");
        if (await initdb.Exited.WaitAsync(cancellationToken) != 0)
            throw new LaunchException($"initdb failed. Its log, {home.Log}, ends:\n{EndOfLog()}");
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
        "-c", "max_connections=100",
        "-c", "jit=off",                            // compiling costs more than it saves on queries of a millisecond
        "-c", "timezone=UTC",
        "-c", "log_timezone=UTC",
    ];

    private async Task WaitUntilReadyAsync(PostgresProcess running, CancellationToken cancellationToken)
    {
        var settings = new NpgsqlConnectionStringBuilder(ConnectionString(home)) { Pooling = false, Timeout = 5 };
        while (true)
        {
            if (running.Exited.IsCompleted)
                throw new LaunchException($"The private PostgreSQL ended at its start. Its log, {home.Log}, ends:\n{EndOfLog()}");
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
                throw new LaunchException($"The private PostgreSQL refuses this process: {refused.MessageText}. Its log, {home.Log}, ends:\n{EndOfLog()}", inner: refused);
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

    /// <summary>A silo without its database serves nobody: end with an error, so that whatever supervises it starts both again.</summary>
    private async Task WatchAsync(PostgresProcess running)
    {
        var exitCode = await running.Exited;
        if (isStopping)
            return;
        LogServerDied(exitCode, EndOfLog());
        Environment.ExitCode = LaunchException.Failed;
        lifetime.StopApplication();
    }

    private string EndOfLog()
    {
        try
        {
            return string.Join('\n', File.ReadLines(home.Log).TakeLast(15));
        }
        catch (IOException)
        {
            return "(no log)";
        }
    }

    [LoggerMessage(9001, LogLevel.Debug, "Private PostgreSQL runs as process {ProcessId} in {Home}")]
    private partial void LogStarted(int processId, string home);

    [LoggerMessage(9002, LogLevel.Warning, "Private PostgreSQL did not stop in time on signal {Signal}")]
    private partial void LogSlowStop(int signal);

    [LoggerMessage(9003, LogLevel.Critical, "Private PostgreSQL ended by itself with code {ExitCode}; stopping. Its log ends:\n{Log}")]
    private partial void LogServerDied(int exitCode, string log);
}
