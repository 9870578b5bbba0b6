using VoiceGrains.WebRtc.Transport;

namespace VoiceGrains.WebRtc.Ice;

/// <summary>Where the datagram at hand came from. Used by the receive loop alone.</summary>
internal interface IDatagramOrigin
{
    TransportAddress Remote { get; }

    /// <summary>The pair that was validated for this address, whoever's it is.</summary>
    IcePair? Pair { get; }

    /// <summary>Answers to the sender.</summary>
    bool Reply(ReadOnlySpan<byte> datagram);

    /// <summary>A way to the sender that outlives the datagram.</summary>
    IcePath OpenPath();
}
