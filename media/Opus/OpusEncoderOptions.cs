namespace VoiceGrains.Media;

/// <summary>How an <see cref="OpusEncoder"/> codes speech.</summary>
public sealed record OpusEncoderOptions
{
    /// <summary>Rate of the PCM: 8,000, 12,000, 16,000, 24,000 or 48,000. Default 48,000.</summary>
    public int SampleRateHz { get; init; } = 48_000;

    /// <summary>Bits per second, 6,000 to 510,000. Default 40,000: full-band speech (RFC 7587 §3.1.1), with room for its copies when packets are lost.</summary>
    public int BitrateBps { get; init; } = 40_000;

    /// <summary>Whether packets carry a copy of the one before, as far as <see cref="OpusEncoder.ExpectedLossPercent"/> makes it worth its bits. Default true.</summary>
    public bool UsesFec { get; init; } = true;

    /// <summary>Packets that the far end is expected to lose, 0 to 100 %. Default 0.</summary>
    public int ExpectedLossPercent { get; init; }

    /// <summary>Work spent on each frame, 0 to 10. Default 5: from 7 on libopus analyses the signal, which costs more than it gives speech.</summary>
    public int Complexity { get; init; } = 5;

    /// <summary>Whether nearly nothing is sent for silence. Default false: frames then come without gaps.</summary>
    public bool UsesDtx { get; init; }
}
