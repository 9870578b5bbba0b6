using VoiceGrains.WebRtc;

namespace VoiceGrains.Silo.WebRtc;

/// <summary>Where a <see cref="WebRtcPort"/> sends: whoever is in the room just now. Members may be called from any thread and never block.</summary>
internal interface IRoomMedia
{
    /// <summary>Whether the user's client takes data now.</summary>
    bool IsUserConnected { get; }

    /// <summary>Of the user's connection; nothing where there is none.</summary>
    PeerStatistics UserStatistics => default;

    /// <summary>To all who listen; what one of them misses is lost to them. Takes no lock, allocates nothing.</summary>
    void SendAudio(ReadOnlySpan<byte> opus, uint timestamp, bool marker);

    /// <summary>To the user alone. False: not now.</summary>
    bool TrySendData(ReadOnlySpan<byte> json);

    /// <summary>Whoever is there is told to leave; nobody gets in any more.</summary>
    /// <param name="mayReturn">The server goes away, not the call: clients should come back, to another server that has the call by then.</param>
    void Close(bool mayReturn);
}
