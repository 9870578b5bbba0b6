namespace VoiceGrains.Media;

/// <summary>How an <see cref="AudioReceiver"/> plays.</summary>
public sealed record AudioReceiverOptions
{
    /// <summary>Rate of the PCM taken: 8,000, 12,000, 16,000, 24,000 or 48,000. Default 48,000.</summary>
    public int SampleRateHz { get; init; } = 48_000;

    /// <summary>The least that sound waits for packets that may come later. Default 20 ms.</summary>
    public TimeSpan MinDelay { get; init; } = TimeSpan.FromMilliseconds(20);

    /// <summary>What it waits at first, while the network is unknown. Default 40 ms.</summary>
    public TimeSpan InitialDelay { get; init; } = TimeSpan.FromMilliseconds(40);

    /// <summary>The most that it aims to wait. Default 200 ms.</summary>
    public TimeSpan MaxDelay { get; init; } = TimeSpan.FromMilliseconds(200);
}
