namespace VoiceGrains.Silo.LocalCluster;

/// <summary>Who is where, for the person at the terminal.</summary>
internal static class ClusterTable
{
    public static string Text(IEnumerable<ClusterTableRow> rows)
    {
        List<string[]> lines = [["ROLE", "NAME", "WHERE", "PROCESS", "LOG"], .. rows.Select(row => new[] { row.Role, row.Name, row.Where, row.ProcessId > 0 ? $"{row.ProcessId}" : "-", row.Log })];
        var widths = Enumerable.Range(0, lines[0].Length).Select(column => lines.Max(line => line[column].Length)).ToArray();
        return string.Join('\n', lines.Select(line => "  " + string.Join("  ", line.Select((cell, column) => cell.PadRight(widths[column]))).TrimEnd()));
    }
}

/// <param name="Where">URL or folder at which it is reached.</param>
/// <param name="ProcessId">0 for a server of somebody else's.</param>
/// <param name="Log">File; empty for a server of somebody else's.</param>
internal sealed record ClusterTableRow(string Role, string Name, string Where, int ProcessId, string Log);
