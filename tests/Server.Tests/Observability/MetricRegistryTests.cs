using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text.RegularExpressions;
using VoiceGrains.Hosting.Observability;

namespace VoiceGrains.Server.Tests.Observability;

public sealed partial class MetricRegistryTests : IDisposable
{
    private readonly Meter meter = new($"VoiceGrains.Test{Guid.NewGuid():N}");
    private readonly MetricRegistry metrics;

    public MetricRegistryTests() => metrics = new MetricRegistry(name => name == meter.Name);

    public void Dispose()
    {
        metrics.Dispose();
        meter.Dispose();
    }

    [Fact]
    public void Counter_IsPrefixedSuffixedAndAddedUpPerLabelSet()
    {
        var calls = meter.CreateCounter<long>("calls.started", "{call}", "Calls that began");
        calls.Add(1, new("medium", "web_socket"), new("voice.name", "slt"));
        calls.Add(2, new("voice.name", "slt"), new("medium", "web_socket"));
        calls.Add(5);

        Assert.Equal("""
            # HELP voicegrains_calls_started_total Calls that began
            # TYPE voicegrains_calls_started_total counter
            voicegrains_calls_started_total 5
            voicegrains_calls_started_total{medium="web_socket",voice_name="slt"} 3

            """, metrics.Scrape());
    }

    [Fact]
    public void Histogram_HasRisingBucketsThatEndAtTheCount()
    {
        var latency = meter.CreateHistogram("turn.latency", "s", "From word to sound", advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.1, 0.5] });
        foreach (var seconds in new[] { 0.1, 0.25, 0.5, 2 })
            latency.Record(seconds, new KeyValuePair<string, object?>("part", "model"));

        Assert.Equal("""
            # HELP voicegrains_turn_latency_seconds From word to sound
            # TYPE voicegrains_turn_latency_seconds histogram
            voicegrains_turn_latency_seconds_bucket{part="model",le="0.1"} 1
            voicegrains_turn_latency_seconds_bucket{part="model",le="0.5"} 3
            voicegrains_turn_latency_seconds_bucket{part="model",le="+Inf"} 4
            voicegrains_turn_latency_seconds_sum{part="model"} 2.85
            voicegrains_turn_latency_seconds_count{part="model"} 4

            """, metrics.Scrape());
    }

    [Fact]
    public void UpDownCounterAndGauges_AreGauges()
    {
        var active = meter.CreateUpDownCounter<int>("active");
        active.Add(3);
        active.Add(-1);
        meter.CreateGauge<double>("load", "1").Record(0.5);
        meter.CreateObservableGauge("memory", () => 12L, "By");

        Assert.Equal("""
            # TYPE voicegrains_active gauge
            voicegrains_active 2
            # TYPE voicegrains_load_ratio gauge
            voicegrains_load_ratio 0.5
            # TYPE voicegrains_memory_bytes gauge
            voicegrains_memory_bytes 12

            """, metrics.Scrape());
    }

    [Fact]
    public void ObservableCounter_IsWhatItLastReported_AndForgottenWhenItNoLongerReports()
    {
        IEnumerable<Measurement<long>> reported = [new(7, new KeyValuePair<string, object?>("silo", "a")), new(1, new KeyValuePair<string, object?>("silo", "b"))];
        meter.CreateObservableCounter("seen", () => reported);

        metrics.Scrape();
        Assert.Contains("voicegrains_seen_total{silo=\"a\"} 7\n", metrics.Scrape(), StringComparison.Ordinal);

        reported = [new(2, new KeyValuePair<string, object?>("silo", "b"))];
        var later = metrics.Scrape();
        Assert.Contains("voicegrains_seen_total{silo=\"b\"} 2\n", later, StringComparison.Ordinal);
        Assert.DoesNotContain("silo=\"a\"", later, StringComparison.Ordinal);
    }

    [Fact]
    public void AFailingObservableInstrument_LeavesTheOthersIntact()
    {
        meter.CreateObservableGauge("broken", int () => throw new ObjectDisposedException("owner"));
        meter.CreateObservableGauge("whole", () => 1);

        Assert.Contains("voicegrains_whole 1\n", metrics.Scrape(), StringComparison.Ordinal);
    }

    [Fact]
    public void LabelValues_AreEscaped()
    {
        meter.CreateCounter<int>("odd").Add(1, new KeyValuePair<string, object?>("1 path", "C:\\new \"line\"\nend"), new("none", null), new("yes", true));

        Assert.Contains("""voicegrains_odd_total{_1_path="C:\\new \"line\"\nend",none="",yes="true"} 1""", metrics.Scrape(), StringComparison.Ordinal);
    }

    [Fact]
    public void ManyTagValues_AreAddedUpBeyondTheLimit()
    {
        var calls = meter.CreateCounter<int>("calls");
        for (var i = 0; i < MetricFamily.MostSeries + 50; i++)
            calls.Add(1, new KeyValuePair<string, object?>("id", i));

        var samples = metrics.Scrape().Split('\n').Where(line => line.StartsWith("voicegrains_calls_total", StringComparison.Ordinal)).ToList();
        Assert.Equal(MetricFamily.MostSeries + 1, samples.Count);
        Assert.Contains("voicegrains_calls_total{otel_metric_overflow=\"true\"} 50", samples);
    }

    [Fact]
    public void OneNameFromTwoMeters_IsOneFamily()
    {
        using var second = new Meter(meter.Name);
        meter.CreateCounter<long>("shared").Add(1);
        second.CreateCounter<long>("shared").Add(2);
        second.CreateHistogram<long>("shared_total").Record(3);     // the same name with another meaning is left out

        Assert.Equal("# TYPE voicegrains_shared_total counter\nvoicegrains_shared_total 3\n", metrics.Scrape());
    }

    [Fact]
    public async Task ConcurrentRecording_LosesNothing()
    {
        var counter = meter.CreateCounter<long>("busy");
        var histogram = meter.CreateHistogram<double>("spread", "s");
        await Task.WhenAll(Enumerable.Range(0, 4).Select(worker => Task.Run(() =>
        {
            for (var i = 0; i < 10_000; i++)
            {
                counter.Add(1, new KeyValuePair<string, object?>("worker", worker % 2));
                histogram.Record(1);
                if (i % 1_000 == 0)
                    metrics.Scrape();
            }
        }, TestContext.Current.CancellationToken)));

        var text = metrics.Scrape();
        Assert.Contains("voicegrains_busy_total{worker=\"0\"} 20000\n", text, StringComparison.Ordinal);
        Assert.Contains("voicegrains_busy_total{worker=\"1\"} 20000\n", text, StringComparison.Ordinal);
        Assert.Contains("voicegrains_spread_seconds_count 40000\n", text, StringComparison.Ordinal);
        Assert.Contains("voicegrains_spread_seconds_sum 40000\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public void EveryLine_FollowsTheTextFormat()
    {
        using var runtime = new MetricRegistry(static name => name == "System.Runtime");
        meter.CreateGauge<double>("extremes").Record(double.PositiveInfinity);
        meter.CreateGauge<double>("9lives").Record(1e-9);

        var text = metrics.Scrape() + runtime.Scrape();
        Assert.EndsWith("\n", text, StringComparison.Ordinal);
        Assert.Contains("voicegrains_extremes +Inf\n", text, StringComparison.Ordinal);
        var lines = text.TrimEnd('\n').Split('\n');
        Assert.All(lines, line => Assert.Matches(FormatLine(), line));
        Assert.All(lines.Where(line => !line.StartsWith('#')), line
            => Assert.True(line[(line.LastIndexOf(' ') + 1)..] is "+Inf" or "-Inf" or "NaN" || double.TryParse(line[(line.LastIndexOf(' ') + 1)..], CultureInfo.InvariantCulture, out _)));
        Assert.Equal(lines.Length, lines.Distinct().Count());
    }

    /// <summary>The grammar of https://prometheus.io/docs/instrumenting/exposition_formats/ without timestamps.</summary>
    [GeneratedRegex("""^(# HELP [a-zA-Z_:][a-zA-Z0-9_:]* .*|# TYPE [a-zA-Z_:][a-zA-Z0-9_:]* (counter|gauge|histogram)|[a-zA-Z_:][a-zA-Z0-9_:]*(\{[a-zA-Z_][a-zA-Z0-9_]*="([^"\\]|\\[\\n"])*"(,[a-zA-Z_][a-zA-Z0-9_]*="([^"\\]|\\[\\n"])*")*\})? [^ ]+)$""")]
    private static partial Regex FormatLine();
}
