using System.Diagnostics;
using System.Diagnostics.Metrics;
using VoiceGrains.GrainRuntime.Calls;

namespace VoiceGrains.GrainRuntime.Diagnostics;

/// <summary>Names of the runtime's OpenTelemetry source and meter: one span per grain call, and activations, requests and their latency.</summary>
public static class GrainTelemetry
{
    /// <summary>Name of both the activity source and the meter.</summary>
    public const string Name = "VoiceGrains.GrainRuntime";

    private static readonly ActivitySource Source = new(Name);
    private static readonly Meter Meter = new(Name);
    private static readonly UpDownCounter<long> Activations =
        Meter.CreateUpDownCounter<long>("grain.activations", "{activation}", "Activations in memory, by grain type.");
    private static readonly Counter<long> Requests =
        Meter.CreateCounter<long>("grain.requests", "{request}", "Completed grain calls, by grain type and outcome.");
    private static readonly Histogram<double> RequestDuration =
        Meter.CreateHistogram<double>("grain.request.duration", "s", "From the call to its result, the wait for its turn included.");
    private static readonly Counter<long> StreamDrops =
        Meter.CreateCounter<long>("grain.stream.dropped", "{event}", "Stream events dropped because a subscriber was too slow, by stream namespace.");

    private static readonly Counter<long> StreamsUnsent =
        Meter.CreateCounter<long>("grain.stream.unsent", "{event}", "Stream events that the broker did not get: it was away or too slow, or they were too large.");
    private static readonly Counter<long> StreamLosses =
        Meter.CreateCounter<long>("grain.stream.lost", "{event}", "Stream events that a process with subscribers found missing among those of another process.");
    private static readonly UpDownCounter<long> StreamSubscriptions =
        Meter.CreateUpDownCounter<long>("grain.stream.subscriptions", "{subscription}", "Stream subscriptions in this process, by stream namespace.");

    internal static Activity? StartCall(Invocation request, Activity? parent, TimeProvider clock)
    {
        var activity = parent is null
            ? Source.StartActivity(request.Method.Name, ActivityKind.Internal, request.RemoteParent)
            : Source.StartActivity(request.Method.Name, ActivityKind.Internal, parent.Context);
        if (activity is null)
        {
            Activity.Current = parent;      // nobody listens to us, but the callee's own spans still belong to the caller's
            return null;
        }
        activity.SetTag("grain.type", request.Target.Type);
        activity.SetTag("grain.key", request.Target.Key);
        activity.SetTag("grain.wait_ms", clock.GetElapsedTime(request.Started).TotalMilliseconds);
        return activity;
    }

    internal static void Completed(Invocation request, string outcome, TimeProvider clock)
    {
        var type = KeyValuePair.Create<string, object?>("grain.type", request.Target.Type);
        Requests.Add(1, type, KeyValuePair.Create<string, object?>("outcome", outcome));
        if (RequestDuration.Enabled)
            RequestDuration.Record(clock.GetElapsedTime(request.Started).TotalSeconds, type);
    }

    internal static void ActivationsChanged(string grainType, int change) =>
        Activations.Add(change, KeyValuePair.Create<string, object?>("grain.type", grainType));

    internal static void StreamDropped(string streamNamespace) =>
        StreamDrops.Add(1, KeyValuePair.Create<string, object?>("stream.namespace", streamNamespace));

    internal static void StreamUnsent() => StreamsUnsent.Add(1);

    internal static void StreamLost(long count) => StreamLosses.Add(count);

    internal static void StreamSubscriptionsChanged(string streamNamespace, int change) =>
        StreamSubscriptions.Add(change, KeyValuePair.Create<string, object?>("stream.namespace", streamNamespace));
}
