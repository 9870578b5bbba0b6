using VoiceGrains.WebRtc.Srtp;

namespace VoiceGrains.WebRtc.Dtls;

/// <summary>Where a <see cref="DtlsTransport"/> puts what it has to send and what it received.</summary>
public interface IDtlsSink
{
    /// <summary>
    /// Sends one datagram, or drops it when there is no way to the peer. The transport's lock is held: do not block, and call nothing of the transport but its
    /// Dispose.
    /// </summary>
    void Send(ReadOnlySpan<byte> datagram);

    /// <summary>The peer proved that it holds the certificate of the SDP. Once at most, and before any <see cref="OnData"/>.</summary>
    /// <param name="keys">Zeroed as soon as this returns: make the sessions now.</param>
    void OnConnected(SrtpKeys keys);

    /// <summary>One application data record. No lock is held: the transport may be called, and disposed.</summary>
    void OnData(ReadOnlySpan<byte> applicationData);

    /// <summary>The handshake failed, or the peer closed: nothing comes or goes any more. Once at most, and not for our own Dispose.</summary>
    /// <param name="reason">For people and logs; holds nothing secret.</param>
    void OnClosed(string reason);
}
