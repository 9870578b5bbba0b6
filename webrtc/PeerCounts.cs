namespace VoiceGrains.WebRtc;

/// <summary>What one connection counted since its start, or all of them together. None of it ever falls.</summary>
internal readonly record struct PeerCounts
{
    public long PacketsReceived { get; init; }
    public long PacketsSent { get; init; }
    public long PacketsLost { get; init; }
    public long PacketsLostByClient { get; init; }
    public long PacketsUnrouted { get; init; }
    public long PacketsRequested { get; init; }
    public long PacketsRequestedByClient { get; init; }
    public long PacketsRecovered { get; init; }
    public long PacketsRetransmitted { get; init; }
    public long NotAuthentic { get; init; }
    public long Replayed { get; init; }

    /// <summary>SRTP that came before the keys, and datagrams that are too long for it.</summary>
    public long Unexpected { get; init; }
    public long MessagesReceived { get; init; }
    public long MessagesSent { get; init; }
    public long MessagesRefused { get; init; }
    public long SctpPacketsRefused { get; init; }
    public long SctpPacketsUnsent { get; init; }

    public static PeerCounts operator +(PeerCounts one, PeerCounts other) => new()
    {
        PacketsReceived = one.PacketsReceived + other.PacketsReceived,
        PacketsSent = one.PacketsSent + other.PacketsSent,
        PacketsLost = one.PacketsLost + other.PacketsLost,
        PacketsLostByClient = one.PacketsLostByClient + other.PacketsLostByClient,
        PacketsUnrouted = one.PacketsUnrouted + other.PacketsUnrouted,
        PacketsRequested = one.PacketsRequested + other.PacketsRequested,
        PacketsRequestedByClient = one.PacketsRequestedByClient + other.PacketsRequestedByClient,
        PacketsRecovered = one.PacketsRecovered + other.PacketsRecovered,
        PacketsRetransmitted = one.PacketsRetransmitted + other.PacketsRetransmitted,
        NotAuthentic = one.NotAuthentic + other.NotAuthentic,
        Replayed = one.Replayed + other.Replayed,
        Unexpected = one.Unexpected + other.Unexpected,
        MessagesReceived = one.MessagesReceived + other.MessagesReceived,
        MessagesSent = one.MessagesSent + other.MessagesSent,
        MessagesRefused = one.MessagesRefused + other.MessagesRefused,
        SctpPacketsRefused = one.SctpPacketsRefused + other.SctpPacketsRefused,
        SctpPacketsUnsent = one.SctpPacketsUnsent + other.SctpPacketsUnsent,
    };
}
