using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.Grains.Calls.Conversations;

namespace VoiceGrains.Grains.Tests.Conversations;

public class TurnDetectorTests
{
    /// <summary>Frames: S is speech, . is silence. The answer names the frame (from 1) of each signal.</summary>
    private static string Run(VadSettings? settings, string frames)
    {
        var detector = new TurnDetector(settings);
        var signals = new List<string>();
        for (var i = 0; i < frames.Length; i++)
        {
            var signal = detector.Process(frames[i] == 'S' ? 1 : 0);
            if (signal != TurnSignal.None) signals.Add($"{i + 1}:{signal}");
        }
        return string.Join(" ", signals);
    }

    private static string Silence(int frames) => new('.', frames);

    [Fact]
    public void Defaults_EndTheTurnAfter12SilentFrames()
        => Assert.Equal("1:Started 3:Interrupts 17:Ended", Run(null, "SSSSS" + Silence(12)));

    [Fact]
    public void Defaults_DoNotEndTheTurnAfter11SilentFrames()
        => Assert.Equal("1:Started 3:Interrupts", Run(null, "SSSSS" + Silence(11) + "S" + Silence(11)));

    [Theory]
    [InlineData(1, 1)]      // anything from 1 ms to 31 ms is one frame
    [InlineData(31, 1)]
    [InlineData(32, 1)]
    [InlineData(33, 2)]
    [InlineData(384, 12)]
    [InlineData(1000, 32)]
    public void TurnEndpointDelay_CountsInWholeFramesRoundedUp(int milliseconds, int frames)
    {
        var settings = new VadSettings { TurnEndpointDelay = TimeSpan.FromMilliseconds(milliseconds) };
        Assert.Equal($"1:Started 3:Interrupts {3 + frames}:Ended", Run(settings, "SSS" + Silence(frames)));
        Assert.Equal(frames == 1 ? "1:Started" : "1:Started 3:Interrupts", Run(settings, frames == 1 ? "S" : "SSS" + Silence(frames - 1)));
    }

    [Fact]
    public void MinimumTurnDuration_DiscardsShorterSpeech()
    {
        var settings = new VadSettings { MinimumTurnDuration = TimeSpan.FromMilliseconds(160), TurnEndpointDelay = TimeSpan.FromMilliseconds(64) };
        Assert.Equal("1:Started 6:Discarded", Run(settings, "SSSS.."));
        Assert.Equal("1:Started 5:Interrupts 7:Ended", Run(settings, "SSSSS.."));
    }

    [Fact]
    public void MinimumInterruptionDuration_IsIgnoredBelowMinimumTurnDuration()
    {
        var settings = new VadSettings { MinimumTurnDuration = TimeSpan.FromMilliseconds(320), MinimumInterruptionDuration = TimeSpan.FromMilliseconds(64) };
        Assert.Equal("1:Started 10:Interrupts", Run(settings, "SSSSSSSSSS"));
    }

    [Fact]
    public void MinimumInterruptionDuration_AboveMinimumTurnDuration_IsItsOwnThreshold()
    {
        var settings = new VadSettings { MinimumInterruptionDuration = TimeSpan.FromMilliseconds(640) };
        Assert.Equal("1:Started 20:Interrupts", Run(settings, new string('S', 25)));
    }

    [Fact]
    public void PausesInsideATurn_DoNotCountAsSpeech()
        => Assert.Equal("1:Started 7:Interrupts", Run(null, "S..S..S"));

    [Theory]
    [InlineData(0.1, 0.1f, true)]
    [InlineData(0.1, 0.09f, false)]
    [InlineData(0.7, 0.69f, false)]
    [InlineData(0.7, 0.7f, true)]
    [InlineData(null, 0.1f, true)]
    public void FrameActivationThreshold_DecidesWhatIsSpeech(double? threshold, float probability, bool speech)
    {
        var detector = new TurnDetector(new VadSettings { FrameActivationThreshold = threshold });
        Assert.Equal(speech ? TurnSignal.Started : TurnSignal.None, detector.Process(probability));
    }

    [Fact]
    public void EachTurn_StartsCountingAnew()
        => Assert.Equal("1:Started 14:Ended 16:Started 18:Interrupts 30:Ended", Run(null, "SS" + Silence(12) + "." + "SSS" + Silence(12)));
}
