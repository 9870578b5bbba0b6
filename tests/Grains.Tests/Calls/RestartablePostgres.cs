using System.Diagnostics;
using Npgsql;

namespace VoiceGrains.Grains.Tests.Calls;

/// <summary>A PostgreSQL that a test may stop and start: in a temporary folder, on a Unix socket. It ends with the test process, however that ends.</summary>
public sealed class RestartablePostgres : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly string _home = Directory.CreateTempSubdirectory("vg-test-").FullName;
    private Process? _server;
    private int _databases;

    private string Data => Path.Combine(_home, "data");

    public async ValueTask InitializeAsync()
    {
        if (Environment.IsPrivilegedProcess) await RunAsync("chown", "postgres:", _home);
        await RunAsync([.. AsOwner, Path.Combine(Programs, "initdb"), "-D", Data, "-A", "trust", "-U", "postgres", "-N", "--locale=C.UTF-8", "-E", "UTF8"]);
        await StartAsync();
    }

    /// <summary>Creates an empty database.</summary>
    public async Task<NpgsqlDataSource> CreateDatabaseAsync()
    {
        var name = "test" + Interlocked.Increment(ref _databases);
        await using (var server = NpgsqlDataSource.Create(ConnectionString("postgres")))
        await using (var create = server.CreateCommand($"create database {name}"))
            await create.ExecuteNonQueryAsync();
        return NpgsqlDataSource.Create(ConnectionString(name));
    }

    public string ConnectionString(string database)
        => new NpgsqlConnectionStringBuilder { Host = _home, Username = "postgres", Database = database, MaxPoolSize = 20, Timeout = 5 }.ConnectionString;

    /// <summary>Starts the server, after <see cref="StopAsync"/> with the same data.</summary>
    public async Task StartAsync()
    {
        // The shell stops the server when its standard input closes, which the end of this process does as well.
        const string script = """
            "$@" & server=$!
            trap '' INT TERM
            cat >/dev/null
            kill -QUIT $server 2>/dev/null
            wait $server
            """;
        string[] options = ["-c", "listen_addresses=", "-c", "unix_socket_directories=" + _home, "-c", "fsync=off", "-c", "max_connections=200"];
        _server = Start([.. AsOwner, "sh", "-c", script, "sh", Path.Combine(Programs, "postgres"), "-D", Data, .. options]);
        using var deadline = new CancellationTokenSource(Patience);
        for (; ; await Task.Delay(50, deadline.Token))
        {
            try
            {
                await using var probe = new NpgsqlConnection(ConnectionString("postgres") + ";Pooling=false");
                await probe.OpenAsync(deadline.Token);
                return;
            }
            catch (NpgsqlException) when (!deadline.IsCancellationRequested && !_server.HasExited)
            {
            }
        }
    }

    /// <summary>Stops the server at once, as a crash would: connections break.</summary>
    public async Task StopAsync()
    {
        if (_server is not { } server) return;
        server.StandardInput.Close();
        using var deadline = new CancellationTokenSource(Patience);
        await server.WaitForExitAsync(deadline.Token);
        server.Dispose();
        _server = null;
    }

    public async ValueTask DisposeAsync()
    {
        NpgsqlConnection.ClearAllPools();
        await StopAsync();
        Directory.Delete(_home, recursive: true);
    }

    /// <summary>PostgreSQL refuses to run as root.</summary>
    private static string[] AsOwner => Environment.IsPrivilegedProcess ? ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] : [];

    private static string Programs { get; } = Directory.GetDirectories("/usr/lib/postgresql")
        .OrderByDescending(version => int.TryParse(Path.GetFileName(version), out var number) ? number : 0)
        .Select(version => Path.Combine(version, "bin")).First(folder => File.Exists(Path.Combine(folder, "postgres")));

    private static Process Start(string[] command)
    {
        var start = new ProcessStartInfo(command[0], command[1..])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = "/",
            Environment = { ["LC_ALL"] = "C.UTF-8" },
        };
        var process = Process.Start(start)!;
        process.OutputDataReceived += static (_, _) => { };
        process.ErrorDataReceived += static (_, _) => { };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return process;
    }

    private static async Task RunAsync(params string[] command)
    {
        using var process = Start(command);
        process.StandardInput.Close();
        using var deadline = new CancellationTokenSource(Patience);
        await process.WaitForExitAsync(deadline.Token);
        if (process.ExitCode != 0) throw new InvalidOperationException($"{command[0]} failed with {process.ExitCode}.");
    }
}
