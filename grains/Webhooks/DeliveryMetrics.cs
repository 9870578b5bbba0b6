using System.Diagnostics.Metrics;

namespace VoiceGrains.Grains.Webhooks;

/// <summary>What deliveries tell operators. Meter <c>VoiceGrains.Webhooks</c>.</summary>
internal sealed class DeliveryMetrics : IDisposable
{
    private readonly Meter _meter;
    private readonly Counter<long> _deliveries;
    private readonly Histogram<double> _duration;
    private long _owed;
    private double _oldest;

    public DeliveryMetrics(IMeterFactory meters)
    {
        _meter = meters.Create("VoiceGrains.Webhooks");
        _deliveries = _meter.CreateCounter<long>("voicegrains.webhooks.deliveries", "{attempt}", "Attempts to deliver an event, by event and outcome.");
        _duration = _meter.CreateHistogram<double>("voicegrains.webhooks.duration", "s", "Time of an attempt.");
        _meter.CreateObservableGauge("voicegrains.webhooks.owed", () => Volatile.Read(ref _owed), "{delivery}", "Deliveries that are owed, of all processes.");
        _meter.CreateObservableGauge("voicegrains.webhooks.oldest", () => Volatile.Read(ref _oldest), "s", "Age of the oldest delivery that is owed.");
    }

    /// <param name="outcome">delivered, failed, given_up or released.</param>
    public void Tried(string happened, string outcome, TimeSpan duration)
    {
        _deliveries.Add(1, new("event", happened), new("outcome", outcome));
        _duration.Record(duration.TotalSeconds, new KeyValuePair<string, object?>("outcome", outcome));
    }

    public void Looked(long owed, TimeSpan oldest)
    {
        Volatile.Write(ref _owed, owed);
        Volatile.Write(ref _oldest, oldest.TotalSeconds);
    }

    public void Dispose() => _meter.Dispose();
}
