namespace VoiceGrains.Media;

/// <summary>How an <see cref="OpusSender"/> sends.</summary>
public sealed record OpusSenderOptions
{
    /// <summary>How frames are encoded; its rate is that of the PCM written.</summary>
    public OpusEncoderOptions Encoder { get; init; } = new();

    /// <summary>The most sound that waits to be sent. Default 500 ms, at most 30 s.</summary>
    public TimeSpan MaxQueued { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>RTP timestamp of the first packet; should be random (RFC 3550 §5.1).</summary>
    public uint FirstTimestamp { get; init; }
}
