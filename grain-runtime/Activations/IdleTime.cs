namespace VoiceGrains.GrainRuntime.Activations;

/// <summary>When an activation was last used, and until when its grain wants to stay all the same. Safe for use from several threads.</summary>
internal sealed class IdleTime(TimeProvider clock)
{
    private static readonly TimeSpan Forever = TimeSpan.FromDays(3650);

    private long _lastUsed = clock.GetTimestamp();
    private long _keepUntil = long.MinValue;

    public void Used() => Volatile.Write(ref _lastUsed, clock.GetTimestamp());

    /// <summary>Keeps the activation for at least that long from now; a negative time takes an earlier wish back.</summary>
    public void KeepFor(TimeSpan time)
    {
        var until = time == Timeout.InfiniteTimeSpan || time > Forever ? long.MaxValue
            : time < TimeSpan.Zero ? long.MinValue
            : clock.GetTimestamp() + (long)(time.TotalSeconds * clock.TimestampFrequency);
        Volatile.Write(ref _keepUntil, until);
    }

    public bool IsLongerThan(TimeSpan age) => clock.GetElapsedTime(Volatile.Read(ref _lastUsed)) >= age && clock.GetTimestamp() >= Volatile.Read(ref _keepUntil);
}
