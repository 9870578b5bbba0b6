namespace VoiceGrains.WebRtc.Dtls;

/// <summary>Why a handshake failed. The metric's tag is the name in snake_case.</summary>
public enum DtlsFault : byte
{
    /// <summary>It has not.</summary>
    None = 0,

    /// <summary>The peer did not answer within <see cref="DtlsTransport.HandshakeLimit"/>.</summary>
    Timeout = 1,

    /// <summary>The peer's certificate is not the one that the SDP names.</summary>
    Fingerprint = 2,

    /// <summary>No SRTP profile in common, or no extended master secret.</summary>
    Profile = 3,

    /// <summary>The peer refused, with an alert.</summary>
    Refused = 4,

    /// <summary>The peer broke the protocol, or has no version or suite in common with us.</summary>
    Protocol = 5,
}
