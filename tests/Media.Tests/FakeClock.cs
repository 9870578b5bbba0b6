namespace VoiceGrains.Media.Tests;

/// <summary>A clock that stands still until it is advanced. Timestamps are microseconds, so that unit mistakes show.</summary>
internal sealed class FakeClock : TimeProvider
{
    private long _microseconds = 5_000_000;

    public override long TimestampFrequency => 1_000_000;

    public override long GetTimestamp() => Volatile.Read(ref _microseconds);

    public override DateTimeOffset GetUtcNow() => DateTimeOffset.UnixEpoch.AddMicroseconds(GetTimestamp());

    public void Advance(TimeSpan by) => Interlocked.Add(ref _microseconds, by.Ticks / TimeSpan.TicksPerMicrosecond);
}
