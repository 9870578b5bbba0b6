namespace VoiceGrains.WebRtc;

/// <summary>Where a peer connection stands.</summary>
public enum PeerState : byte
{
    /// <summary>No offer has been answered yet.</summary>
    New = 0,

    /// <summary>Answered; the client's checks and the DTLS handshake are awaited.</summary>
    Connecting = 1,

    /// <summary>Media and data can flow.</summary>
    Connected = 2,

    /// <summary>The client's consent is gone (RFC 7675). Its next check, or an ICE restart, brings it back to <see cref="Connected"/>.</summary>
    Disconnected = 3,

    /// <summary>Final: it did not come up in time, or the handshake failed.</summary>
    Failed = 4,

    /// <summary>Final: either side ended it, or the data association was lost.</summary>
    Closed = 5,
}
