using Microsoft.Extensions.Logging;

namespace VoiceGrains.WebRtc;

/// <summary>
/// Tells the owner of each change of state once, one at a time and in order, with no lock held. The changes come from the receive loop, timers and the signalling:
/// whoever comes while another tells leaves its change to that one.
/// </summary>
internal sealed partial class PeerStateTeller(PeerTransport transport, IPeerSink sink, ILogger logger)
{
    private readonly Lock _gate = new();
    private readonly Queue<(PeerState State, string Reason)> _untold = [];
    private PeerState _last;
    private bool _isTelling;
    private bool _isStopped;

    /// <summary>The transport's state may have changed.</summary>
    public void Tell(string reason)
    {
        lock (_gate)
        {
            var state = transport.State;        // read in here, so that an older reading cannot follow a newer one
            if (state == _last)
                return;
            _last = state;
            _untold.Enqueue((state, reason));
            if (_isTelling)
                return;
            _isTelling = true;
        }
        TellAll();
    }

    /// <summary>Nothing is told after this, except by a call that has begun.</summary>
    public void Stop()
    {
        lock (_gate)
            _isStopped = true;
    }

    private void TellAll()
    {
        while (true)
        {
            (PeerState State, string Reason) next;
            lock (_gate)
            {
                if (_isStopped || !_untold.TryDequeue(out next))
                {
                    _isTelling = false;
                    return;
                }
            }
            LogChanged(next.State, next.Reason);
            try
            {
                sink.OnStateChanged(next.State, next.Reason);
            }
            catch (Exception exception)
            {
                LogSinkFailed(nameof(IPeerSink.OnStateChanged), exception);
            }
        }
    }

    [LoggerMessage(2222, LogLevel.Debug, "WebRTC peer is {State}: {Reason}")]
    private partial void LogChanged(PeerState state, string reason);

    [LoggerMessage(2223, LogLevel.Error, "A WebRTC peer's owner failed in {Member}")]
    private partial void LogSinkFailed(string member, Exception exception);
}
