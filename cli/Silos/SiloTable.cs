using System.Globalization;
using System.Text.Json.Nodes;

namespace VoiceGrains.Cli.Silos;

/// <summary>The list of silos for a person.</summary>
internal static class SiloTable
{
    private const int CommitLength = 7;
    private static readonly string[] Columns = ["SILO", "STATE", "CALLS", "GRAINS", "LOAD", "VERSION", "ROLES", "LABELS", "ADDRESS", "AGE"];

    public static string Text(JsonArray silos, DateTimeOffset now)
    {
        if (silos.Count == 0)
            return "No silo is alive.";
        List<string[]> lines = [Columns, .. silos.Select(silo => Row(silo!, now))];
        var table = TextTable.Text(lines);
        return IsAlone(silos) ? table + "\n\nThis server is alone, not part of a cluster. One on this machine: ./run --cluster 3" : table;
    }

    private static string[] Row(JsonNode silo, DateTimeOffset now) =>
    [
        (string)silo["id"]!,
        (string?)silo["state"] switch { "lapsed" => "lease lapsed", { } state => state, null => (bool?)silo["draining"] is true ? "draining" : "active" },
        $"{(int)silo["liveCalls"]!}",
        (int?)silo["maxActivations"] is { } most ? $"{(int)silo["activations"]!}/{most}" : $"{(int)silo["activations"]!}",
        ((double)silo["load"]!).ToString("P0", CultureInfo.InvariantCulture).Replace(" ", "", StringComparison.Ordinal),
        Version((string)silo["version"]!),
        List((silo["roles"] as JsonArray)?.Select(role => (string)role!)),
        List((silo["labels"] as JsonObject)?.Select(label => $"{label.Key}={label.Value}")),
        (string?)silo["address"] ?? "-",
        Age(now - (DateTimeOffset)silo["started"]!),
    ];

    /// <summary>A member of a cluster has an id for each of its lives.</summary>
    private static bool IsAlone(JsonArray silos) => silos is [{ } only] && (string?)only["id"] == (string?)only["name"];

    /// <summary>The commit is told by its first letters.</summary>
    private static string Version(string version)
        => version.IndexOf('+', StringComparison.Ordinal) is var plus && plus >= 0 && version.Length > plus + 1 + CommitLength ? version[..(plus + 1 + CommitLength)] : version;

    private static string List(IEnumerable<string>? words) => string.Join(',', words ?? []) is { Length: > 0 } list ? list : "-";

    private static string Age(TimeSpan age) => age switch
    {
        { TotalDays: >= 1 } => string.Create(CultureInfo.InvariantCulture, $"{(int)age.TotalDays}d {age.Hours}h"),
        { TotalHours: >= 1 } => string.Create(CultureInfo.InvariantCulture, $"{age.Hours}h {age.Minutes}m"),
        { TotalMinutes: >= 1 } => string.Create(CultureInfo.InvariantCulture, $"{age.Minutes}m {age.Seconds}s"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{Math.Max(0, (int)age.TotalSeconds)}s"),     // this clock may be behind the server's
    };
}
