using System.Diagnostics.Metrics;

namespace VoiceGrains.Grains.Calls;

/// <summary>What the journal tells operators. Meter <c>VoiceGrains.Calls</c>.</summary>
internal sealed class CallJournalMetrics : IDisposable
{
    public const string MeterName = "VoiceGrains.Calls";

    private readonly Meter _meter;
    private readonly Counter<long> _stored;
    private readonly Counter<long> _dropped;
    private readonly Counter<long> _failures;
    private readonly Histogram<double> _duration;

    public CallJournalMetrics(IMeterFactory meters, Func<int> buffered)
    {
        _meter = meters.Create(MeterName);
        _stored = _meter.CreateCounter<long>("voicegrains.journal.stored", "{entry}", "Messages and events written to the database.");
        _dropped = _meter.CreateCounter<long>("voicegrains.journal.dropped", "{entry}", "Messages and events given up, by kind and reason.");
        _failures = _meter.CreateCounter<long>("voicegrains.journal.failures", "{attempt}", "Attempts to store a batch that failed.");
        _duration = _meter.CreateHistogram<double>("voicegrains.journal.duration", "s", "Time to store a batch.");
        _meter.CreateObservableGauge("voicegrains.journal.buffered", buffered, "{entry}", "Messages and events that wait to be stored.");
    }

    public void Stored(int entries, TimeSpan duration)
    {
        _stored.Add(entries);
        _duration.Record(duration.TotalSeconds);
    }

    public void Failed() => _failures.Add(1);

    public void Dropped(CallJournalDrops drops, string reason)
    {
        if (drops.Messages > 0) _dropped.Add(drops.Messages, new("kind", "message"), new("reason", reason));
        if (drops.Events > 0) _dropped.Add(drops.Events, new("kind", "event"), new("reason", reason));
    }

    public void Dispose() => _meter.Dispose();
}
