using System.Globalization;
using VoiceGrains.Hosting.Launch;

namespace VoiceGrains.Silo.Launch;

/// <summary>
/// Clears what a silo that was killed left in its cluster's home. The kernel has asked the server to shut down by then (see <see cref="ServerProcess"/>), and it
/// may still be at it; a container that was stopped leaves a process id that now belongs to someone else. The home's lock is held, so no other silo is at work here.
/// </summary>
internal sealed class PostgresOrphan(PostgresHome home, TimeProvider clock)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>Waits for, then ends, a server that still runs on this very cluster; never signals any other process.</summary>
    public async Task RemoveAsync(CancellationToken cancellationToken)
    {
        var pidFile = Path.Combine(home.Cluster, "postmaster.pid");
        if (ReadProcessId(pidFile) is { } processId && Native.IsAlive(processId))
        {
            if (IsOurs(processId))
                await EndAsync(processId, cancellationToken);
            else
                File.Delete(pidFile);       // PostgreSQL takes a living process of that id for a server and would refuse to start
        }
        if (!home.IsSocketTemporary)
        {
            foreach (var left in Directory.EnumerateFileSystemEntries(home.Socket))
                File.Delete(left);          // its lock file names a process the same way
        }
    }

    private async Task EndAsync(int processId, CancellationToken cancellationToken)
    {
        Native.Signal(processId, Native.SigInt);
        var asked = clock.GetTimestamp();
        while (Native.IsAlive(processId))
        {
            if (clock.GetElapsedTime(asked) > Patience)
                Native.Signal(processId, Native.SigQuit);
            await Task.Delay(TimeSpan.FromMilliseconds(20), clock, cancellationToken);
        }
    }

    private bool IsOurs(int processId)
    {
        var arguments = Native.CommandLine(processId);
        var folder = Array.IndexOf(arguments, "-D") + 1;
        return folder > 0 && folder < arguments.Length && arguments[folder] == home.Cluster && Path.GetFileName(arguments[0]) == "postgres";
    }

    private static int? ReadProcessId(string pidFile)
    {
        try
        {
            using var reader = new StreamReader(pidFile);
            return int.TryParse(reader.ReadLine(), NumberStyles.None, CultureInfo.InvariantCulture, out var processId) ? processId : null;
        }
        catch (Exception absent) when (absent is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }
}
