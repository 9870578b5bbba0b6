namespace VoiceGrains.WebRtc.Transport;

/// <summary>Why a datagram came to nothing. The metric's tag is the name in snake_case.</summary>
internal enum DropReason : byte
{
    /// <summary>Neither STUN nor DTLS nor RTP.</summary>
    UnknownKind,

    /// <summary>Longer than anything that WebRTC sends.</summary>
    TooLong,

    MalformedStun,

    /// <summary>STUN that is no Binding request.</summary>
    UnexpectedStun,

    /// <summary>Without FINGERPRINT, or with a wrong one.</summary>
    WrongFingerprint,

    /// <summary>A check for no agent of this endpoint.</summary>
    UnknownFragment,

    WrongIntegrity,

    /// <summary>A check from an address that carries another call.</summary>
    AddressTaken,

    /// <summary>An answer that would be longer than its request.</summary>
    WouldAmplify,

    /// <summary>DTLS, RTP or RTCP from an address that no check validated.</summary>
    NotValidated,

    /// <summary>DTLS, RTP or RTCP from an address whose checks stopped.</summary>
    NoConsent,

    /// <summary>Handling it failed: a bug, and logged.</summary>
    Failed,

    /// <summary>Outbound: the socket's send buffer is full.</summary>
    SocketFull,

    /// <summary>Outbound: the system refused to send there.</summary>
    Unreachable,

    /// <summary>Outbound: a slow TCP reader's queue is full.</summary>
    QueueFull,
}
