namespace VoiceGrains.Media;

/// <summary>Softer, paused and back: nothing is lost, nothing is heard twice.</summary>
public sealed partial class Playout
{
    /// <summary>What the far end holds beyond this is taken back and sent again, else a change of volume would be heard too late. Less just plays out.</summary>
    public static readonly TimeSpan TakesBackBeyond = TimeSpan.FromMilliseconds(100);

    private GainRamp _gain = new();
    private long _pauseAt = long.MaxValue;      // nothing from this position on is sent

    /// <summary>
    /// Changes the volume of all that is heard from now on, until it is changed again or cleared. Sound that the far end holds unplayed is taken back
    /// (<see cref="IPlayoutSink.OnCleared"/>) and sent again where that is more than <see cref="TakesBackBeyond"/>.
    /// </summary>
    /// <param name="gain">Factor of amplitudes, 0 to 1; 1 is the sound as it was written.</param>
    /// <param name="ramp">How long the change takes.</param>
    /// <param name="now">As of <see cref="TimeProvider.GetTimestamp"/>.</param>
    /// <returns>False: the far end holds more than that and cannot drop it, so that nothing was changed. Going back to 1 always works.</returns>
    public bool Fade(float gain, TimeSpan ramp, long now)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(gain);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(gain, 1);
        return Change(gain, ramp, pauses: false, now);
    }

    /// <summary>Falls silent within <paramref name="ramp"/> and stands still until <see cref="Fade"/>, which goes on with the next sample.</summary>
    /// <returns>As <see cref="Fade"/>.</returns>
    public bool Pause(TimeSpan ramp, long now) => Change(0, ramp, pauses: true, now);

    private bool Change(float gain, TimeSpan ramp, bool pauses, long now)
    {
        lock (Enter())
        {
            var isPaused = _pauseAt != long.MaxValue;
            if (_isDisposed || (_gain.Target == gain && isPaused == pauses))
                return true;
            if ((pauses || gain < _gain.Target) && HoldsTooMuch(now))
                return false;
            TakeBack(now);
            _gain.Begin(gain, _farEnd.Sent, _clock.ToSamples(ramp));
            _pauseAt = pauses ? _gain.End : long.MaxValue;
            Send(now);
            return true;
        }
    }

    private bool HoldsTooMuch(long now) => !CanClear && _farEnd.Sent - _farEnd.Played(now) > _clock.ToSamples(TakesBackBeyond);

    /// <summary>Goes back to what the far end has played, if that is worth it.</summary>
    private void TakeBack(long now)
    {
        var played = _farEnd.Played(now);
        // Also a change that is yet to be heard is taken back: the next one begins with the gain that its first sample has.
        if (!CanClear || played == _farEnd.Sent || (_gain.End <= played && _farEnd.Sent - played <= _clock.ToSamples(TakesBackBeyond)))
            return;
        Report(played);
        _farEnd.TakeBack(now);
        _queue.Rewind(played);
        Sink.OnCleared(_clock.ToSamples(Math.Max(0, now - OriginTimestamp)));
    }

    private void ResetVolume() => (_gain, _pauseAt) = (new(), long.MaxValue);
}
