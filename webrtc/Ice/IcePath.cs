using VoiceGrains.WebRtc.Transport;

namespace VoiceGrains.WebRtc.Ice;

/// <summary>The way to one remote address: a UDP socket with that address, or a TCP connection.</summary>
internal abstract class IcePath
{
    public abstract TransportAddress Remote { get; }

    /// <summary>Sends one datagram. Any thread; neither blocks nor throws.</summary>
    /// <returns><see langword="false"/>: closed, unreachable or full. The loss is counted.</returns>
    public abstract bool TrySend(ReadOnlySpan<byte> datagram);

    /// <summary>From now on datagrams from the remote address belong to <paramref name="pair"/>.</summary>
    public abstract void Bind(IcePair pair);

    /// <summary>Undoes <see cref="Bind"/>. A TCP connection is closed.</summary>
    public abstract void Unbind(IcePair pair);
}
