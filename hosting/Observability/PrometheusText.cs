using System.Globalization;
using System.Text;

namespace VoiceGrains.Hosting.Observability;

/// <summary>Writes Prometheus' text format 0.0.4 (https://prometheus.io/docs/instrumenting/exposition_formats/).</summary>
internal static class PrometheusText
{
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    /// <param name="families">In the order to be written.</param>
    /// <param name="scrape">Series of observable instruments that reported in an earlier scrape only are left out: what they told of is gone.</param>
    public static string Write(IEnumerable<MetricFamily> families, long scrape)
    {
        var text = new StringBuilder(16_384);
        foreach (var family in families)
        {
            var series = family.Series.Where(one => one.ObservedIn == 0 || one.ObservedIn == scrape).ToList();
            if (series.Count == 0)
                continue;
            if (family.Help.Length > 0)
                text.Append("# HELP ").Append(family.Name).Append(' ').Append(EscapeHelp(family.Help)).Append('\n');
            text.Append("# TYPE ").Append(family.Name).Append(' ').Append(TypeOf(family.Kind)).Append('\n');
            foreach (var one in series)
            {
                if (family.Kind == MetricKind.Histogram)
                    WriteHistogram(text, family.Name, one);
                else
                    WriteSample(text, family.Name, one.Labels, Number(one.Value));
            }
        }
        return text.ToString();
    }

    /// <summary>A tag's value as it stands between quotes.</summary>
    public static string LabelValue(object? value)
    {
        var text = value switch
        {
            null => "",
            bool flag => flag ? "true" : "false",
            IFormattable formattable => formattable.ToString(null, CultureInfo.InvariantCulture),
            _ => value.ToString() ?? "",
        };
        return text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);
    }

    private static void WriteHistogram(StringBuilder text, string name, MetricSeries series)
    {
        // Counted once, so that the buckets rise and the last one equals the count even while observations go on.
        var count = 0L;
        for (var i = 0; i <= series.Bounds.Length; i++)
        {
            count += series.Bucket(i);
            var bound = i < series.Bounds.Length ? Number(series.Bounds[i]) : "+Inf";
            WriteSample(text, $"{name}_bucket", Join(series.Labels, $"le=\"{bound}\""), Number(count));
        }
        WriteSample(text, $"{name}_sum", series.Labels, Number(series.Value));
        WriteSample(text, $"{name}_count", series.Labels, Number(count));
    }

    private static void WriteSample(StringBuilder text, string name, string labels, string value)
    {
        text.Append(name);
        if (labels.Length > 0)
            text.Append('{').Append(labels).Append('}');
        text.Append(' ').Append(value).Append('\n');
    }

    private static string Join(string labels, string label) => labels.Length == 0 ? label : $"{labels},{label}";

    private static string TypeOf(MetricKind kind) => kind switch
    {
        MetricKind.Counter => "counter",
        MetricKind.Histogram => "histogram",
        _ => "gauge",
    };

    private static string EscapeHelp(string help) => help.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);

    private static string Number(double value) => value switch
    {
        double.PositiveInfinity => "+Inf",
        double.NegativeInfinity => "-Inf",
        double.NaN => "NaN",
        _ => value.ToString("R", CultureInfo.InvariantCulture),
    };
}
