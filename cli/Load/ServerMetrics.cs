using System.Globalization;

namespace VoiceGrains.Cli.Load;

/// <summary>What a server's runtime tells at /metrics of its memory since its start.</summary>
/// <param name="AllocatedBytes">On the managed heap.</param>
/// <param name="Gen0">Collections of the youngest generation, older ones included.</param>
/// <param name="Gen2">Full collections.</param>
internal sealed record ServerMetrics(double AllocatedBytes, double Gen0, double Gen2)
{
    private const string Allocated = "dotnet_gc_heap_total_allocated_bytes_total ";
    private const string Collections = "dotnet_gc_collections_total{gc_heap_generation=\"gen";

    public static ServerMetrics? operator -(ServerMetrics? later, ServerMetrics? earlier) => later is null || earlier is null
        ? null
        : new ServerMetrics(later.AllocatedBytes - earlier.AllocatedBytes, later.Gen0 - earlier.Gen0, later.Gen2 - earlier.Gen2);

    /// <summary>Null where the server has no such metrics.</summary>
    public static async Task<ServerMetrics?> ReadAsync(HttpClient http, CancellationToken cancellationToken)
    {
        try
        {
            var lines = (await http.GetStringAsync("/metrics", cancellationToken)).Split('\n');
            return Find(lines, Allocated) is { } allocated ? new ServerMetrics(allocated, Find(lines, $"{Collections}0\"}} ") ?? 0, Find(lines, $"{Collections}2\"}} ") ?? 0) : null;
        }
        catch (HttpRequestException)
        {
            return null;
        }
    }

    private static double? Find(string[] lines, string metric)
        => Array.Find(lines, line => line.StartsWith(metric, StringComparison.Ordinal)) is { } line ? double.Parse(line[metric.Length..], CultureInfo.InvariantCulture) : null;
}
