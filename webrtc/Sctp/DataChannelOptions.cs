namespace VoiceGrains.WebRtc.Sctp;

/// <summary>How a channel delivers (RFC 8832 §5.1). The default is reliable and in order.</summary>
/// <param name="Ordered">False: a message may overtake an earlier one.</param>
/// <param name="MaxRetransmits">Retransmissions of a message before it is given up; null: no such limit.</param>
/// <param name="MaxLifetime">Time for which a message is sent and retransmitted; null: no such limit. Excludes <paramref name="MaxRetransmits"/>.</param>
/// <param name="Protocol">Subprotocol as agreed by the applications; at most <see cref="MaxNameBytes"/> of UTF-8.</param>
public sealed record DataChannelOptions(bool Ordered = true, uint? MaxRetransmits = null, TimeSpan? MaxLifetime = null, string Protocol = "")
{
    /// <summary>Most bytes of a label or of a protocol. Ours: the wire has room for 65,535.</summary>
    public const int MaxNameBytes = 1024;

    /// <summary>Reliable and in order.</summary>
    public static DataChannelOptions Reliable { get; } = new();
}
