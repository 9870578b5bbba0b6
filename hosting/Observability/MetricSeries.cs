namespace VoiceGrains.Hosting.Observability;

/// <summary>The values of one metric under one set of labels. Recording is lock-free and allocates nothing.</summary>
internal sealed class MetricSeries
{
    private readonly double[] bounds;
    private readonly long[] buckets;
    private double value;

    /// <param name="labels">As written between the braces, escaped; empty for none.</param>
    /// <param name="bounds">Upper bounds of a histogram's buckets, rising; empty for other kinds.</param>
    public MetricSeries(string labels, double[] bounds)
    {
        (Labels, this.bounds) = (labels, bounds);
        buckets = bounds.Length == 0 ? [] : new long[bounds.Length + 1];
    }

    public string Labels { get; }

    public ReadOnlySpan<double> Bounds => bounds;

    /// <summary>The count, the level, or the sum of all observations of a histogram.</summary>
    public double Value => Volatile.Read(ref value);

    /// <summary>The scrape in which an observable instrument last reported it.</summary>
    public long ObservedIn { get; set; }

    /// <summary>Observations in one bucket alone; the last is the one without a bound.</summary>
    public long Bucket(int index) => Interlocked.Read(ref buckets[index]);

    public void Set(double level) => Volatile.Write(ref value, level);

    public void Add(double amount)
    {
        var before = Volatile.Read(ref value);
        while (true)
        {
            var seen = Interlocked.CompareExchange(ref value, before + amount, before);
            if (seen.Equals(before))
                return;
            before = seen;
        }
    }

    /// <summary>Counts an observation in the first bucket whose bound is not below it.</summary>
    public void Observe(double observation)
    {
        if (double.IsNaN(observation))
            return;
        var index = Array.BinarySearch(bounds, observation);
        Interlocked.Increment(ref buckets[index < 0 ? ~index : index]);
        Add(observation);
    }
}
