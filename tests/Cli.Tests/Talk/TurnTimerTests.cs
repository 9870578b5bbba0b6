using System.Diagnostics;
using VoiceGrains.Cli.Talk;

namespace VoiceGrains.Cli.Tests.Talk;

public sealed class TurnTimerTests
{
    private readonly TurnTimer timer = new();

    [Fact]
    public void OnlyTheFirstSoundAfterTheCallersWords_IsAnAnswer()
    {
        Assert.Null(timer.Answered(lastSpeech: 0, At(1)));      // a greeting
        Assert.Equal(TimeSpan.FromSeconds(0.5), timer.Answered(At(3), At(3.5)));
        Assert.Null(timer.Answered(At(3), At(6)));              // a second sentence of the same answer
        Assert.Equal(TimeSpan.FromSeconds(2), timer.Answered(At(7), At(9)));
        Assert.Equal(2, timer.Turns.Count);
        Assert.Equal(TimeSpan.FromSeconds(2), timer.Median);
    }

    [Fact]
    public void ATypedMessage_CountsAsWords()
    {
        timer.Typed(At(1));
        Assert.Equal(TimeSpan.FromSeconds(1), timer.Answered(lastSpeech: 0, At(2)));
    }

    private static long At(double seconds) => (long)(seconds * Stopwatch.Frequency);
}
