using System.Diagnostics.Metrics;
using System.Text;

namespace VoiceGrains.Hosting.Observability;

/// <summary>Turns OpenTelemetry's names and units into Prometheus' (the OpenTelemetry specification, "Prometheus and OpenMetrics Compatibility").</summary>
internal static class MetricName
{
    private const string Prefix = "voicegrains_";

    /// <summary>For example <c>voicegrains_provider_duration_seconds</c>, <c>voicegrains_grain_requests_total</c>.</summary>
    public static string Of(Instrument instrument, MetricKind kind)
    {
        var name = Sanitize(instrument.Name, allowColon: true);
        if (instrument.Meter.Name.StartsWith("VoiceGrains", StringComparison.Ordinal) && !name.StartsWith(Prefix, StringComparison.Ordinal))
            name = Prefix + name;
        if (UnitSuffix(instrument.Unit, kind) is { } unit && !name.EndsWith(unit, StringComparison.Ordinal))
            name += unit;
        return kind == MetricKind.Counter && !name.EndsWith("_total", StringComparison.Ordinal) ? name + "_total" : name;
    }

    /// <summary>A label's name: letters, digits and underscores, no digit first.</summary>
    public static string OfLabel(string tag) => Sanitize(tag, allowColon: false);

    private static string? UnitSuffix(string? unit, MetricKind kind) => unit switch
    {
        "s" => "_seconds",
        "ms" => "_milliseconds",
        "us" => "_microseconds",
        "By" => "_bytes",
        "1" when kind == MetricKind.Gauge => "_ratio",
        "%" => "_percent",
        _ => null,      // "{request}" and the like say what is counted, which the name says already
    };

    private static string Sanitize(string name, bool allowColon)
    {
        var text = new StringBuilder(name.Length + 1);
        foreach (var c in name)
            text.Append(char.IsAsciiLetterOrDigit(c) || (c == ':' && allowColon) ? c : '_');
        if (text.Length == 0 || char.IsAsciiDigit(text[0]))
            text.Insert(0, '_');
        return text.ToString();
    }
}

/// <summary>The three shapes of a metric that VoiceGrains writes.</summary>
internal enum MetricKind : byte { Counter, Gauge, Histogram }
