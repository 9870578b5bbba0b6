using VoiceGrains.Grains.Calls;

namespace VoiceGrains.Grains.Tests.Calls;

public class BackoffTests
{
    [Fact]
    public void Pauses_DoubleUpToTheLongest_AndBeginAnew()
    {
        var backoff = new Backoff(TimeSpan.FromSeconds(0.25), TimeSpan.FromSeconds(3), new Random(1));
        foreach (var seconds in new[] { 0.25, 0.5, 1, 2, 3, 3, 3 }) Assert.InRange(backoff.Next().TotalSeconds, 0.8 * seconds, 1.2 * seconds);
        for (var i = 0; i < 5_000; i++) Assert.InRange(backoff.Next().TotalSeconds, 2.4, 3.6);
        backoff.Reset();
        Assert.InRange(backoff.Next().TotalSeconds, 0.2, 0.3);
    }

    [Fact]
    public void Pauses_WithoutASpread_AreExact()
    {
        var backoff = new Backoff(TimeSpan.FromSeconds(0.25), TimeSpan.FromSeconds(0.9));
        Assert.Equal([0.25, 0.5, 0.9, 0.9], Enumerable.Range(0, 4).Select(_ => backoff.Next().TotalSeconds));
    }

    [Fact]
    public void Pauses_OfManyCalls_Differ()
    {
        var random = new Random(1);
        var pauses = Enumerable.Range(0, 20).Select(_ => new Backoff(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1), random).Next());
        Assert.True(pauses.Distinct().Count() > 10);
    }
}
