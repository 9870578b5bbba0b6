using System.Text.Json;

namespace VoiceGrains.Cli.Load;

/// <summary>What a load of many calls showed. Times are in milliseconds.</summary>
internal sealed class LoadReport
{
    public int Calls { get; set; }

    /// <summary>Calls that could not be created or joined.</summary>
    public int Failed { get; set; }

    /// <summary>Calls that the server ended while they were measured.</summary>
    public int Dropped { get; set; }

    public double Seconds { get; set; }
    public List<double> JitterMs { get; } = [];
    public List<double> TurnLatencyMs { get; } = [];
    public long AudioFrames { get; set; }
    public int Underruns { get; set; }
    public int SendStalls { get; set; }
    public double ClientLatenessMs { get; set; }
    public double? ServerCores { get; set; }
    public long? ServerBytesBefore { get; set; }
    public long? ServerBytesAfter { get; set; }

    /// <summary>Managed bytes that the server allocated while it was measured, from its /metrics.</summary>
    public double? AllocatedBytes { get; set; }

    public List<string> Problems { get; } = [];

    public void Print(TextWriter output, bool isJson)
    {
        JitterMs.Sort();
        TurnLatencyMs.Sort();
        if (isJson)
            output.WriteLine(JsonSerializer.Serialize(Figures()));
        else
            PrintText(output);
    }

    private void PrintText(TextWriter output)
    {
        output.WriteLine($"calls            {Calls} for {Seconds:0} s; {Failed} failed to start, {Dropped} dropped");
        output.WriteLine($"pacing jitter    p50 {At(JitterMs, 0.5):0.0} ms, p99 {At(JitterMs, 0.99):0.0} ms, max {At(JitterMs, 1):0.0} ms ({AudioFrames} frames of agent audio)");
        output.WriteLine($"underruns        {Underruns}");
        output.WriteLine($"turn latency     p50 {At(TurnLatencyMs, 0.5):0} ms, p99 {At(TurnLatencyMs, 0.99):0} ms ({TurnLatencyMs.Count} turns)");
        if (ServerCores is { } cores && Running > 0)
        {
            output.WriteLine($"server CPU       {cores:0.00} cores, {cores / Running * 1000:0.00} ms/s per call: {Running / cores:0} calls per core");
            output.WriteLine($"server memory    {ServerBytesAfter / 1048576.0:0} MiB, {(ServerBytesAfter - ServerBytesBefore) / 1024.0 / Running:0} KiB per call");
        }
        if (AllocatedBytes is { } allocated && Running > 0)
            output.WriteLine($"allocation       {allocated / Seconds / Running / 1024:0.0} KiB/s per call");
        output.WriteLine($"client           worst lateness {ClientLatenessMs:0.0} ms, {SendStalls} stalled sends");
        foreach (var problem in Problems.Distinct().Take(5))
            output.WriteLine($"problem          {problem}");
    }

    private int Running => Calls - Failed;

    private object Figures() => new
    {
        calls = Calls,
        failed = Failed,
        dropped = Dropped,
        seconds = Math.Round(Seconds, 1),
        jitterMs = new { p50 = At(JitterMs, 0.5), p99 = At(JitterMs, 0.99), max = At(JitterMs, 1) },
        turnLatencyMs = new { p50 = At(TurnLatencyMs, 0.5), p99 = At(TurnLatencyMs, 0.99), count = TurnLatencyMs.Count },
        audioFrames = AudioFrames,
        underruns = Underruns,
        serverCores = ServerCores,
        serverBytes = ServerBytesAfter,
        allocatedBytesPerSecondPerCall = AllocatedBytes / Seconds / Math.Max(1, Running),
        clientLatenessMs = ClientLatenessMs,
        sendStalls = SendStalls,
    };

    private static double? At(List<double> sorted, double quantile)
        => sorted.Count == 0 ? null : Math.Round(sorted[Math.Min(sorted.Count - 1, (int)(sorted.Count * quantile))], 2);
}
