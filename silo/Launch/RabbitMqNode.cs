using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace VoiceGrains.Silo.Launch;

/// <summary>
/// How a RabbitMQ of one's own is run: data, ports, node name, cookie and port mapper (epmd) of its own, nothing shared with a broker of the machine, reachable
/// from this machine only.
/// </summary>
internal sealed record RabbitMqNode
{
    private const string Installed = "/usr/lib/rabbitmq/lib";

    /// <summary>Holds everything that it keeps; must belong to the user that runs it.</summary>
    public required string Folder { get; init; }

    /// <summary>TCP port for AMQP.</summary>
    public required int Port { get; init; }

    /// <summary>TCP port of the port mapper, which RabbitMQ does not start without.</summary>
    public required int MapperPort { get; init; }

    /// <summary>TCP port for other nodes, of which there are none.</summary>
    public required int DistributionPort { get; init; }

    /// <summary>Made at the node's first start, and may do everything.</summary>
    public string User { get; init; } = "voicegrains";

    /// <summary>Letters and digits.</summary>
    public required string Password { get; init; }

    /// <summary>Erlang's own arguments. By default no thread waits actively: the machine is shared with the silos.</summary>
    public string ErlangArguments { get; init; } = "+sbwt none +sbwtdcpu none +sbwtdio none";

    public string Uri => string.Create(CultureInfo.InvariantCulture, $"amqp://{User}:{Password}@127.0.0.1:{Port}/");

    /// <summary>Where <see cref="Configuration"/> must be written before the start.</summary>
    public string ConfigurationFile => Path.Combine(Folder, "rabbitmq.conf");

    /// <summary>Holds the password.</summary>
    public string Configuration => string.Create(CultureInfo.InvariantCulture, $"""
        listeners.tcp.1 = 127.0.0.1:{Port}
        default_user = {User}
        default_pass = {Password}

        """);

    /// <summary>Arguments of <c>epmd</c>.</summary>
    public string[] MapperArguments => ["-port", Text(MapperPort), "-address", "127.0.0.1"];

    public IEnumerable<KeyValuePair<string, string>> Environment => new Dictionary<string, string>
    {
        ["HOME"] = Folder,      // of the cookie
        ["ERL_EPMD_PORT"] = Text(MapperPort),
        ["ERL_EPMD_ADDRESS"] = "127.0.0.1",
        ["RABBITMQ_NODENAME"] = $"{User}@localhost",
        ["RABBITMQ_MNESIA_BASE"] = Path.Combine(Folder, "mnesia"),
        ["RABBITMQ_LOG_BASE"] = Path.Combine(Folder, "log"),
        ["RABBITMQ_LOGS"] = "-",
        ["RABBITMQ_CONFIG_FILE"] = ConfigurationFile,
        ["RABBITMQ_CONF_ENV_FILE"] = "/dev/null",       // not the machine's
        ["RABBITMQ_ENABLED_PLUGINS_FILE"] = Path.Combine(Folder, "enabled_plugins"),
        ["RABBITMQ_PID_FILE"] = Path.Combine(Folder, "pid"),
        ["RABBITMQ_DIST_PORT"] = Text(DistributionPort),
        ["RABBITMQ_ALLOW_INPUT"] = "1",     // becomes the broker instead of starting it: the process id is the broker's own
        ["RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS"] = $"{ErlangArguments} -kernel inet_dist_use_interface {{127,0,0,1}} -noinput",
    };

    /// <summary>The start script of the newest RabbitMQ that is installed; null when there is none.</summary>
    public static string? FindProgram()
        => Directory.Exists(Installed)
            ? Directory.GetDirectories(Installed, "rabbitmq_server-*").Select(home => Path.Combine(home, "sbin", "rabbitmq-server")).Where(File.Exists).Max(StringComparer.Ordinal)
            : null;

    /// <summary>Whether it takes connections: asked in AMQP, since the port opens before the broker serves.</summary>
    public async Task<bool> AnswersAsync(CancellationToken cancellationToken)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(TimeSpan.FromSeconds(5));
        try
        {
            using var client = new TcpClient();
            await client.ConnectAsync(IPAddress.Loopback, Port, timeout.Token);
            await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes("AMQP\0\0\x9\x1"), timeout.Token);
            return await client.GetStream().ReadAsync(new byte[1], timeout.Token) == 1;
        }
        catch (Exception notYet) when (notYet is SocketException or IOException or OperationCanceledException && !cancellationToken.IsCancellationRequested)
        {
            return false;
        }
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
