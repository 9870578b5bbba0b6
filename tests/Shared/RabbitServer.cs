using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using VoiceGrains.Silo.Launch;

namespace VoiceGrains.Tests.Shared;

/// <summary>
/// A private RabbitMQ for the tests of this process, run as <see cref="RabbitMqNode"/> says. It is killed with the process.
/// </summary>
internal sealed class RabbitServer
{
    /// <summary>
    /// Users whose password is their name: may not enter; may only read; may do everything but publish to an exchange of ours; may do what a
    /// cluster's exchange named <c>grains...</c> needs and no more (docs/cluster.md).
    /// </summary>
    public const string Stranger = "stranger", Observer = "observer", Mute = "mute", Frugal = "frugal";

    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(180);
    private static readonly string Root = Path.Combine(Path.GetTempPath(), $"voicegrains-test-rabbitmq-{Environment.UserName}");
    private static readonly Lazy<Task<RabbitServer>> Shared = new(StartAsync);

    private readonly RabbitMqNode _node;
    private readonly Process _mapper;
    private Process _broker = null!;

    private RabbitServer(RabbitMqNode node, Process mapper) => (_node, _mapper) = (node, mapper);

    /// <summary>For a user who may do everything.</summary>
    public string Uri => _node.Uri;

    public string UriOf(string user, string password) => string.Create(CultureInfo.InvariantCulture, $"amqp://{user}:{password}@127.0.0.1:{Port}/");

    public int Port => _node.Port;

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
        if (RabbitMqNode.FindProgram() is null)
            throw new InvalidOperationException("RabbitMQ is not installed: apt-get install rabbitmq-server");
        PostgresServer.DeleteLeftovers(Root);
        var ports = FreePorts.Take(3);
        var node = new RabbitMqNode
        {
            Folder = Path.Combine(Root, string.Create(CultureInfo.InvariantCulture, $"{Environment.ProcessId}-{Guid.NewGuid():N}")),
            Port = ports[0],
            MapperPort = ports[1],
            DistributionPort = ports[2],
            User = "guest",
            Password = "guest",
            ErlangArguments = "+S 1:1 +sbwt none +sbwtdcpu none",
        };
        Directory.CreateDirectory(node.Folder);
        var server = new RabbitServer(node, await StartAsync("epmd", node.MapperArguments, []));
        await File.WriteAllTextAsync(node.ConfigurationFile, $"{node.Configuration}load_definitions = {node.Folder}/users.json\n");
        await File.WriteAllTextAsync(Path.Combine(node.Folder, "users.json"), Users());
        LinkCore(node);
        if (Environment.IsPrivilegedProcess)
        {
            await PostgresServer.RunAsync("chmod", ["a+rx", Root]);
            await PostgresServer.RunAsync("chown", ["-R", "rabbitmq", node.Folder]);
        }
        AppDomain.CurrentDomain.ProcessExit += (_, _) => server.Stop();
        await server.StartBrokerAsync();
        return server;
    }

    /// <summary>As <see cref="PostgresServer.Stop"/>.</summary>
    public static void StopShared()
    {
        if (Shared is { IsValueCreated: true, Value.IsCompletedSuccessfully: true }) Shared.Value.Result.Stop();
    }

    /// <summary>Kills the broker: what it held in memory is gone.</summary>
    public async Task KillAsync()
    {
        _broker.Kill(entireProcessTree: true);
        await _broker.WaitForExitAsync();
    }

    /// <summary>Starts the broker, again on the same port, and waits until it takes connections. One that ends at once, since its port mapper was not there yet, is started again.</summary>
    public async Task StartBrokerAsync()
    {
        for (var attempt = 1; ; attempt++)
        {
            _broker = await StartAsync(
                RabbitMqNode.FindProgram()!, [], [.. _node.Environment.Select(variable => $"{variable.Key}={variable.Value}"), $"RABBITMQ_SCRIPTS_DIR={Scripts(_node)}"]);
            try
            {
                await WaitUntilReadyAsync();
                return;
            }
            catch (InvalidOperationException) when (attempt < 3 && _broker.HasExited)
            {
            }
        }
    }

    private static string Scripts(RabbitMqNode node) => Path.Combine(node.Folder, "core", "sbin");

    /// <summary>
    /// A RabbitMQ without its plugins, as links to the installed one. Erlang looks for each of a thousand modules in one folder after another, and the plugins'
    /// are two of three: without them a start takes 40 % less of a core.
    /// </summary>
    private static void LinkCore(RabbitMqNode node)
    {
        var installed = Path.GetFullPath(Path.Combine(RabbitMqNode.FindProgram()!, "../.."));
        var plugins = Directory.CreateDirectory(Path.Combine(node.Folder, "core", "plugins")).FullName;
        foreach (var folder in Directory.GetDirectories(Path.Combine(installed, "plugins")))
        {
            var name = Path.GetFileName(folder);
            var isPlugin = name.StartsWith("rabbitmq_", StringComparison.Ordinal) && !name.StartsWith("rabbitmq_prelaunch", StringComparison.Ordinal);
            if (!isPlugin) Directory.CreateSymbolicLink(Path.Combine(plugins, name), folder);
        }
        Directory.CreateDirectory(Scripts(node));
        foreach (var script in Directory.GetFiles(Path.Combine(installed, "sbin")))
            File.CreateSymbolicLink(Path.Combine(Scripts(node), Path.GetFileName(script)), script);
    }

    // Beside the one who may do everything, those who may not.
    private static string Users()
    {
        (string Name, string? Configure, string? Write, string Read)[] users =
        [
            ("guest", ".*", ".*", ".*"), (Stranger, null, null, ""), (Observer, "^$", "^$", ".*"), (Mute, ".*", "^amq.gen", ".*"),
            (Frugal, @"^(grains.*|amq\.gen.*)$", @"^(grains.*|amq\.gen.*|amq\.default)$", @"^(grains.*|amq\.gen.*)$"),
        ];
        return JsonSerializer.Serialize(new
        {
            vhosts = new[] { new { name = "/" } },
            users = users.Select(user => new { name = user.Name, password_hash = PasswordHash(user.Name), hashing_algorithm = "rabbit_password_hashing_sha256", tags = "" }),
            permissions = users.Where(user => user.Write is not null).Select(user => new { user = user.Name, vhost = "/", configure = user.Configure, write = user.Write, read = user.Read }),
        });
    }

    // A salt of four bytes and the SHA-256 of salt and password (RabbitMQ's documentation: passwords). The password is the name.
    private static string PasswordHash(string password)
    {
        byte[] salt = [1, 2, 3, 4];
        return Convert.ToBase64String([.. salt, .. SHA256.HashData([.. salt, .. Encoding.UTF8.GetBytes(password)])]);
    }

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
        while (!await _node.AnswersAsync(CancellationToken.None))
        {
            if (_broker.HasExited || Stopwatch.GetElapsedTime(started) > StartTimeout)
                throw new InvalidOperationException($"RabbitMQ did not start (see {_node.Folder}).");
            await Task.Delay(TimeSpan.FromMilliseconds(100));
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
            Directory.Delete(_node.Folder, recursive: true);
        }
        catch (IOException)
        {
            // The next test process deletes it.
        }
    }
}
