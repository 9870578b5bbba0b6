using System.Globalization;

namespace VoiceGrains.Gateway.Grpc;

/// <summary>The <c>grpc-timeout</c> header (grpc/doc/PROTOCOL-HTTP2.md): one to eight digits and a unit.</summary>
internal static class GrpcTimeout
{
    /// <summary>Longer ones are as good as none, and timers do not reach further.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromDays(30);

    /// <summary>False for text that breaks the grammar. The value is never above <see cref="Longest"/>.</summary>
    public static bool TryParse(string text, out TimeSpan timeout)
    {
        timeout = default;
        if (text.Length is < 2 or > 9 || !long.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture, out var value)) return false;
        if (TicksOf(text[^1], value) is not { } ticks) return false;
        timeout = ticks < Longest.Ticks ? TimeSpan.FromTicks(ticks) : Longest;
        return true;
    }

    /// <summary>No overflow: eight digits of hours are 3.6e18 ticks. Nanoseconds are rounded up, so that only zero is zero.</summary>
    private static long? TicksOf(char unit, long value) => unit switch
    {
        'H' => value * TimeSpan.TicksPerHour,
        'M' => value * TimeSpan.TicksPerMinute,
        'S' => value * TimeSpan.TicksPerSecond,
        'm' => value * TimeSpan.TicksPerMillisecond,
        'u' => value * TimeSpan.TicksPerMicrosecond,
        'n' => (value + 99) / 100,
        _ => null,
    };
}
