namespace VoiceGrains.Media;

/// <summary>What <see cref="WavReader"/> accepts from strangers.</summary>
public sealed record WavLimits
{
    public static WavLimits Default { get; } = new();

    /// <summary>Default 1,000.</summary>
    public int MinSampleRateHz { get; init; } = 1_000;

    /// <summary>Default 192,000.</summary>
    public int MaxSampleRateHz { get; init; } = 192_000;

    /// <summary>Default 16.</summary>
    public int MaxChannels { get; init; } = 16;

    /// <summary>Bytes before the samples. Default 1 MiB: some editors put pictures there.</summary>
    public int MaxHeaderBytes { get; init; } = 1 << 20;

    /// <summary>Longest sound. Default 4 hours.</summary>
    public TimeSpan MaxDuration { get; init; } = TimeSpan.FromHours(4);

    /// <summary>Longest file in bytes. Default 512 MiB.</summary>
    public int MaxBytes { get; init; } = 512 << 20;
}

/// <summary>A WAV file's sound.</summary>
/// <param name="Samples">Mono; the mean of the file's channels.</param>
/// <param name="SampleRateHz">Samples per second.</param>
/// <param name="Channels">How many channels the file had.</param>
public sealed record WavAudio(short[] Samples, int SampleRateHz, int Channels)
{
    public TimeSpan Duration => TimeSpan.FromSeconds((double)Samples.Length / SampleRateHz);
}
