using System.Diagnostics.Metrics;
using VoiceGrains.GrainInterfaces.Calls;

namespace VoiceGrains.Grains.Calls;

/// <summary>Counts calls. Meter <c>VoiceGrains.Calls</c>.</summary>
internal sealed class CallGrainMetrics : IDisposable
{
    private readonly Meter _meter;
    private readonly Counter<long> _created;
    private readonly Counter<long> _resumed;
    private readonly Counter<long> _ended;
    private readonly Counter<long> _summaries;
    private readonly Counter<long> _deleted;
    private readonly Histogram<double> _duration;

    public CallGrainMetrics(IMeterFactory meters)
    {
        _meter = meters.Create(CallJournalMetrics.MeterName);
        _created = _meter.CreateCounter<long>("voicegrains.calls.created", "{call}", "Calls created.");
        _resumed = _meter.CreateCounter<long>("voicegrains.calls.resumed", "{call}", "Times that a client came back to a call that was interrupted.");
        _ended = _meter.CreateCounter<long>("voicegrains.calls.ended", "{call}", "Calls ended, by reason.");
        _summaries = _meter.CreateCounter<long>("voicegrains.calls.summaries", "{call}", "Summaries settled, by outcome.");
        _deleted = _meter.CreateCounter<long>("voicegrains.calls.deleted", "{call}", "Calls deleted, by reason.");
        _duration = _meter.CreateHistogram<double>("voicegrains.calls.duration", "s", "Join to end of calls that were joined.");
    }

    public void Created() => _created.Add(1);

    public void Resumed() => _resumed.Add(1);

    public void Ended(EndReason reason, TimeSpan? duration)
    {
        var tag = new KeyValuePair<string, object?>("reason", reason.ToString());
        _ended.Add(1, tag);
        if (duration is { } length) _duration.Record(length.TotalSeconds, tag);
    }

    public void Summarized(SummaryStatus status) => _summaries.Add(1, new KeyValuePair<string, object?>("outcome", status.ToString()));

    /// <param name="reason"><c>request</c>, <c>auto_delete</c> or <c>expired</c>.</param>
    public void Deleted(string reason) => _deleted.Add(1, new KeyValuePair<string, object?>("reason", reason));

    public void Dispose() => _meter.Dispose();
}
