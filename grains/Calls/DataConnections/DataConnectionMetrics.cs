using System.Diagnostics.Metrics;

namespace VoiceGrains.Grains.Calls.DataConnections;

/// <summary>Counts data connections. Meter <c>VoiceGrains.Calls</c>.</summary>
internal sealed class DataConnectionMetrics : IDisposable
{
    private readonly Meter _meter;
    private readonly UpDownCounter<long> _open;
    private readonly Counter<long> _attempts;
    private readonly Counter<long> _lost;
    private readonly Counter<long> _droppedMessages;
    private readonly Counter<long> _droppedAudio;

    public DataConnectionMetrics(IMeterFactory meters)
    {
        _meter = meters.Create(CallJournalMetrics.MeterName);
        _open = _meter.CreateUpDownCounter<long>("voicegrains.calls.data_connections", "{connection}", "Data connections that are open.");
        _attempts = _meter.CreateCounter<long>("voicegrains.calls.data_connection_attempts", "{attempt}", "Attempts to open one, by outcome.");
        _lost = _meter.CreateCounter<long>("voicegrains.calls.data_connection_losses", "{connection}", "Data connections that ended before their call, by reason.");
        _droppedMessages = _meter.CreateCounter<long>("voicegrains.calls.data_connection_dropped_messages", "{message}", "Messages that did not fit their queues.");
        _droppedAudio = _meter.CreateCounter<long>("voicegrains.calls.data_connection_dropped_audio", "By", "Sound that did not fit its queues.");
    }

    public void Attempted(string outcome) => _attempts.Add(1, new KeyValuePair<string, object?>("outcome", outcome));

    public void Opened() => _open.Add(1);

    public void Closed() => _open.Add(-1);

    public void Lost(SessionEnd reason) => _lost.Add(1, new KeyValuePair<string, object?>("reason", reason.ToString()));

    public void Dropped(DroppedData dropped)
    {
        if (dropped.Messages > 0) _droppedMessages.Add(dropped.Messages);
        if (dropped.AudioBytes > 0) _droppedAudio.Add(dropped.AudioBytes);
    }

    public void Dispose() => _meter.Dispose();
}
