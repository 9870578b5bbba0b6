namespace VoiceGrains.Media;

/// <summary>Converts between timestamps (<see cref="TimeProvider.GetTimestamp"/>) and sample counts, without overflow or drift.</summary>
internal readonly struct SampleClock(int sampleRateHz, long timestampFrequency)
{
    /// <summary>Whole samples in a span of timestamp ticks, rounded down.</summary>
    public long ToSamples(long ticks) => Scale(ticks, sampleRateHz, timestampFrequency);

    /// <summary>Timestamp ticks in a number of samples, rounded down.</summary>
    public long ToTicks(long samples) => Scale(samples, timestampFrequency, sampleRateHz);

    /// <summary>Whole samples in a time, rounded down.</summary>
    public long ToSamples(TimeSpan time) => Scale(time.Ticks, sampleRateHz, TimeSpan.TicksPerSecond);

    private static long Scale(long value, long multiplier, long divisor)
    {
        var (whole, rest) = Math.DivRem(value, divisor);
        return whole * multiplier + rest * multiplier / divisor;   // rest < divisor, so this product stays below 2^63
    }
}
