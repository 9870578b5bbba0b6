using System.Diagnostics;
using VoiceGrains.Cli.Audio;

namespace VoiceGrains.Cli.Tests.Audio;

public sealed class PlaybackTests
{
    private const int RateHz = 1_000;
    private readonly Playback playback = new(RateHz, startTimestamp: 0);

    [Fact]
    public void Audio_IsHeardWhenItArrives_OrAfterWhatIsStillPlaying()
    {
        playback.Play([1, 1, 1], At(2), isContinuation: false);
        playback.Play([2, 2], At(3), isContinuation: true);

        Assert.Equal([0, 0, 1, 1, 1, 2, 2], playback.ToArray());
        Assert.Equal(0, playback.Underruns);
    }

    [Fact]
    public void Clear_TakesBackWhatWasNotHeard()
    {
        playback.Play([1, 1, 1, 1], At(0), isContinuation: false);
        playback.Clear(At(2));
        playback.Play([3], At(4), isContinuation: false);

        Assert.Equal([1, 1, 0, 0, 3], playback.ToArray());
    }

    [Fact]
    public void AGapWithinASentence_IsAnUnderrun()
    {
        playback.Play([1], At(0), isContinuation: false);
        playback.Play([2], At(3), isContinuation: true);

        Assert.Equal(1, playback.Underruns);
        Assert.Equal([1, 0, 0, 2], playback.ToArray());
    }

    /// <summary>Half a sample late, so that rounding decides nothing.</summary>
    private static long At(double samples) => (long)((samples + 0.5) / RateHz * Stopwatch.Frequency);
}
