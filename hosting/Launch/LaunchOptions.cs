using System.Globalization;
using System.Net;

namespace VoiceGrains.Hosting.Launch;

/// <summary>Where to listen and where to keep data. A command-line argument wins over the environment, which wins over <c>Launch:</c> in configuration.</summary>
public sealed record LaunchOptions
{
    /// <summary>More silos than this are for machines of their own.</summary>
    private const int MaxClusterSize = 9;

    /// <summary>TCP port of the API, 0 to 65,535; 0 takes a free one. Default 8080. <c>--port</c>, <c>VOICEGRAINS_PORT</c>.</summary>
    public int Port { get; init; } = 8080;

    /// <summary>Address to listen on: an IP address, <c>localhost</c>, or <c>*</c> for all. Default 127.0.0.1. <c>--bind</c>, <c>VOICEGRAINS_BIND</c>.</summary>
    public string Bind { get; init; } = "127.0.0.1";

    /// <summary>Absolute path of the folder for keys, database and recordings. Default <c>./.data</c>. <c>--data</c>, <c>VOICEGRAINS_DATA</c>.</summary>
    public string Data { get; init; } = Path.GetFullPath(".data");

    /// <summary>True when port or address were stated; otherwise ASP.NET's own <c>urls</c> setting, if there is one, decides.</summary>
    public bool IsAddressStated { get; init; }

    /// <summary>Bring the database of <c>ConnectionStrings:VoiceGrains</c> to this build's schema and exit, serving nobody. <c>--migrate-only</c>.</summary>
    public bool IsMigrateOnly { get; init; }

    /// <summary>How many silos to start as processes of their own, 1 to 9, with a gateway before them; null to be the one silo. <c>--cluster</c>.</summary>
    public int? ClusterSize { get; init; }

    /// <summary>Whether the usage text was asked for.</summary>
    public bool IsHelp { get; init; }

    /// <summary>What Kestrel listens on.</summary>
    public string Url => $"http://{(IPAddress.TryParse(Bind, out var ip) && ip.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6 ? $"[{ip}]" : Bind)}:{Port}";

    /// <summary>Reads arguments, then the environment, then configuration.</summary>
    /// <exception cref="LaunchException">An argument is unknown or a value is out of range; the exit code is <see cref="LaunchException.Usage"/>.</exception>
    public static LaunchOptions Parse(IReadOnlyList<string> args, IConfiguration configuration)
    {
        var given = ReadArguments(args);
        var (port, bind, data) = (Setting("port"), Setting("bind"), Setting("data"));
        if (given.ContainsKey("cluster") && given.ContainsKey("migrate-only"))
            throw Misuse("--cluster and --migrate-only exclude each other.");
        return new LaunchOptions
        {
            Port = port is null ? 8080 : ParsePort(port),
            Bind = bind is null ? "127.0.0.1" : ParseBind(bind),
            Data = Path.GetFullPath(string.IsNullOrWhiteSpace(data) ? ".data" : data),
            IsAddressStated = port is not null || bind is not null,
            IsMigrateOnly = given.ContainsKey("migrate-only"),
            ClusterSize = given.TryGetValue("cluster", out var size) ? ParseClusterSize(size) : null,
            IsHelp = given.ContainsKey("help"),
        };

        string? Setting(string name) => given.GetValueOrDefault(name)
            ?? NotEmpty(configuration[$"VOICEGRAINS_{name.ToUpperInvariant()}"])
            ?? NotEmpty(configuration[$"Launch:{name}"]);
    }

    /// <summary>The text of <c>--help</c>.</summary>
    public static string UsageText()
    {
        using var stream = typeof(LaunchOptions).Assembly.GetManifestResourceStream("usage.txt")!;
        return new StreamReader(stream).ReadToEnd();
    }

    private static Dictionary<string, string> ReadArguments(IReadOnlyList<string> args)
    {
        var given = new Dictionary<string, string>(StringComparer.Ordinal);
        for (var i = 0; i < args.Count; i++)
        {
            var (name, value) = args[i].Split('=', 2) is [var left, var right] ? (left, right) : (args[i], null);
            switch (name)
            {
                case "--help" or "-h":
                    given["help"] = "";
                    break;
                case "--migrate-only":
                    given["migrate-only"] = "";
                    break;
                case "--port" or "--bind" or "--data" or "--cluster":
                    value ??= ++i < args.Count ? args[i] : throw Misuse($"{name} needs a value.");
                    given[name[2..]] = value;
                    break;
                case "--environment" or "--contentRoot" or "--applicationName":   // ASP.NET's own, given by its test host
                    break;
                default:
                    throw Misuse($"Unknown argument: {args[i]}");
            }
        }
        return given;
    }

    private static int ParsePort(string text)
        => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port <= 65_535
            ? port
            : throw Misuse($"The port must be a number from 0 to 65535, not '{text}'.");

    private static int ParseClusterSize(string text)
        => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var size) && size is >= 1 and <= MaxClusterSize
            ? size
            : throw Misuse($"The number of silos must be from 1 to {MaxClusterSize}, not '{text}'.");

    private static string ParseBind(string text)
        => text is "localhost" or "*" || IPAddress.TryParse(text, out _)
            ? text
            : throw Misuse($"The address to listen on must be an IP address, 'localhost' or '*', not '{text}'.");

    private static string? NotEmpty(string? text) => string.IsNullOrEmpty(text) ? null : text;

    private static LaunchException Misuse(string problem) => new($"{problem}\n\n{UsageText()}", LaunchException.Usage);
}
