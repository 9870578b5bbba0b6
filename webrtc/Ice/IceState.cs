namespace VoiceGrains.WebRtc.Ice;

/// <summary>State of one agent.</summary>
public enum IceState : byte
{
    /// <summary>The peer has not nominated a pair yet.</summary>
    New = 0,

    /// <summary>A nominated pair has the peer's consent.</summary>
    Connected = 1,

    /// <summary>No authenticated check came for 30 s (RFC 7675 §5.1) or the connection is gone. Nothing is sent; a check brings it back.</summary>
    Disconnected = 2,

    Closed = 3,
}
