using System.Globalization;
using System.Text;
using VoiceGrains.Hosting.Launch;
using VoiceGrains.Silo.Launch;

namespace VoiceGrains.Silo.LocalCluster;

/// <summary>
/// Processes of an earlier launch on the same data folder. The kernel kills them with their launcher; this finds those that are still at dying, or that were
/// started in the very moment. All carry a mark in their environment, so nobody else's is ever touched. The folder's lock must be held.
/// </summary>
internal static class LeftBehind
{
    private const string Variable = "VOICEGRAINS_CLUSTER_OF";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>The mark of a data folder's processes.</summary>
    public static KeyValuePair<string, string> Mark(string dataFolder) => new(Variable, dataFolder);

    /// <exception cref="LaunchException">One does not die.</exception>
    public static async Task EndAsync(string dataFolder, TimeProvider clock, CancellationToken cancellationToken)
    {
        var mark = Encoding.UTF8.GetBytes($"{Variable}={dataFolder}\0");
        var began = clock.GetTimestamp();
        while (Processes().Where(id => HasMark(id, mark)).ToList() is { Count: > 0 } alive)
        {
            if (clock.GetElapsedTime(began) > Patience)
                throw new LaunchException($"Processes of an earlier cluster on {dataFolder} do not end: {string.Join(", ", alive)}.");
            alive.ForEach(id => Native.Signal(id, Native.SigKill));
            await Task.Delay(TimeSpan.FromMilliseconds(20), clock, cancellationToken);
        }
    }

    private static IEnumerable<int> Processes()
        => Directory.EnumerateDirectories("/proc")
            .Select(folder => int.TryParse(Path.GetFileName(folder.AsSpan()), NumberStyles.None, CultureInfo.InvariantCulture, out var id) ? id : 0)
            .Where(id => id > 0 && id != Environment.ProcessId);

    private static bool HasMark(int processId, byte[] mark)
    {
        try
        {
            var environment = File.ReadAllBytes($"/proc/{processId}/environ").AsSpan();
            var at = environment.IndexOf(mark);
            return (at == 0 || at > 0 && environment[at - 1] == 0) && Native.IsAlive(processId);
        }
        catch (Exception hidden) when (hidden is IOException or UnauthorizedAccessException)
        {
            return false;       // gone, or another user's
        }
    }
}
