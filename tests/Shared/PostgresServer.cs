using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Npgsql;
using VoiceGrains.Silo.Launch;

namespace VoiceGrains.Tests.Shared;

/// <summary>
/// A private PostgreSQL for the tests of this process: started on first use, in a folder under the temporary one, on a loopback port. It stops with the process, even a killed one (the kernel signals it), and what a killed process left is deleted by the next.
/// </summary>
internal static class PostgresServer
{
    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(180);
    // One for each user: another's folder could not be written to.
    private static readonly string Root = Path.Combine(Path.GetTempPath(), $"voicegrains-test-postgres-{Environment.UserName}");
    private static readonly Lazy<Task<Server>> Shared = new(() => StartAsync(durable: false)), SharedDurable = new(() => StartAsync(durable: true));
    private static int _databases;

    /// <summary>Makes an empty database. Dispose it to drop it.</summary>
    /// <param name="durable">On a server whose commits are on the disk, for who measures them; tests of behaviour need not wait for a disk.</param>
    /// <param name="template">Name of a database that nobody is connected to, to be copied.</param>
    public static async Task<TestDatabase> CreateDatabaseAsync(CancellationToken cancellationToken = default, bool durable = false, string template = "template1")
    {
        var server = await (durable ? SharedDurable : Shared).Value.WaitAsync(cancellationToken);
        var name = string.Create(CultureInfo.InvariantCulture, $"test_{Interlocked.Increment(ref _databases)}");
        await server.ExecuteAsync($"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY", cancellationToken);
        return new(name, server.ConnectionString(name), () => server.ExecuteAsync($"DROP DATABASE IF EXISTS {name} WITH (FORCE)", CancellationToken.None));
    }

    /// <summary>Stops what was started and deletes its folder. The end of the process does the same, but a runner that waits for that reports a process that hangs.</summary>
    public static void Stop()
    {
        foreach (var server in (ReadOnlySpan<Lazy<Task<Server>>>)[Shared, SharedDurable])
        {
            if (server.IsValueCreated && server.Value.IsCompletedSuccessfully) server.Value.Result.Stop();
        }
    }

    private static async Task<Server> StartAsync(bool durable)
    {
        var binaries = Directory.Exists("/usr/lib/postgresql")
            ? Directory.GetDirectories("/usr/lib/postgresql").Select(version => Path.Combine(version, "bin"))
                .Where(bin => File.Exists(Path.Combine(bin, "postgres"))).MaxBy(bin => bin, StringComparer.Ordinal)
            : null;
        if (binaries is null)
            throw new InvalidOperationException("PostgreSQL is not installed: apt-get install postgresql");

        DeleteLeftovers(Root);
        // Named by the owning process, so that others can tell whether it still lives.
        var folder = Path.Combine(Root, string.Create(CultureInfo.InvariantCulture, $"{Environment.ProcessId}-{Guid.NewGuid():N}"));
        Directory.CreateDirectory(folder);
        if (IsRoot)
        {
            await RunAsync("chmod", ["a+rx", Root]);
            await RunAsync("chown", ["postgres", folder]);
        }
        var data = Path.Combine(folder, "data");
        await RunAsync(AsServerUser(Path.Combine(binaries, "initdb"), ["-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync"]));

        string[] careless = ["-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off"];
        var port = FreePorts.Take(1)[0];
        var process = await StartWatchedAsync(StartInfo(AsServerUser(Path.Combine(binaries, "postgres"),
        [
            "-D", data, "-p", port.ToString(CultureInfo.InvariantCulture), "-c", "listen_addresses=127.0.0.1", "-c", $"unix_socket_directories={folder}",
            "-c", "max_connections=200", "-c", "shared_buffers=32MB", "-c", "logging_collector=off", .. durable ? ["-c", "shared_buffers=1GB"] : careless,   // who measures wants memory as a server has it
        ])));
        var server = new Server(process, folder, port);
        AppDomain.CurrentDomain.ProcessExit += (_, _) => server.Stop();
        await server.WaitUntilReadyAsync(StartTimeout);
        return server;
    }

    // The parent-death signal comes when the thread that started the child ends, so that thread must live as long as the child.
    internal static Task<Process> StartWatchedAsync(ProcessStartInfo info)
    {
        var started = new TaskCompletionSource<Process>(TaskCreationOptions.RunContinuationsAsynchronously);
        new Thread(() =>
        {
            try
            {
                var process = Process.Start(info)!;
                started.SetResult(process);
                process.WaitForExit();
            }
            catch (Exception exception)
            {
                started.TrySetException(exception);
            }
        })
        { IsBackground = true, Name = "Server for tests" }.Start();
        return started.Task;
    }

    // PostgreSQL refuses to run as root. The parent-death signal is SIGQUIT: an immediate shutdown that also ends its children.
    private static (string File, string[] Arguments) AsServerUser(string file, string[] arguments) => IsRoot
        ? ("setpriv", ["--pdeathsig", "QUIT", "--reuid", "postgres", "--regid", "postgres", "--init-groups", "--reset-env", file, .. arguments])
        : ("setpriv", ["--pdeathsig", "QUIT", file, .. arguments]);

    private static bool IsRoot => Environment.IsPrivilegedProcess;

    internal static void DeleteLeftovers(string root)
    {
        if (!Directory.Exists(root))
            return;
        foreach (var folder in Directory.GetDirectories(root))
        {
            var owner = Path.GetFileName(folder).Split('-')[0];
            if (Directory.Exists($"/proc/{owner}"))
                continue;
            try
            {
                Directory.Delete(folder, recursive: true);
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                // Another test process is deleting it as well, or another user owns it.
            }
        }
    }

    private static ProcessStartInfo StartInfo((string File, string[] Arguments) command) =>
        new(command.File, command.Arguments) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = "/" };

    private static Task RunAsync((string File, string[] Arguments) command) => RunAsync(command.File, command.Arguments);

    internal static async Task RunAsync(string file, string[] arguments)
    {
        using var process = Process.Start(StartInfo((file, arguments)))!;
        using var timeout = new CancellationTokenSource(StartTimeout);
        var output = process.StandardOutput.ReadToEndAsync(timeout.Token);
        var errors = process.StandardError.ReadToEndAsync(timeout.Token);
        await process.WaitForExitAsync(timeout.Token);
        if (process.ExitCode != 0)
            throw new InvalidOperationException($"{file} ended with {process.ExitCode}: {await output}{await errors}");
    }

    private sealed class Server
    {
        private readonly Process _process;
        private readonly string _folder;
        private readonly int _port;
        private readonly Queue<string> _log = new();

        public Server(Process process, string folder, int port)
        {
            (_process, _folder, _port) = (process, folder, port);
            process.OutputDataReceived += (_, line) => Remember(line.Data);
            process.ErrorDataReceived += (_, line) => Remember(line.Data);
            process.BeginOutputReadLine();
            process.BeginErrorReadLine();
        }

        public string ConnectionString(string database) => string.Create(
            CultureInfo.InvariantCulture, $"Host=127.0.0.1;Port={_port};Username=postgres;Database={database};Maximum Pool Size=20;Timeout=15;Include Error Detail=true");

        public async Task ExecuteAsync(string sql, CancellationToken cancellationToken)
        {
            await using var connection = new NpgsqlConnection(ConnectionString("postgres") + ";Pooling=false");
            await connection.OpenAsync(cancellationToken);
            await using var command = new NpgsqlCommand(sql, connection);
            await command.ExecuteNonQueryAsync(cancellationToken);
        }

        public async Task WaitUntilReadyAsync(TimeSpan timeout)
        {
            var started = Stopwatch.GetTimestamp();
            while (true)
            {
                try
                {
                    await ExecuteAsync("SELECT 1", CancellationToken.None);
                    return;
                }
                catch (Exception exception) when (exception is NpgsqlException or SocketException)
                {
                    if (_process.HasExited || Stopwatch.GetElapsedTime(started) > timeout)
                        throw new InvalidOperationException($"PostgreSQL did not start: {Log()}", exception);
                    await Task.Delay(TimeSpan.FromMilliseconds(50));
                }
            }
        }

        public void Stop()
        {
            if (!_process.HasExited)
            {
                // SIGQUIT: immediate shutdown. Nothing here outlives the process anyway.
                _ = kill(_process.Id, 3);
                if (!_process.WaitForExit(TimeSpan.FromSeconds(10)))
                    _process.Kill(entireProcessTree: true);
            }
            try
            {
                Directory.Delete(_folder, recursive: true);
            }
            catch (IOException)
            {
                // A last child still wrote: the next test process deletes it.
            }
        }

        [DllImport("libc")]
        private static extern int kill(int processId, int signal);

        private void Remember(string? line)
        {
            if (line is null)
                return;
            lock (_log)
            {
                _log.Enqueue(line);
                if (_log.Count > 50)
                    _log.Dequeue();
            }
        }

        private string Log()
        {
            lock (_log)
                return string.Join('\n', _log);
        }
    }
}

/// <summary>A database of one fixture's own.</summary>
internal sealed class TestDatabase(string name, string connectionString, Func<Task> drop) : IAsyncDisposable
{
    public string Name => name;

    public string ConnectionString => connectionString;

    public async ValueTask DisposeAsync()
    {
        await using (var connection = new NpgsqlConnection(connectionString))
            NpgsqlConnection.ClearPool(connection);
        await drop();
    }
}
