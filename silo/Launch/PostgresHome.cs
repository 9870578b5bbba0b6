using VoiceGrains.Hosting.Launch;

namespace VoiceGrains.Silo.Launch;

/// <summary>Where a private PostgreSQL lives and which installed version runs it. Paths are absolute.</summary>
/// <remarks>PostgreSQL refuses to run as root, so a silo run by root gives the cluster to the <c>postgres</c> user: see <see cref="ServerFolder"/>.</remarks>
public sealed record PostgresHome
{
    private const int LongestSocketPath = 107;      // sun_path, without its terminating zero
    private const string SocketFile = ".s.PGSQL.5432";

    /// <summary>Holds everything below.</summary>
    public required string Root { get; init; }

    /// <summary>Folder of the one socket; only the server's user (and root) may enter.</summary>
    public required string Socket { get; init; }

    /// <summary>Folder of <c>postgres</c> and <c>initdb</c>.</summary>
    public required string Programs { get; init; }

    /// <summary>The user to run the server as, or null for the user of this process.</summary>
    public string? RunAs { get; init; }

    /// <summary>PGDATA.</summary>
    public string Cluster => Path.Combine(Root, "data");

    /// <summary>What the server said since its last start.</summary>
    public string Log => Path.Combine(Root, "server.log");

    /// <summary>Whether the socket's folder is a temporary one, to be removed at the end.</summary>
    public bool IsSocketTemporary => !Socket.StartsWith(Root, StringComparison.Ordinal);

    /// <summary>Finds or makes the folders of the cluster that belongs to a data folder. Starts nothing.</summary>
    /// <exception cref="LaunchException">PostgreSQL is not installed, or a folder cannot be made.</exception>
    public static PostgresHome Prepare(string dataFolder)
    {
        var runAs = Environment.IsPrivilegedProcess ? "postgres" : null;
        var root = ServerFolder.Locate(dataFolder, "postgres", runAs);
        ServerFolder.Make(root, runAs);
        var socket = Path.Combine(root, "socket");
        if (IsUsableAsSocketFolder(socket))
            ServerFolder.Make(socket, runAs);
        else
            socket = ServerFolder.MakeTemporary(runAs);
        return new PostgresHome { Root = root, Socket = socket, RunAs = runAs, Programs = FindPrograms(Path.Combine(root, "data")) };
    }

    /// <summary>Npgsql reads a comma in the host as a list of hosts, and PostgreSQL reads one, or a quote, in the folder as a list of folders.</summary>
    private static bool IsUsableAsSocketFolder(string folder)
        => System.Text.Encoding.UTF8.GetByteCount(Path.Combine(folder, SocketFile)) <= LongestSocketPath && folder.AsSpan().IndexOfAny(",\"") < 0;

    /// <summary>An existing cluster needs the major version that made it; a new one takes the newest installed.</summary>
    private static string FindPrograms(string cluster)
    {
        var versionFile = Path.Combine(cluster, "PG_VERSION");
        var wanted = File.Exists(versionFile) ? File.ReadAllText(versionFile).Trim() : null;
        const string installed = "/usr/lib/postgresql";
        var versions = Directory.Exists(installed)
            ? Directory.GetDirectories(installed).Where(folder => File.Exists(Path.Combine(folder, "bin/postgres")))
                .Select(folder => Path.GetFileName(folder)!).OrderByDescending(version => int.TryParse(version, out var number) ? number : 0).ToList()
            : [];
        if (versions.Count == 0)
            throw new LaunchException("PostgreSQL is not installed: apt-get install postgresql, or set ConnectionStrings__VoiceGrains to use a server of your own.");
        var chosen = wanted ?? versions[0];
        if (!versions.Contains(chosen))
            throw new LaunchException($"The database in {cluster} was made by PostgreSQL {chosen}, and installed is {string.Join(", ", versions)}: "
                + $"apt-get install postgresql-{chosen}, or move it with pg_upgrade.");
        return Path.Combine(installed, chosen, "bin");
    }
}
