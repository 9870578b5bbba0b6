using System.Diagnostics.Metrics;
using VoiceGrains.Silo.WebRtc;

namespace VoiceGrains.Silo.LiveKit;

/// <summary>What happens in rooms, as numbers.</summary>
internal sealed class RoomMetrics : IDisposable
{
    public const string MeterName = "VoiceGrains.Rooms";

    private readonly Meter _meter;
    private readonly Counter<long> _joins;
    private readonly Counter<long> _dropped;

    public RoomMetrics(IMeterFactory meters)
    {
        _meter = meters.Create(MeterName);
        _joins = _meter.CreateCounter<long>("voicegrains.rooms.joins", description: "Signalling connections that were let in or refused, by kind");
        _dropped = _meter.CreateCounter<long>("voicegrains.rooms.data_dropped", description: "Data messages that were dropped, by reason");
        Receivers = new ReceiverMetrics(_meter);
    }

    /// <summary>Of the jitter buffers.</summary>
    public ReceiverMetrics Receivers { get; }

    /// <param name="kind">user, listener, resume or refused.</param>
    public void Joined(string kind) => _joins.Add(1, new KeyValuePair<string, object?>("kind", kind));

    /// <param name="reason">flood, too_long or malformed.</param>
    public void DataDropped(string reason) => _dropped.Add(1, new KeyValuePair<string, object?>("reason", reason));

    public void Observe(Func<int> rooms, Func<int> participants)
    {
        _meter.CreateObservableUpDownCounter("voicegrains.rooms.active", rooms, description: "Rooms on this silo");
        _meter.CreateObservableUpDownCounter("voicegrains.rooms.participants", participants, description: "Clients in rooms of this silo");
    }

    public void Dispose() => _meter.Dispose();
}
