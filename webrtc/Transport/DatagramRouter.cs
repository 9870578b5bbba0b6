using Microsoft.Extensions.Logging;
using VoiceGrains.WebRtc.Ice;

namespace VoiceGrains.WebRtc.Transport;

/// <summary>Takes each datagram of an endpoint to its call: STUN by username fragment, everything else by validated remote address.</summary>
internal sealed partial class DatagramRouter(IceCheckResponder responder, IceConsent consent, TransportCounters counters, ILogger logger)
{
    /// <summary>Longest datagram that is read: WebRTC's stay below a path's MTU.</summary>
    public const int MaxLength = 2_048;

    /// <summary>Never throws. Allocates only where a check makes a new pair.</summary>
    /// <returns><see langword="true"/> when it was an authenticated check.</returns>
    public bool Route(IDatagramOrigin origin, ReadOnlySpan<byte> datagram)
    {
        var kind = DatagramKinds.Of(datagram);
        if (kind == DatagramKind.Unknown || datagram.Length > MaxLength)
        {
            counters.Dropped(kind == DatagramKind.Unknown ? DropReason.UnknownKind : DropReason.TooLong);
            return false;
        }
        try
        {
            if (kind == DatagramKind.Stun)
                return responder.Answer(origin, datagram);
            Deliver(origin.Pair, kind, datagram);
        }
        catch (Exception exception)
        {
            counters.Dropped(DropReason.Failed);
            LogFailed(kind, datagram.Length, exception);
        }
        return false;
    }

    private void Deliver(IcePair? pair, DatagramKind kind, ReadOnlySpan<byte> datagram)
    {
        if (pair is null || !consent.IsFresh(pair))
        {
            counters.Dropped(pair is null ? DropReason.NotValidated : DropReason.NoConsent);
            return;
        }
        counters.Received(kind);
        pair.Agent.Deliver(datagram);
    }

    [LoggerMessage(2201, LogLevel.Error, "A {Kind} datagram of {Length} bytes could not be handled")]
    private partial void LogFailed(DatagramKind kind, int length, Exception exception);
}
