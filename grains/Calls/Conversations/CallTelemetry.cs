using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace VoiceGrains.Grains.Calls.Conversations;

/// <summary>Traces and metrics of calls; the names are documented in <c>docs/observability.md</c>.</summary>
internal static class CallTelemetry
{
    public const string Name = "VoiceGrains.Calls";

    private static readonly Meter Meter = new(Name);
    private static readonly InstrumentAdvice<double> Seconds = new()
    {
        HistogramBucketBoundaries = [0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10],
    };

    public static readonly ActivitySource Source = new(Name);
    public static readonly UpDownCounter<long> ActiveCalls = Meter.CreateUpDownCounter<long>("voicegrains.calls.active", "{call}", "Calls that are joined on this silo");
    public static readonly Counter<long> Turns = Meter.CreateCounter<long>("voicegrains.calls.turns", "{turn}", "User turns that were answered");
    public static readonly Counter<long> Interruptions = Meter.CreateCounter<long>("voicegrains.calls.interruptions", "{interruption}", "Times that a user cut the agent off");
    public static readonly Counter<long> IgnoredSounds = Meter.CreateCounter<long>("voicegrains.calls.ignored_sounds", "{sound}", "Sounds over the agent that were no interruption, by kind");
    public static readonly Counter<long> Underruns = Meter.CreateCounter<long>("voicegrains.calls.underruns", "{underrun}", "Times that agent sound ran dry inside an utterance");
    public static readonly Counter<long> ProviderErrors = Meter.CreateCounter<long>("voicegrains.calls.provider_errors", "{error}", "Provider failures that reached a call, by kind");
    public static readonly Counter<long> DroppedInput = Meter.CreateCounter<long>("voicegrains.calls.dropped_input", "{sample}", "User audio dropped because it came too fast");
    public static readonly Histogram<double> TurnLatency = Meter.CreateHistogram("voicegrains.calls.turn_latency", "s", "From a user turn's endpoint to the agent's first frame, by part", advice: Seconds);
    public static readonly Histogram<double> ToolDuration = Meter.CreateHistogram("voicegrains.calls.tool_duration", "s", "Tool runs", advice: Seconds);
    public static readonly Counter<long> StageChanges = Meter.CreateCounter<long>("voicegrains.calls.stage_changes", "{stage}", "Stages that calls changed over to");
    public static readonly UpDownCounter<long> ActiveThreads = Meter.CreateUpDownCounter<long>("voicegrains.calls.threads.active", "{thread}", "Threads of calls on this silo");
    public static readonly Counter<long> Threads = Meter.CreateCounter<long>("voicegrains.calls.threads", "{thread}", "What became of threads, by outcome");
    public static readonly Histogram<double> ThreadQueueTime = Meter.CreateHistogram("voicegrains.calls.thread_queue_time", "s", "How long threads waited for their turn to generate", advice: Seconds);
}
