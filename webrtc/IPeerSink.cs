namespace VoiceGrains.WebRtc;

/// <summary>
/// What a peer connection tells its owner. Audio and data come from the receive loop of the port that all calls share: copy what is needed and return. Spans are
/// valid during the call only. The connection may be called, and disposed, from within.
/// </summary>
public interface IPeerSink
{
    /// <summary>One call for each change, one at a time and in order. Not called for one's own <see cref="PeerConnection.DisposeAsync"/>.</summary>
    /// <param name="reason">Why, for people and logs; holds nothing secret.</param>
    void OnStateChanged(PeerState state, string reason) => OnStateChanged(state);

    void OnStateChanged(PeerState state);

    /// <summary>One packet of the client's microphone, authentic and in the order of its arrival.</summary>
    /// <param name="timestamp">In units of 1/48,000 s (RFC 7587 §4.1).</param>
    /// <param name="opus">The Opus packet; not empty.</param>
    /// <param name="audioLevel">Loudness in -dBov from 0 (loudest) to 127 (RFC 6464); null when the client does not say.</param>
    void OnAudio(ushort sequence, uint timestamp, ReadOnlySpan<byte> opus, byte? audioLevel);

    /// <summary>The same with its track, for owners that receive several, or that must know where a new stream begins.</summary>
    void OnAudio(RemoteTrack track, ushort sequence, uint timestamp, ReadOnlySpan<byte> opus, byte? audioLevel)
        => OnAudio(sequence, timestamp, opus, audioLevel);

    /// <summary>
    /// How long after its arrival a packet's sound is played: what is lost is asked for again only where it can come before that. Default zero: never.
    /// Read at losses, from the receive loop.
    /// </summary>
    TimeSpan PlayoutDelay => TimeSpan.Zero;

    /// <summary>A whole message of a data channel that the client opened.</summary>
    void OnData(string label, ReadOnlySpan<byte> message);
}
