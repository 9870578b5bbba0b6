namespace VoiceGrains.WebRtc.Rtp;

/// <summary>Times as RTCP counts them (RFC 3550 §4): seconds since 1900 in 32.32 fixed point, and the middle of that in 16.16.</summary>
public static class NtpTime
{
    private static readonly DateTimeOffset _epoch = new(1900, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>Wraps in 2036, as the wire does.</summary>
    public static ulong From(DateTimeOffset time) => (ulong)((UInt128)(ulong)(time - _epoch).Ticks * (1UL << 32) / TimeSpan.TicksPerSecond);

    /// <summary>The middle 32 bits: 1/65,536 s, wrapping every 18 hours.</summary>
    public static uint Middle(ulong ntpTime) => (uint)(ntpTime >> 16);

    /// <summary>A duration in 1/65,536 s; what is longer than the field says its maximum.</summary>
    public static uint Compact(TimeSpan duration) => (uint)Math.Clamp(duration.TotalSeconds * 65_536, 0, uint.MaxValue);

    public static TimeSpan FromCompact(uint duration) => TimeSpan.FromSeconds(duration / 65_536.0);
}
