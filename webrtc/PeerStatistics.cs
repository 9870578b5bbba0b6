using VoiceGrains.WebRtc.Ice;

namespace VoiceGrains.WebRtc;

/// <summary>How a connection fares, since its start.</summary>
public readonly record struct PeerStatistics
{
    public PeerState State { get; init; }
    public IceState Ice { get; init; }

    /// <summary>Whether DTLS is up, so that media is protected and data can flow.</summary>
    public bool IsSecured { get; init; }

    /// <summary>Address of the client on the selected pair; null before there is one.</summary>
    public System.Net.IPEndPoint? RemoteAddress { get; init; }

    /// <summary>What the selected pair goes over; null before there is one.</summary>
    public IceTransport? Transport { get; init; }

    /// <summary>To the client and back, as its latest report says (RFC 3550 §6.4.1); null before the first.</summary>
    public TimeSpan? RoundTrip { get; init; }

    public long PacketsSent { get; init; }

    /// <summary>Payload bytes of <see cref="PacketsSent"/>.</summary>
    public long BytesSent { get; init; }

    /// <summary>Packets of the agent that the client missed.</summary>
    public long PacketsLostByClient { get; init; }

    /// <summary>Share of the agent's packets that the client missed in its latest report interval, 0 to 1.</summary>
    public double LossAtClient { get; init; }

    /// <summary>Interarrival jitter that the client measures.</summary>
    public TimeSpan JitterAtClient { get; init; }

    public long PacketsReceived { get; init; }

    /// <summary>Payload bytes of <see cref="PacketsReceived"/>.</summary>
    public long BytesReceived { get; init; }

    /// <summary>Packets of the microphones that did not arrive; negative where some came twice.</summary>
    public long PacketsLost { get; init; }

    /// <summary>Share of the microphones' packets that did not arrive in our latest report interval, 0 to 1.</summary>
    public double Loss { get; init; }

    /// <summary>Interarrival jitter of the first microphone.</summary>
    public TimeSpan Jitter { get; init; }

    /// <summary>Authentic packets that belong to no microphone: an unknown source, or another payload type than the negotiated one.</summary>
    public long PacketsUnrouted { get; init; }

    /// <summary>Packets that are not authentic, replayed or malformed.</summary>
    public long PacketsRefused { get; init; }

    /// <summary>Packets of the agent that the client asked for again; also where that was not agreed on, and is ignored.</summary>
    public long PacketsRequestedByClient { get; init; }

    /// <summary>Packets of the agent that were sent again.</summary>
    public long PacketsRetransmitted { get; init; }

    /// <summary>Requests for packets of the microphones that did not arrive; some are asked for twice.</summary>
    public long PacketsRequested { get; init; }

    /// <summary>Packets that arrived after they had been asked for.</summary>
    public long PacketsRecovered { get; init; }
}
