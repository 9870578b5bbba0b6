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

    /// <summary>As callers hear it: from the end of their words, so the endpoint delay is part of it.</summary>
    public List<double> TurnLatencyMs { get; } = [];

    /// <summary>From the server's word that the user has stopped to the first agent audio: recognition, model, voice and what the server adds.</summary>
    public List<double> AnswerMs { get; } = [];

    /// <summary>The server's own breakdown of each turn (call event <c>turn_latency</c>), by part.</summary>
    public SortedDictionary<string, List<double>> ServerPartsMs { get; } = new(StringComparer.Ordinal);

    public long AudioFrames { get; set; }
    public int Underruns { get; set; }
    public int SendStalls { get; set; }
    public double ClientLatenessMs { get; set; }
    public double? ServerCores { get; set; }
    public long? ServerBytesBefore { get; set; }
    public long? ServerBytesAfter { get; set; }

    /// <summary>What the server allocated and collected while it was measured; null when it does not tell.</summary>
    public ServerMetrics? Runtime { get; set; }

    /// <summary>Managed bytes per second and call.</summary>
    public double? AllocationRate => Runtime?.AllocatedBytes / Seconds / Math.Max(1, Calls - Failed);

    /// <summary>Whether every call started and lasted.</summary>
    public bool IsWhole => Failed == 0 && Dropped == 0;

    /// <summary>Why calls could not be started.</summary>
    public List<CliException> Problems { get; } = [];

    public void Print(TextWriter output, bool isJson)
    {
        if (isJson)
            output.WriteLine(JsonSerializer.Serialize(Figures()));
        else
            PrintText(output);
    }

    private void PrintText(TextWriter output)
    {
        output.WriteLine($"calls            {Calls} for {Seconds:0} s; {Failed} failed to start, {Dropped} dropped");
        output.WriteLine($"pacing jitter    p50 {Ms(JitterMs, 0.5)}, p99 {Ms(JitterMs, 0.99)}, max {Ms(JitterMs, 1)} ({AudioFrames} frames of agent audio)");
        output.WriteLine($"underruns        {Underruns}");
        output.WriteLine($"turn latency     p50 {Ms(TurnLatencyMs, 0.5, "0")}, p99 {Ms(TurnLatencyMs, 0.99, "0")} ({TurnLatencyMs.Count} turns)");
        output.WriteLine($"after endpoint   p50 {Ms(AnswerMs, 0.5)}, p99 {Ms(AnswerMs, 0.99)}");
        if (ServerCores is { } cores && Running > 0)
        {
            output.WriteLine($"server CPU       {cores:0.00} cores, {cores / Running * 1000:0.00} ms/s per call: {Running / cores:0} calls per core");
            output.WriteLine($"server memory    {ServerBytesAfter / 1048576.0:0} MiB, {(ServerBytesAfter - ServerBytesBefore) / 1024.0 / Running:0} KiB per call");
        }
        if (AllocationRate is { } rate && Running > 0)
            output.WriteLine($"allocation       {rate / 1024:0.0} KiB/s per call; {Runtime!.Gen0:0} collections, {Runtime.Gen2:0} of them full");
        output.WriteLine($"client           worst lateness {ClientLatenessMs:0.0} ms, {SendStalls} stalled sends");
        foreach (var problem in Problems.Select(problem => problem.Message).Distinct().Take(5))
            output.WriteLine($"problem          {problem}");
    }

    private static string Ms(List<double> values, double quantile, string format = "0.0") => At(values, quantile) is { } value ? $"{value.ToString(format)} ms" : "-";

    private int Running => Calls - Failed;

    private object Figures() => new
    {
        calls = Calls,
        failed = Failed,
        dropped = Dropped,
        seconds = Math.Round(Seconds, 1),
        jitterMs = new { p50 = At(JitterMs, 0.5), p99 = At(JitterMs, 0.99), max = At(JitterMs, 1) },
        turnLatencyMs = new { p50 = At(TurnLatencyMs, 0.5), p99 = At(TurnLatencyMs, 0.99), count = TurnLatencyMs.Count },
        afterEndpointMs = new { p50 = At(AnswerMs, 0.5), p99 = At(AnswerMs, 0.99) },
        audioFrames = AudioFrames,
        underruns = Underruns,
        serverCores = ServerCores,
        serverBytes = ServerBytesAfter,
        allocatedBytesPerSecondPerCall = AllocationRate,
        clientLatenessMs = ClientLatenessMs,
        sendStalls = SendStalls,
    };

    /// <summary>A quantile of what was measured, 0 to 1; null of nothing.</summary>
    public static double? At(List<double> values, double quantile)
    {
        values.Sort();
        return values.Count == 0 ? null : Math.Round(values[Math.Min(values.Count - 1, (int)(values.Count * quantile))], 2);
    }
}
