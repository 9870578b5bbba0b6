namespace VoiceGrains.WebRtc.Ice;

/// <summary>
/// What an agent tells its owner. Calls come from the receive loops, one at a time for one agent; they must not block. The owner may call
/// <see cref="IceLiteAgent"/> from within, also under its own lock: the agent holds no lock there that its methods take.
/// </summary>
public interface IIceSink
{
    /// <summary>DTLS, RTP or RTCP (RFC 7983 §7) from an address that ICE validated. The bytes are valid during the call only.</summary>
    void OnDatagram(ReadOnlySpan<byte> datagram);

    /// <summary><see cref="IceState.Closed"/> is told only when the endpoint is disposed, not after the owner's own <see cref="IceLiteAgent.Dispose"/>.</summary>
    void OnStateChanged(IceState state);
}
