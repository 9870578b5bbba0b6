using System.Diagnostics;
using VoiceGrains.Cli.Load;

namespace VoiceGrains.Cli.Tests.Load;

public sealed class PacingMeterTests
{
    private readonly PacingMeter meter = new(16_000, TimeSpan.FromMilliseconds(60));

    [Fact]
    public void ABurstThatFillsTheBuffer_ThenAnEvenPace_HasNoJitter()
    {
        Arrive(0, 0, 0, 0, 20, 40, 60, 80);
        Assert.Equal(5, meter.JitterMs.Count);      // the first 60 ms are the client's buffer
        Assert.All(meter.JitterMs, jitter => Assert.Equal(0, jitter, 0.01));
        Assert.Equal(0, meter.Underruns);
    }

    [Fact]
    public void ALateFrame_IsAsFarOffAsItIsLate()
    {
        Arrive(0, 0, 0, 0, 20, 55, 60, 80);
        Assert.Equal(15, meter.JitterMs.Max(), 0.01);
        Assert.Equal(0, meter.Underruns);
    }

    [Fact]
    public void AFrameAfterEverythingWasPlayed_IsOneUnderrun_HoweverManyFollow()
    {
        Arrive(0, 0, 0, 70, 90, 110, 160);
        Assert.Equal(2, meter.Underruns);       // at 70 and, 30 ms late on top of that, at 160
    }

    [Fact]
    public void EachSentence_HasItsOwnSchedule()
    {
        Arrive(0, 0, 0, 0, 20, 40);
        Arrive(5_000, 5_000, 5_000, 5_000, 5_020, 5_040);
        Assert.All(meter.JitterMs, jitter => Assert.Equal(0, jitter, 0.01));
        Assert.Equal(12, meter.Frames);
    }

    [Fact]
    public void AResetAmidASentence_LeavesTheClientWhatItHasBuffered()
    {
        Play(0, 0, 0, 0, 20, 40);
        meter.Reset();
        Arrive(60, 100, 100, 120, 140);
        Assert.Equal(0, meter.Underruns);       // 20 ms late, with 60 ms in hand
        Assert.Equal(20, meter.JitterMs.Max(), 0.01);
    }

    private void Arrive(params int[] milliseconds)
    {
        Play(milliseconds);
        meter.EndSentence();
    }

    private void Play(params int[] milliseconds)
    {
        foreach (var at in milliseconds)
            meter.Arrived(320, at * Stopwatch.Frequency / 1000);
    }
}
