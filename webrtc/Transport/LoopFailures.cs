using Microsoft.Extensions.Logging;

namespace VoiceGrains.WebRtc.Transport;

/// <summary>
/// What goes wrong in a loop that must never end: how often in a row, and what it was, told at most each 10 s. The loop notes; any thread may ask.
/// </summary>
/// <param name="loop">What the loop does, for the log.</param>
internal sealed partial class LoopFailures(string loop, TimeProvider clock, ILogger logger)
{
    private const int Many = 20;
    private static readonly TimeSpan TellPeriod = TimeSpan.FromSeconds(10);
    private int _inARow;
    private int _untold;
    private long _told;
    private bool _wasTold;

    /// <summary>Whether the last 20 attempts failed.</summary>
    public bool AreMany => Volatile.Read(ref _inARow) >= Many;

    public void Note(Exception exception)
    {
        Volatile.Write(ref _inARow, _inARow + 1);
        if (_wasTold && clock.GetElapsedTime(_told) < TellPeriod)
        {
            _untold++;
            return;
        }
        LogFailed(loop, _untold, exception);
        (_wasTold, _told, _untold) = (true, clock.GetTimestamp(), 0);
    }

    public void Worked()
    {
        if (_inARow != 0)
            Volatile.Write(ref _inARow, 0);
    }

    [LoggerMessage(2207, LogLevel.Error, "{Loop} failed, and goes on; {Untold} failures before this one were not logged")]
    private partial void LogFailed(string loop, int untold, Exception exception);
}
