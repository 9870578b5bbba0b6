using VoiceGrains.Server.Tests.WebSockets;

namespace VoiceGrains.Server.Tests.Browsers;

/// <summary>The measure itself: what was done to a sound is told.</summary>
public sealed class KnownSoundTests
{
    private const int Ms = KnownSound.RateHz / 1_000;
    private static readonly short[] Sound = KnownSound.Create(1.5);

    [Fact]
    public void WhatNothingHappenedTo_IsThere()
    {
        var report = KnownSound.Find(Recorded(Sound), Sound);
        Assert.InRange(report.LongestSilenceMs, 0, 10);
        Assert.Equal((0.0, 0.0, 0.0), (report.LevelDb, report.LongestGapMs, report.LargestJumpMs));
        Assert.InRange(report.At, 0.999, 1.001);
        Assert.InRange(report.Followed, 0.95, 1);
    }

    [Theory]
    [InlineData(30)]
    [InlineData(200)]
    public void Silence_AndAnotherSound_InItsPlace_AreGaps(int ms)
    {
        var silent = Sound.ToArray();
        Array.Clear(silent, 500 * Ms, ms * Ms);
        var report = KnownSound.Find(Recorded(silent), Sound);
        Assert.InRange(report.LongestGapMs, ms - 10, ms + 15);
        Assert.InRange(report.LongestSilenceMs, ms - 1, ms + 5);
        var other = Sound.ToArray();
        HumanSpeech.OneTurn()[..(ms * Ms)].CopyTo(other, 500 * Ms);
        Assert.InRange(KnownSound.Find(Recorded(other), Sound).LongestGapMs, ms - 10, ms + 15);
    }

    [Theory]
    [InlineData(20)]
    [InlineData(130)]
    public void WhatIsLeftOut_OrPutIn_IsAJump(int ms)
    {
        short[] less = [.. Sound[..(600 * Ms)], .. Sound[((600 + ms) * Ms)..]];
        Assert.Equal(ms, KnownSound.Find(Recorded(less), Sound).LargestJumpMs, 0.2);
        short[] more = [.. Sound[..(600 * Ms)], .. Sound[((600 - ms) * Ms)..]];
        Assert.Equal(ms, KnownSound.Find(Recorded(more), Sound).LargestJumpMs, 0.2);
    }

    [Fact]
    public void WhatEndsTooSoon_HasAGapAtItsEnd()
        => Assert.InRange(KnownSound.Find(Recorded(Sound[..(1_000 * Ms)]), Sound).LongestGapMs, 450, 500);

    [Fact]
    public void SevenTenthsOfTheLevel_AreThreeDecibelsLess()
        => Assert.Equal(-3.1, KnownSound.Find(Recorded([.. Sound.Select(sample => (short)(0.7 * sample))]), Sound).LevelDb, 0.01);

    private static short[] Recorded(short[] sound) => [.. new short[1_000 * Ms], .. sound, .. new short[700 * Ms]];
}
