namespace VoiceGrains.Media;

/// <summary>The sample rates that Opus codes at (RFC 6716 §2).</summary>
internal static class OpusRates
{
    public static void Check(int sampleRateHz)
    {
        if (sampleRateHz is not (8_000 or 12_000 or 16_000 or 24_000 or 48_000))
            throw new ArgumentOutOfRangeException(nameof(sampleRateHz), sampleRateHz, "Opus codes at 8,000, 12,000, 16,000, 24,000 or 48,000 Hz.");
    }
}
