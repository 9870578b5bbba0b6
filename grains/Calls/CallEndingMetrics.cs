using System.Diagnostics.Metrics;

namespace VoiceGrains.Grains.Calls;

/// <summary>Ends of conversations on their way to the database. Meter <c>VoiceGrains.Calls</c>.</summary>
internal sealed class CallEndingMetrics : IDisposable
{
    private readonly Meter _meter;
    private readonly Counter<long> _failures;
    private readonly Counter<long> _lost;

    public CallEndingMetrics(IMeterFactory meters, Func<int> waiting)
    {
        _meter = meters.Create(CallJournalMetrics.MeterName);
        _failures = _meter.CreateCounter<long>("voicegrains.calls.end_failures", "{attempt}", "Attempts to store how a conversation ended that failed.");
        _lost = _meter.CreateCounter<long>("voicegrains.calls.ends_lost", "{call}", "Calls whose end was given up: they end later, as system_error.");
        _meter.CreateObservableGauge("voicegrains.calls.ends_waiting", waiting, "{call}", "Conversations that are over and whose end is not stored yet.");
    }

    public void Failed() => _failures.Add(1);

    public void Lost() => _lost.Add(1);

    public void Dispose() => _meter.Dispose();
}
