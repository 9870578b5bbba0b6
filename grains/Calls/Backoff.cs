namespace VoiceGrains.Grains.Calls;

/// <summary>Pauses between attempts: doubling up to a longest.</summary>
/// <param name="first">Before the second attempt.</param>
/// <param name="longest">No pause is longer, but for what <paramref name="spread"/> adds.</param>
/// <param name="spread">Makes each pause up to a fifth shorter or longer, where many begin together and must not come back in one moment; null leaves them exact.</param>
internal sealed class Backoff(TimeSpan first, TimeSpan longest, Random? spread = null)
{
    private const double Spread = 0.2;
    private int _doublings;

    public TimeSpan Next()
    {
        var pause = first * Math.Pow(2, _doublings);
        if (pause < longest) _doublings++;
        else pause = longest;
        return spread is null ? pause : pause * (1 - Spread + (2 * Spread * spread.NextDouble()));
    }

    public void Reset() => _doublings = 0;
}
