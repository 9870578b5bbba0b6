namespace VoiceGrains.Server.Tests.Browsers;

/// <summary>
/// What becomes of sound on its whole way, with a real Chromium at the far end: its microphone in our recording, and the agent's voice in the page. On a machine with
/// time for it nothing may be missing; where packets came late, or the browser or this process stood still, as much may be missing as that took.
/// </summary>
[Collection(SoundCollection.Name)]
public sealed class BrowserSoundTests(SoundCalls calls) : IClassFixture<SoundCalls>
{
    /// <summary>A gap that nobody hears.</summary>
    private const double GapMs = 20;

    /// <summary>Two packets in a row, and what a codec needs to get over it.</summary>
    private const double LossyGapMs = 100;

    private const double LevelDb = 1;

    /// <summary>Chromium plays a little slower or faster to keep its own buffer right, and at the start makes up for how long it took to begin.</summary>
    private const double ChromiumsPaceMs = 60;

    /// <summary>Where it does, the sound is for so long neither what it was before nor what it is afterwards.</summary>
    private const double ChromiumsStretchMs = 25;

    /// <summary>What buffers take up.</summary>
    private const double HarmlessMs = 20;

    [Fact]
    public async Task TheMicrophone_IsRecordedWithoutGaps_AsLoudAsItWas()
    {
        var call = await MeasureAsync(SoundCalls.Clean);
        Check(call.Recorded, silenceMs: GapMs, gapMs: GapMs, jumpMs: GapMs, leastFollowed: 0.9, DisturbedMs(call.Late, call.Stalled));
    }

    [Fact]
    public async Task TheAgent_IsHeardWithoutGaps_AsLoudAsItSpoke()
    {
        var call = await MeasureAsync(SoundCalls.Clean);
        // Packets that left late are excused only by a machine that stood still.
        Check(call.Heard, GapMs, GapMs + ChromiumsStretchMs, ChromiumsPaceMs, leastFollowed: 0.9, DisturbedMs(call.Stalled, call.BrowserStalled) is var stalled and > 0 ? stalled + call.LateFromUs.TotalMilliseconds : 0);
    }

    [Fact]
    public async Task FivePercentLoss_And30MsOfJitter_LeaveTheWords_AndTheAgentsVoice()
    {
        var call = await MeasureAsync(SoundCalls.Lossy);
        Assert.Contains(call.Said, said => said.Split(' ').Intersect(SoundCalls.Words).Count() > SoundCalls.Words.Count / 2);
        Assert.InRange(call.Lost, 0.025, 0.08);
        var disturbed = DisturbedMs(call.Late, call.Stalled, call.BrowserStalled, call.LateFromUs);
        Check(call.Recorded, LossyGapMs, LossyGapMs, LossyGapMs, leastFollowed: 0.5, disturbed);
        Check(call.Heard, LossyGapMs, LossyGapMs, LossyGapMs, leastFollowed: 0.5, disturbed);
    }

    private async Task<SoundCall> MeasureAsync(string name)
    {
        var call = await calls.ResultAsync(name);
        TestContext.Current.TestOutputHelper?.WriteLine($"{name}: {string.Join(" / ", call.Said)} {call}");
        return call;
    }

    /// <summary>A stall is felt as long as it lasts, and then as long again until what it held up was played faster.</summary>
    private static void Check(SoundReport sound, double silenceMs, double gapMs, double jumpMs, double leastFollowed, double disturbedMs)
    {
        Assert.InRange(sound.LevelDb, -LevelDb, LevelDb);
        Assert.InRange(sound.LongestSilenceMs, 0, silenceMs + 2 * disturbedMs);
        Assert.InRange(sound.LongestGapMs, 0, gapMs + 2 * disturbedMs);
        Assert.InRange(sound.LargestJumpMs, 0, jumpMs + 2 * disturbedMs);
        if (disturbedMs == 0) Assert.InRange(sound.Followed, leastFollowed, 1);
    }

    private static double DisturbedMs(params TimeSpan[] causes) => causes.Sum(cause => cause.TotalMilliseconds) is var sum && causes.Any(cause => cause.TotalMilliseconds > HarmlessMs) ? sum : 0;
}
