namespace VoiceGrains.WebRtc.Ice;

/// <summary>How long a check counts as the peer's consent to be sent to (RFC 7675 §5.1).</summary>
internal sealed class IceConsent(TimeProvider clock, TimeSpan lifetime)
{
    private readonly long _lifetime = (long)(lifetime.TotalSeconds * clock.TimestampFrequency);

    public long Now => clock.GetTimestamp();

    public bool IsFresh(IcePair pair) => clock.GetTimestamp() - pair.LastCheck < _lifetime;
}
