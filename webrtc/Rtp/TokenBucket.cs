namespace VoiceGrains.WebRtc.Rtp;

/// <summary>A token bucket for what one peer sends or asks for. One thread at a time.</summary>
public sealed class TokenBucket
{
    private readonly double _perSecond, _burst;
    private readonly TimeProvider _clock;
    private double _tokens;
    private long _filled;

    /// <param name="perSecond">Long-term rate.</param>
    /// <param name="burst">What may come at once.</param>
    /// <param name="clock">Fills the bucket whenever it is asked.</param>
    public TokenBucket(double perSecond, double burst, TimeProvider clock)
        => (_perSecond, _burst, _clock, _tokens, _filled) = (perSecond, burst, clock, burst, clock.GetTimestamp());

    /// <summary>False: too much came too fast; nothing is taken then.</summary>
    public bool TryTake(double amount = 1)
    {
        var now = _clock.GetTimestamp();
        _tokens = Math.Min(_burst, _tokens + _clock.GetElapsedTime(_filled, now).TotalSeconds * _perSecond);
        _filled = now;
        if (_tokens < amount)
            return false;
        _tokens -= amount;
        return true;
    }
}
