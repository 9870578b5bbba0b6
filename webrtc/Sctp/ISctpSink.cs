namespace VoiceGrains.WebRtc.Sctp;

/// <summary>
/// What an association tells its owner, who must not block. Calls come with no lock held, so the owner may call the association back. <see cref="Send"/>
/// comes on any thread that is in a call of the association, and on the timers' thread; the others come on the thread that called
/// <see cref="SctpAssociation.OnPacket"/> or on the timers' thread, one at a time and in order. After <see cref="SctpAssociation.Dispose"/> nothing more
/// is received; a call that another thread was about to make may still come.
/// </summary>
public interface ISctpSink
{
    /// <summary>An SCTP packet for the DTLS transport. Never called twice at once. A packet that cannot be sent may be dropped.</summary>
    void Send(ReadOnlySpan<byte> packet);

    /// <summary>The peer opened <paramref name="channel"/>.</summary>
    void OnChannel(DataChannel channel);

    /// <summary>A whole message; the bytes are valid during the call only.</summary>
    /// <param name="isBinary">False: the peer says that it is UTF-8 text. Nobody has checked that.</param>
    void OnMessage(DataChannel channel, ReadOnlySpan<byte> message, bool isBinary);

    /// <summary>The peer closed <paramref name="channel"/>, or it broke a rule. Not called where the whole association ends.</summary>
    void OnChannelClosed(DataChannel channel)
    {
    }

    /// <summary>The association is over: lost, aborted or shut down by the peer. Called once at most, last of all; never for our own disposal.</summary>
    void OnClosed(string reason);
}
