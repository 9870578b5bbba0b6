namespace VoiceGrains.Media;

/// <summary>
/// Models how far a far end has played a stream that is sent to it ahead of time: it plays in real time from the first sample,
/// stops when it runs dry, and goes on at once when more arrives. Positions are samples of the stream sent. Not thread-safe.
/// </summary>
internal sealed class PlaybackClock
{
    private readonly SampleClock _clock;
    private readonly long _origin;
    private long _anchorPosition;       // at _anchorTime the far end played this sample
    private long _anchorTime;
    private long _played;

    public PlaybackClock(SampleClock clock, long originTimestamp)
    {
        _clock = clock;
        _origin = _anchorTime = originTimestamp;
    }

    /// <summary>Samples sent.</summary>
    public long Sent { get; private set; }

    /// <summary>Samples played. Never falls, even when <paramref name="now"/> is a little older than one seen before.</summary>
    public long Played(long now) =>
        _played = Math.Max(_played, Math.Min(Sent, _anchorPosition + _clock.ToSamples(Math.Max(0, now - _anchorTime))));

    /// <summary>Whether the far end has yet to play the first sample of what it was sent since it last had nothing.</summary>
    public bool IsFilling(long now) => Played(now) <= _anchorPosition;

    /// <summary>For how many samples the far end has had nothing to play.</summary>
    public long DryFor(long now) => Math.Max(0, _anchorPosition + _clock.ToSamples(Math.Max(0, now - _anchorTime)) - Sent);

    /// <summary>Notes a frame sent now.</summary>
    public void Send(int samples, long now)
    {
        if (Played(now) == Sent)
            (_anchorPosition, _anchorTime) = (Sent, Math.Max(now, _anchorTime));
        Sent += samples;
    }

    /// <summary>When a frame sent now will be played, in samples since the origin.</summary>
    public long PlayPosition(long now) =>
        Played(now) == Sent
            ? _clock.ToSamples(Math.Max(now, _anchorTime) - _origin)
            : _clock.ToSamples(_anchorTime - _origin) + (Sent - _anchorPosition);

    /// <summary>The far end dropped all that it had not played.</summary>
    public void Clear() => _played = Sent;

    /// <summary>The far end dropped all that it had not played, and what is sent next goes on there.</summary>
    public void TakeBack(long now) => Sent = Played(now);
}
