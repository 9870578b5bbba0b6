using VoiceGrains.WebRtc;

namespace VoiceGrains.Silo.WebRtc;

/// <summary>The media side of one participant: a peer connection that answers what its client offers. Members may be called from any thread and never block.</summary>
internal interface IRoomPeer : IAsyncDisposable
{
    /// <param name="sendsAgent">Whether the client is offered the agent's sound.</param>
    /// <returns>Null: it takes another peer, and the client another connection, to answer that.</returns>
    /// <exception cref="FormatException">The offer cannot be answered; the state before stands.</exception>
    string? Answer(string offerSdp, bool sendsAgent);

    /// <summary>False: not connected, or the socket is full; the packet is lost.</summary>
    bool TrySendAudio(ReadOnlySpan<byte> opus, uint timestamp, bool marker);

    /// <summary>False: the client has not opened the channel yet, or reads too slowly.</summary>
    bool TrySendData(string label, ReadOnlySpan<byte> message);

    /// <summary>What the far end's receiver reports, for its connection quality.</summary>
    PeerQuality Quality { get; }

    /// <summary>What was counted since its start.</summary>
    PeerStatistics Statistics => default;
}

/// <summary>How well packets come through.</summary>
/// <param name="Loss">In the worse of the two directions, 0 to 1.</param>
/// <param name="LossAtClient">Of the agent's sound, in the latest report of the client.</param>
internal readonly record struct PeerQuality(double Loss, TimeSpan RoundTrip, double LossAtClient = 0);

/// <summary>What a peer tells. Calls come on the socket's receiving thread and must be quick; spans are valid only during the call.</summary>
internal interface IRoomPeerSink
{
    /// <summary>Media can flow, or cannot any more. They may again, by a new offer or by themselves; else the room gives up.</summary>
    void OnConnected(bool isConnected);

    /// <summary>Final: it failed, or its client ended it. It only waits to be disposed.</summary>
    void OnEnded();

    /// <param name="stream">The same object for all packets of one stream.</param>
    /// <param name="level">Loudness in -dBov, 0 (loudest) to 127, where the client tells it (RFC 6464).</param>
    void OnAudio(object stream, ushort sequence, uint timestamp, ReadOnlySpan<byte> opus, byte? level);

    void OnData(string label, ReadOnlySpan<byte> message);

    /// <summary>How long after its arrival a packet's sound is heard; zero where nobody hears it.</summary>
    TimeSpan PlayoutDelay => TimeSpan.Zero;
}

/// <summary>Makes the peers of this silo's rooms.</summary>
internal interface IRoomPeerFactory
{
    /// <param name="agent">The one track that is sent.</param>
    IRoomPeer Create(AgentTrackIds agent, IRoomPeerSink sink);
}

/// <summary>What clients know the agent's sound by.</summary>
/// <param name="StreamId">First part of <c>a=msid</c>: the participant's sid, a bar, the track's sid.</param>
/// <param name="TrackId">Second part of it: the track's sid.</param>
internal sealed record AgentTrackIds(string StreamId, string TrackId);
