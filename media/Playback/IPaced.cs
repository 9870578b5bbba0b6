namespace VoiceGrains.Media;

/// <summary>What a <see cref="Pacer"/> drives.</summary>
public interface IPaced
{
    /// <summary>Called about every 10 ms, one call at a time, on the pacer's thread. Must be quick and must not block.</summary>
    /// <param name="timestamp">Now, as of <see cref="TimeProvider.GetTimestamp"/>.</param>
    void Tick(long timestamp);

    /// <summary><see cref="Tick"/> threw, and the pacer will not call it again.</summary>
    void OnTickFailed(Exception exception)
    {
    }
}
