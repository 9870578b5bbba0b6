using System.Diagnostics.Metrics;
using VoiceGrains.Media;

namespace VoiceGrains.Silo.WebRtc;

/// <summary>What the jitter buffers of this silo's calls did, as metrics: added up when the meter is read, from the figures that each buffer keeps.</summary>
internal sealed class ReceiverMetrics
{
    private readonly Lock _gate = new();
    private readonly HashSet<AudioReceiver> _live = [];
    private readonly Histogram<double> _delay;
    private Totals _ended;

    public ReceiverMetrics(Meter meter)
    {
        _delay = meter.CreateHistogram("voicegrains.jitter_buffer.delay", "s", "How long the sound of clients is meant to wait for late packets, each second of each call that sound comes from",
            advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.02, 0.03, 0.04, 0.06, 0.08, 0.1, 0.12, 0.15, 0.2] });
        meter.CreateObservableCounter("voicegrains.jitter_buffer.concealed", () => Total().Concealed, "s", "Sound of clients that was made up for lost or late packets");
        meter.CreateObservableCounter("voicegrains.jitter_buffer.stretched", () => MeasureStretched(Total()), "s", "Sound that was taken out or put in, to follow the delay and the client's clock");
        meter.CreateObservableCounter("voicegrains.jitter_buffer.packets", () => MeasurePackets(Total()), "{packet}", "Packets that were not simply played, by what became of them");
    }

    public void Add(AudioReceiver receiver)
    {
        lock (_gate) _live.Add(receiver);
    }

    /// <summary>It has ended; what it counted stays.</summary>
    public void Remove(AudioReceiver receiver)
    {
        lock (_gate)
        {
            if (_live.Remove(receiver)) _ended += Totals.Of(receiver);
        }
    }

    /// <summary>Each second of a call in which its user is heard.</summary>
    public void Sample(AudioReceiver receiver) => _delay.Record(receiver.Statistics.TargetDelayMs / 1000);

    private Totals Total()
    {
        lock (_gate)
        {
            var total = _ended;
            foreach (var receiver in _live) total += Totals.Of(receiver);
            return total;
        }
    }

    private static Measurement<double>[] MeasureStretched(Totals all)
        => [new(all.Removed, new KeyValuePair<string, object?>("direction", "shorter")), new(all.Inserted, new KeyValuePair<string, object?>("direction", "longer"))];

    private static Measurement<long>[] MeasurePackets(Totals all) =>
    [
        Packets(all.Lost, "lost"), Packets(all.Late, "late"), Packets(all.Recovered, "recovered"),
        Packets(all.Duplicates, "duplicate"), Packets(all.Discarded, "discarded"), Packets(all.Malformed, "malformed"),
    ];

    private static Measurement<long> Packets(long count, string fate) => new(count, new KeyValuePair<string, object?>("fate", fate));

    /// <summary>Durations in seconds.</summary>
    private readonly record struct Totals(
        double Concealed, double Removed, double Inserted, long Lost, long Late, long Recovered, long Duplicates, long Discarded, long Malformed)
    {
        public static Totals Of(AudioReceiver receiver)
        {
            var (statistics, rate) = (receiver.Statistics, (double)receiver.SampleRateHz);
            return new Totals(
                statistics.ConcealedSamples / rate, statistics.RemovedSamples / rate, statistics.InsertedSamples / rate, statistics.Lost, statistics.Late,
                statistics.FecRecovered, statistics.Duplicates, statistics.Discarded, statistics.Malformed);
        }

        public static Totals operator +(Totals one, Totals other) => new(
            one.Concealed + other.Concealed, one.Removed + other.Removed, one.Inserted + other.Inserted, one.Lost + other.Lost, one.Late + other.Late,
            one.Recovered + other.Recovered, one.Duplicates + other.Duplicates, one.Discarded + other.Discarded, one.Malformed + other.Malformed);
    }
}
