namespace VoiceGrains.WebRtc.Sctp;

/// <summary>Limits and timeouts of an association. The defaults suit a voice call over a path that may be gone for seconds.</summary>
public sealed record SctpOptions
{
    /// <summary>The options that a call uses.</summary>
    public static SctpOptions Default { get; } = new();

    /// <summary>Streams asked for in each direction; a channel takes one of each. From 16 to 1024; default 1024, as browsers ask for.</summary>
    public int StreamCount { get; init; } = 1024;

    /// <summary>Channels open at one time. Default 16: a LiveKit client opens three. A channel beyond them is refused by resetting its stream.</summary>
    public int MaxChannels { get; init; } = 16;

    /// <summary>Longest message either way, in bytes, as announced in SDP by max-message-size. Default 64 KiB (RFC 8841 §6).</summary>
    public int MaxMessageBytes { get; init; } = 64 * 1024;

    /// <summary>Bytes that may wait to be sent or acknowledged. Default 256 KiB. A message that does not fit whole is refused.</summary>
    public int SendBufferBytes { get; init; } = 256 * 1024;

    /// <summary>Receive window in bytes: all that a peer can make us hold. Default 256 KiB; at least twice <see cref="MaxMessageBytes"/>.</summary>
    public int ReceiveBufferBytes { get; init; } = 256 * 1024;

    /// <summary>Longest SCTP packet in bytes. Default 1191: with DTLS, UDP and IPv6 around it 1280, which every path carries (RFC 8831 §5).</summary>
    public int MaxPacketBytes { get; init; } = 1191;

    /// <summary>Time from <see cref="SctpAssociation.Start"/> until an association that is not up counts as lost. Default 30 s.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>INITs sent before giving up. Default 20; <see cref="ConnectTimeout"/> comes first.</summary>
    public int MaxInitAttempts { get; init; } = 20;

    /// <summary>Retransmission timeout before the round trip was measured (RFC 9260 §6.3.1). Default 500 ms: the path has just carried ICE and DTLS.</summary>
    public TimeSpan InitialRetransmissionTimeout { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>Default 300 ms: above a peer's delayed acknowledgement of 200 ms.</summary>
    public TimeSpan MinRetransmissionTimeout { get; init; } = TimeSpan.FromMilliseconds(300);

    /// <summary>Default 3 s, not the 60 s of RFC 9260: data goes on within 3 s of a path's return.</summary>
    public TimeSpan MaxRetransmissionTimeout { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>Unanswered retransmissions or heartbeats in a row that end the association. Default 14: about 40 s, longer than a page's reconnect.</summary>
    public int MaxRetransmissions { get; init; } = 14;

    /// <summary>How often an idle path is probed. Default 15 s; ICE's consent checks find a dead path sooner.</summary>
    public TimeSpan HeartbeatInterval { get; init; } = TimeSpan.FromSeconds(15);
}
