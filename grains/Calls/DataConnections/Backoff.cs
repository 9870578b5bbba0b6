namespace VoiceGrains.Grains.Calls.DataConnections;

/// <summary>Pauses between attempts: doubling up to a longest, each up to a fifth shorter or longer, so that many calls do not come back in one moment.</summary>
internal sealed class Backoff(TimeSpan first, TimeSpan longest, Random random)
{
    private const double Spread = 0.2;
    private int _doublings;

    public TimeSpan Next()
    {
        var pause = first * Math.Pow(2, _doublings);
        if (pause < longest) _doublings++;
        else pause = longest;
        return pause * (1 - Spread + (2 * Spread * random.NextDouble()));
    }

    public void Reset() => _doublings = 0;
}
