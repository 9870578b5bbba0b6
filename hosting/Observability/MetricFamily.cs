using System.Diagnostics.Metrics;
using System.Text;

namespace VoiceGrains.Hosting.Observability;

/// <summary>
/// One metric with all of its series. Series are found by their tags in the order given, without allocating; at most <see cref="MostSeries"/> are kept, and what
/// comes after is added up under <c>otel_metric_overflow="true"</c>, so that no tag value can use up memory.
/// </summary>
internal sealed class MetricFamily(string name, MetricKind kind, string help, double[] bounds)
{
    /// <summary>OpenTelemetry's recommended limit is 2,000; a scrape of that length for one metric serves nobody.</summary>
    public const int MostSeries = 200;
    private const string Overflow = "otel_metric_overflow=\"true\"";
    private readonly Lock gate = new();
    private readonly Dictionary<string, MetricSeries> byLabels = [];
    private volatile Entry[] entries = [];

    public string Name => name;

    public MetricKind Kind => kind;

    public string Help => help;

    /// <summary>Every series so far, in order of their labels.</summary>
    public IReadOnlyList<MetricSeries> Series
    {
        get
        {
            lock (gate)
                return [.. byLabels.Values.OrderBy(series => series.Labels, StringComparer.Ordinal)];
        }
    }

    /// <summary>Bucket bounds of a histogram: the instrument's advice, else what suits its unit.</summary>
    public static double[] BoundsOf(Instrument instrument) => instrument switch
    {
        Histogram<double> { Advice.HistogramBucketBoundaries: { } advised } => [.. advised],
        Histogram<float> { Advice.HistogramBucketBoundaries: { } advised } => [.. advised.Select(bound => (double)bound)],
        Histogram<long> { Advice.HistogramBucketBoundaries: { } advised } => [.. advised.Select(bound => (double)bound)],
        Histogram<int> { Advice.HistogramBucketBoundaries: { } advised } => [.. advised.Select(bound => (double)bound)],
        { Unit: "s" } => [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10],
        _ => [0, 5, 10, 25, 50, 75, 100, 250, 500, 750, 1_000, 2_500, 5_000, 7_500, 10_000],
    };

    /// <summary>The series of these tags, made on first use.</summary>
    public MetricSeries Find(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var hash = HashOf(tags);
        foreach (var entry in entries)
        {
            if (entry.Hash == hash && entry.Matches(tags))
                return entry.Series;
        }
        return Create(hash, tags);
    }

    private MetricSeries Create(int hash, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var labels = LabelsOf(tags);
        lock (gate)
        {
            var isFull = byLabels.Count >= MostSeries;
            if (!byLabels.TryGetValue(labels, out var series) && !byLabels.TryGetValue(isFull ? Overflow : labels, out series))
                byLabels.Add(isFull ? Overflow : labels, series = new MetricSeries(isFull ? Overflow : labels, bounds));
            if (entries.Length < MostSeries)        // the same labels in another order are another entry of the same series
                entries = [.. entries, new Entry(hash, tags.ToArray(), series)];
            return series;
        }
    }

    private static int HashOf(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var hash = new HashCode();
        foreach (var (key, value) in tags)
        {
            hash.Add(key);
            hash.Add(value);
        }
        return hash.ToHashCode();
    }

    /// <summary>In order of their names, as one label set must be written one way. Names that become the same share their values, joined by ';'.</summary>
    private static string LabelsOf(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var labels = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var (key, value) in tags)
        {
            var label = MetricName.OfLabel(key);
            var text = PrometheusText.LabelValue(value);
            labels[label] = labels.TryGetValue(label, out var other) ? $"{other};{text}" : text;
        }
        var written = new StringBuilder();
        foreach (var (label, text) in labels)
            written.Append(written.Length == 0 ? "" : ",").Append(label).Append("=\"").Append(text).Append('"');
        return written.ToString();
    }

    private sealed record Entry(int Hash, KeyValuePair<string, object?>[] Tags, MetricSeries Series)
    {
        public bool Matches(ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            if (tags.Length != Tags.Length)
                return false;
            for (var i = 0; i < tags.Length; i++)
            {
                if (tags[i].Key != Tags[i].Key || !Equals(tags[i].Value, Tags[i].Value))
                    return false;
            }
            return true;
        }
    }
}
