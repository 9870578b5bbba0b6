using System.Diagnostics.Metrics;

namespace VoiceGrains.Gateway.Grpc;

/// <summary>Counts those who watch calls. Meter <c>VoiceGrains.Grpc</c>.</summary>
internal sealed class GrpcMetrics : IDisposable
{
    private readonly Meter _meter;
    private readonly UpDownCounter<long> _watchers;
    private readonly Counter<long> _missed;

    public GrpcMetrics(IMeterFactory meters)
    {
        _meter = meters.Create("VoiceGrains.Grpc");
        _watchers = _meter.CreateUpDownCounter<long>("voicegrains.grpc.watchers", "{watcher}", "Clients that watch a call.");
        _missed = _meter.CreateCounter<long>("voicegrains.grpc.watch.dropped", "{event}", "Live events that watchers were told they missed.");
    }

    public void WatchersChanged(int change) => _watchers.Add(change);

    public void Missed(long events) => _missed.Add(events);

    public void Dispose() => _meter.Dispose();
}
