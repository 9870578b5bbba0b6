namespace VoiceGrains.Silo.LiveKit;

/// <summary>A token bucket for what one client sends. Not thread-safe: one per receiving loop.</summary>
internal sealed class RateLimit
{
    private readonly double _perSecond, _burst;
    private readonly TimeProvider _clock;
    private double _tokens;
    private long _last;

    /// <param name="perSecond">Long-term rate.</param>
    /// <param name="burst">What may come at once.</param>
    public RateLimit(double perSecond, double burst, TimeProvider clock)
        => (_perSecond, _burst, _clock, _tokens, _last) = (perSecond, burst, clock, burst, clock.GetTimestamp());

    /// <summary>False: too much came too fast.</summary>
    public bool TryTake(double amount = 1)
    {
        var now = _clock.GetTimestamp();
        _tokens = Math.Min(_burst, _tokens + _clock.GetElapsedTime(_last, now).TotalSeconds * _perSecond);
        _last = now;
        if (_tokens < amount) return false;
        _tokens -= amount;
        return true;
    }
}
