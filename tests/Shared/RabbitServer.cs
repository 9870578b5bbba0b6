using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace VoiceGrains.Tests.Shared;

/// <summary>
/// A private RabbitMQ for the tests of this process: its own data, ports, node name and port mapper (epmd), nothing shared with a broker of the
/// machine. It is killed with the process.
/// </summary>
internal sealed class RabbitServer
{
    /// <summary>Users whose password is their name: may not enter; may only read; may do everything but publish to an exchange of ours.</summary>
    public const string Stranger = "stranger", Observer = "observer", Mute = "mute";

    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(90);
    private static readonly string Root = Path.Combine(Path.GetTempPath(), "voicegrains-test-rabbitmq");
    private static readonly Lazy<Task<RabbitServer>> Shared = new(StartAsync);

    private readonly string _folder;
    private readonly int _port;
    private readonly int _mapperPort;
    private readonly int _distributionPort;
    private readonly Process _mapper;
    private Process _broker = null!;

    private RabbitServer(string folder, Process mapper, int mapperPort) =>
        (_folder, _mapper, _mapperPort, _port, _distributionPort) = (folder, mapper, mapperPort, PostgresServer.FreePort(), PostgresServer.FreePort());

    /// <summary>For a user who may do everything.</summary>
    public string Uri => UriOf("guest", "guest");

    public string UriOf(string user, string password) => string.Create(CultureInfo.InvariantCulture, $"amqp://{user}:{password}@127.0.0.1:{_port}/");

    public int Port => _port;

    /// <summary>CPU time of the broker so far.</summary>
    public TimeSpan CpuTime
    {
        get
        {
            _broker.Refresh();
            return _broker.TotalProcessorTime;
        }
    }

    /// <summary>The broker that all tests of this process share, each with an exchange of its own.</summary>
    public static Task<RabbitServer> GetAsync(CancellationToken cancellationToken = default) => Shared.Value.WaitAsync(cancellationToken);

    /// <summary>A broker of one test's own, which may stop and start it.</summary>
    public static async Task<RabbitServer> StartAsync()
    {
        var home = Directory.Exists("/usr/lib/rabbitmq/lib") ? Directory.GetDirectories("/usr/lib/rabbitmq/lib", "rabbitmq_server-*").FirstOrDefault() : null;
        if (home is null)
            throw new InvalidOperationException("RabbitMQ is not installed: apt-get install rabbitmq-server");
        PostgresServer.DeleteLeftovers(Root);
        var folder = Path.Combine(Root, string.Create(CultureInfo.InvariantCulture, $"{Environment.ProcessId}-{Guid.NewGuid():N}"));
        Directory.CreateDirectory(folder);
        var mapperPort = PostgresServer.FreePort();
        var mapper = await StartAsync("epmd", ["-port", Text(mapperPort), "-address", "127.0.0.1"], []);
        var server = new RabbitServer(folder, mapper, mapperPort);
        await File.WriteAllTextAsync(Path.Combine(folder, "rabbitmq.conf"), $"listeners.tcp.1 = 127.0.0.1:{Text(server._port)}\nload_definitions = {folder}/users.json\n");
        await File.WriteAllTextAsync(Path.Combine(folder, "users.json"), Users());
        if (Environment.IsPrivilegedProcess)
        {
            await PostgresServer.RunAsync("chmod", ["a+rx", Root]);
            await PostgresServer.RunAsync("chown", ["-R", "rabbitmq", folder]);
        }
        AppDomain.CurrentDomain.ProcessExit += (_, _) => server.Stop();
        await server.StartBrokerAsync();
        return server;
    }

    /// <summary>Kills the broker: what it held in memory is gone.</summary>
    public async Task KillAsync()
    {
        _broker.Kill(entireProcessTree: true);
        await _broker.WaitForExitAsync();
    }

    /// <summary>Starts the broker, again on the same port, and waits until it takes connections.</summary>
    public async Task StartBrokerAsync()
    {
        var home = Directory.GetDirectories("/usr/lib/rabbitmq/lib", "rabbitmq_server-*")[0];
        _broker = await StartAsync(Path.Combine(home, "sbin", "rabbitmq-server"), [],
        [
            $"HOME={_folder}", $"ERL_EPMD_PORT={Text(_mapperPort)}", "ERL_EPMD_ADDRESS=127.0.0.1", $"RABBITMQ_NODENAME=test{Text(_port)}@localhost",
            $"RABBITMQ_MNESIA_BASE={_folder}/mnesia", $"RABBITMQ_LOG_BASE={_folder}/log", "RABBITMQ_LOGS=-", $"RABBITMQ_CONFIG_FILE={_folder}/rabbitmq.conf",
            $"RABBITMQ_DIST_PORT={Text(_distributionPort)}", "RABBITMQ_ALLOW_INPUT=1", $"RABBITMQ_PID_FILE={_folder}/pid", "RABBITMQ_CONF_ENV_FILE=/dev/null",
            $"RABBITMQ_ENABLED_PLUGINS_FILE={_folder}/enabled_plugins", "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS=+S 1:1 +sbwt none +sbwtdcpu none -noinput",
        ]);
        await WaitUntilReadyAsync();
    }

    // Beside the one who may do everything, those who may not.
    private static string Users()
    {
        (string Name, string? Configure, string? Write)[] users = [("guest", ".*", ".*"), (Stranger, null, null), (Observer, "^$", "^$"), (Mute, ".*", "^amq.gen")];
        return JsonSerializer.Serialize(new
        {
            vhosts = new[] { new { name = "/" } },
            users = users.Select(user => new { name = user.Name, password_hash = PasswordHash(user.Name), hashing_algorithm = "rabbit_password_hashing_sha256", tags = "" }),
            permissions = users.Where(user => user.Write is not null).Select(user => new { user = user.Name, vhost = "/", configure = user.Configure, write = user.Write, read = ".*" }),
        });
    }

    // A salt of four bytes and the SHA-256 of salt and password (RabbitMQ's documentation: passwords). The password is the name.
    private static string PasswordHash(string password)
    {
        byte[] salt = [1, 2, 3, 4];
        return Convert.ToBase64String([.. salt, .. SHA256.HashData([.. salt, .. Encoding.UTF8.GetBytes(password)])]);
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    // setpriv makes the kernel kill the server with the thread that started it, whose life is that of the process.
    private static async Task<Process> StartAsync(string file, string[] arguments, string[] environment)
    {
        string[] user = Environment.IsPrivilegedProcess ? ["--reuid", "rabbitmq", "--regid", "rabbitmq", "--init-groups", "--reset-env"] : [];
        var info = new ProcessStartInfo("setpriv", ["--pdeathsig", "KILL", .. user, "env", .. environment, file, .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = "/",
        };
        var process = await PostgresServer.StartWatchedAsync(info);
        process.OutputDataReceived += static (_, _) => { };      // read, so that it never waits for us
        process.ErrorDataReceived += static (_, _) => { };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return process;
    }

    private async Task WaitUntilReadyAsync()
    {
        var started = Stopwatch.GetTimestamp();
        while (!await AnswersAsync())
        {
            if (_broker.HasExited || Stopwatch.GetElapsedTime(started) > StartTimeout)
                throw new InvalidOperationException($"RabbitMQ did not start (see {_folder}).");
            await Task.Delay(TimeSpan.FromMilliseconds(100));
        }
    }

    private async Task<bool> AnswersAsync()
    {
        try
        {
            using var client = new TcpClient();
            await client.ConnectAsync(IPAddress.Loopback, _port);
            await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes("AMQP\0\0\x9\x1"));
            using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(5));
            return await client.GetStream().ReadAsync(new byte[1], timeout.Token) == 1;
        }
        catch (Exception exception) when (exception is SocketException or IOException or OperationCanceledException)
        {
            return false;
        }
    }

    private void Stop()
    {
        foreach (var process in new[] { _broker, _mapper })
        {
            if (process is { HasExited: false })
                process.Kill(entireProcessTree: true);
        }
        try
        {
            Directory.Delete(_folder, recursive: true);
        }
        catch (IOException)
        {
            // The next test process deletes it.
        }
    }
}
