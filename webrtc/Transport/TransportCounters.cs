using System.Diagnostics.Metrics;
using System.Text.Json;

namespace VoiceGrains.WebRtc.Transport;

/// <summary>Counts of an endpoint, and its meter. Counting a datagram is one interlocked addition; the meter reads when it is read.</summary>
internal sealed class TransportCounters : IDisposable
{
    public const string MeterName = "VoiceGrains.WebRtc";

    private static readonly int[] RefusalCodes = [400, 420, 487];
    private readonly long[] _received = new long[Enum.GetValues<DatagramKind>().Length];
    private readonly long[] _dropped = new long[Enum.GetValues<DropReason>().Length];
    private readonly long[] _refused = new long[RefusalCodes.Length];
    private readonly Meter? _meter;
    private long _sent;
    private long _tcpRefused;

    /// <param name="agents">Agents that are open, by state.</param>
    /// <param name="connections">TCP connections that are open.</param>
    public TransportCounters(IMeterFactory? meters, Func<IEnumerable<Measurement<int>>> agents, Func<int> connections)
    {
        _meter = meters?.Create(MeterName);
        _meter?.CreateObservableCounter("voicegrains.webrtc.received", () => Measure<DatagramKind>(_received, "kind"), "{datagram}", "Datagrams that were taken, by kind.");
        _meter?.CreateObservableCounter("voicegrains.webrtc.sent", () => Volatile.Read(ref _sent), "{datagram}", "Datagrams that were sent, answers to checks included.");
        _meter?.CreateObservableCounter("voicegrains.webrtc.dropped", () => Measure<DropReason>(_dropped, "reason"), "{datagram}", "Datagrams that came to nothing, by reason.");
        _meter?.CreateObservableCounter("voicegrains.webrtc.checks.refused", MeasureRefused, "{check}", "ICE checks that were answered with an error, by its code.");
        _meter?.CreateObservableUpDownCounter("voicegrains.webrtc.agents", agents, "{agent}", "ICE agents, by state.");
        _meter?.CreateObservableUpDownCounter("voicegrains.webrtc.tcp.connections", connections, "{connection}", "TCP connections that are open.");
        _meter?.CreateObservableCounter("voicegrains.webrtc.tcp.refused", () => Volatile.Read(ref _tcpRefused), "{connection}", "TCP connections closed because they were too many, too slow or no client's.");
    }

    public void Received(DatagramKind kind) => Interlocked.Increment(ref _received[(int)kind]);

    public void Dropped(DropReason reason) => Interlocked.Increment(ref _dropped[(int)reason]);

    /// <summary>A check was answered with 400, 420 or 487.</summary>
    public void Refused(int code) => Interlocked.Increment(ref _refused[Array.IndexOf(RefusalCodes, code)]);

    public void Sent() => Interlocked.Increment(ref _sent);

    public void TcpRefused() => Interlocked.Increment(ref _tcpRefused);

    public long Count(DatagramKind kind) => Volatile.Read(ref _received[(int)kind]);

    public long Count(DropReason reason) => Volatile.Read(ref _dropped[(int)reason]);

    public long CountRefused(int code) => Volatile.Read(ref _refused[Array.IndexOf(RefusalCodes, code)]);

    public long SentCount => Volatile.Read(ref _sent);

    public long TcpRefusedCount => Volatile.Read(ref _tcpRefused);

    public void Dispose() => _meter?.Dispose();

    private IEnumerable<Measurement<long>> MeasureRefused()
        => RefusalCodes.Select((code, i) => new Measurement<long>(Volatile.Read(ref _refused[i]), new KeyValuePair<string, object?>("code", code)));

    private static IEnumerable<Measurement<long>> Measure<T>(long[] counts, string tag)
        where T : struct, Enum
        => Enum.GetValues<T>().Select((value, i) => new Measurement<long>(
            Volatile.Read(ref counts[i]), new KeyValuePair<string, object?>(tag, JsonNamingPolicy.SnakeCaseLower.ConvertName(value.ToString()))));
}
