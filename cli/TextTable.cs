namespace VoiceGrains.Cli;

/// <summary>A table for a person: columns as wide as their widest cell, two spaces between.</summary>
internal static class TextTable
{
    /// <param name="lines">The first has the columns' names; all are of one length.</param>
    public static string Text(IReadOnlyList<string[]> lines)
    {
        var widths = Enumerable.Range(0, lines[0].Length).Select(column => lines.Max(line => line[column].Length)).ToArray();
        return string.Join('\n', lines.Select(line => string.Join("  ", line.Select((cell, column) => cell.PadRight(widths[column]))).TrimEnd()));
    }
}
