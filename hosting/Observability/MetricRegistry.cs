using System.Diagnostics.Metrics;

namespace VoiceGrains.Hosting.Observability;

/// <summary>Keeps what the instruments of this process record, ready to be scraped. Instruments of one metric name, from whichever meter, share one family.</summary>
internal sealed class MetricRegistry : IDisposable
{
    private readonly Lock scraping = new();
    private readonly Lock gate = new();      // never held while instruments are asked: they may be making others, which ends in OnPublished
    private readonly SortedDictionary<string, MetricFamily> families = new(StringComparer.Ordinal);
    private readonly MeterListener listener = new();
    private readonly Func<string, bool> isWanted;
    private long scrape;

    /// <param name="isWanted">Which meters to keep, by name.</param>
    public MetricRegistry(Func<string, bool> isWanted)
    {
        this.isWanted = isWanted;
        listener.InstrumentPublished = OnPublished;
        listener.SetMeasurementEventCallback<double>(static (instrument, value, tags, state) => Record(instrument, value, tags, state));
        listener.SetMeasurementEventCallback<float>(static (instrument, value, tags, state) => Record(instrument, value, tags, state));
        listener.SetMeasurementEventCallback<long>(static (instrument, value, tags, state) => Record(instrument, value, tags, state));
        listener.SetMeasurementEventCallback<int>(static (instrument, value, tags, state) => Record(instrument, value, tags, state));
        listener.SetMeasurementEventCallback<short>(static (instrument, value, tags, state) => Record(instrument, value, tags, state));
        listener.SetMeasurementEventCallback<byte>(static (instrument, value, tags, state) => Record(instrument, value, tags, state));
        listener.SetMeasurementEventCallback<decimal>(static (instrument, value, tags, state) => Record(instrument, (double)value, tags, state));
        listener.Start();
    }

    /// <summary>Everything recorded so far, in Prometheus' text format 0.0.4. Asks the observable instruments first.</summary>
    public string Scrape()
    {
        lock (scraping)
        {
            scrape++;
            try
            {
                listener.RecordObservableInstruments();
            }
            catch (AggregateException)
            {
                // One instrument's callback failed, perhaps because its owner is being disposed: the others have reported.
            }
            lock (gate)
                return PrometheusText.Write(families.Values, scrape);
        }
    }

    public void Dispose() => listener.Dispose();

    private void OnPublished(Instrument instrument, MeterListener publishedTo)
    {
        if (!isWanted(instrument.Meter.Name) || KindOf(instrument) is not { } kind)
            return;
        var name = MetricName.Of(instrument, kind);
        lock (gate)
        {
            if (!families.TryGetValue(name, out var family))
                families.Add(name, family = new MetricFamily(name, kind, instrument.Description ?? "", kind == MetricKind.Histogram ? MetricFamily.BoundsOf(instrument) : []));
            if (family.Kind == kind)        // one name has one type: a second meaning of it is left out
                publishedTo.EnableMeasurementEvents(instrument, new Subscription(this, family));
        }
    }

    private static MetricKind? KindOf(Instrument instrument)
    {
        var type = instrument.GetType();
        if (!type.IsGenericType)
            return null;
        var definition = type.GetGenericTypeDefinition();
        if (definition == typeof(Counter<>) || definition == typeof(ObservableCounter<>))
            return MetricKind.Counter;
        if (definition == typeof(Histogram<>))
            return MetricKind.Histogram;
        return definition == typeof(Gauge<>) || definition == typeof(ObservableGauge<>) || definition == typeof(UpDownCounter<>)
            || definition == typeof(ObservableUpDownCounter<>) ? MetricKind.Gauge : null;
    }

    private static void Record(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags, object? state)
    {
        var (registry, family) = (Subscription)state!;
        var series = family.Find(tags);
        if (family.Kind == MetricKind.Histogram)
            series.Observe(value);
        else if (instrument.IsObservable)
            registry.SetObserved(series, value);
        else if (family.Kind == MetricKind.Counter || !IsGauge(instrument))
            series.Add(value);
        else
            series.Set(value);
    }

    /// <summary>Two instruments that report one series in one scrape, such as one per silo in a process of several, are added up.</summary>
    private void SetObserved(MetricSeries series, double value)
    {
        if (series.ObservedIn == scrape)
            series.Add(value);
        else
            series.Set(value);
        series.ObservedIn = scrape;
    }

    private static bool IsGauge(Instrument instrument) => instrument is Gauge<double> or Gauge<float> or Gauge<long> or Gauge<int> or Gauge<short> or Gauge<byte> or Gauge<decimal>;

    private sealed record Subscription(MetricRegistry Registry, MetricFamily Family);
}
