using System.Diagnostics.Metrics;

namespace VoiceGrains.Grains.Retention;

/// <summary>What retention tells operators. Meter <c>VoiceGrains.Retention</c>.</summary>
internal sealed class RetentionMetrics : IDisposable
{
    private readonly Meter _meter;
    private readonly Counter<long> _expired;
    private readonly Counter<long> _failures;
    private readonly Counter<long> _recordings;

    public RetentionMetrics(IMeterFactory meters)
    {
        _meter = meters.Create("VoiceGrains.Retention");
        _expired = _meter.CreateCounter<long>("voicegrains.retention.expired_calls", "{call}", "Calls deleted because their time was over.");
        _failures = _meter.CreateCounter<long>("voicegrains.retention.failures", "{attempt}", "Attempts to delete an expired call or a deleted call's recording that failed.");
        _recordings = _meter.CreateCounter<long>("voicegrains.retention.late_recordings", "{call}", "Deleted calls whose recordings were not deleted with them but later.");
    }

    public void Expired() => _expired.Add(1);

    public void Failed(int count = 1) => _failures.Add(count);

    public void RemovedRecordings(int calls) => _recordings.Add(calls);

    public void Dispose() => _meter.Dispose();
}
