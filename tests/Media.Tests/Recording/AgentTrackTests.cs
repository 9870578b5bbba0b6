namespace VoiceGrains.Media.Tests.Recording;

public class AgentTrackTests
{
    private const int RecorderHz = 16_000;
    private readonly FakeClock _clock = new();
    private readonly MemoryStream _file = new();

    [Theory]
    [InlineData(8_000)]
    [InlineData(16_000)]
    [InlineData(24_000)]
    [InlineData(44_100)]
    [InlineData(48_000)]
    public async Task Frames_BecomeOneUnbrokenSound_AtTheRightPlace(int rateHz)
    {
        const double ToneHz = 400;
        var recorder = new StereoRecorder(_file, RecorderHz, _clock);
        _clock.Advance(TimeSpan.FromMilliseconds(250));         // the playout began later than the recording
        var track = new AgentTrack(recorder.Sound, rateHz, _clock.GetTimestamp());
        foreach (var start in new[] { 0, 2 })                   // two utterances of one second, at 0.25 s and 2.25 s
        {
            var sound = Tone(ToneHz, rateHz, rateHz);
            var position = (long)start * rateHz;
            foreach (var frame in sound.Chunk(rateHz / 50))
            {
                track.Write(frame, position);
                position += frame.Length;
            }
        }
        track.Dispose();
        _clock.Advance(TimeSpan.FromSeconds(4));
        await recorder.DisposeAsync();

        var agent = Agent();
        var expected = new short[agent.Length];
        Tone(ToneHz, RecorderHz, RecorderHz).CopyTo(expected, RecorderHz / 4);
        Tone(ToneHz, RecorderHz, RecorderHz).CopyTo(expected, RecorderHz / 4 + 2 * RecorderHz);
        for (var i = 0; i < agent.Length; i++)
        {
            var isEdge = i % RecorderHz is > 3_800 and < 4_200;     // a sine that starts or stops at once rings in any filter
            Assert.InRange(agent[i] - expected[i], isEdge ? -2_500 : -150, isEdge ? 2_500 : 150);
        }
    }

    [Fact]
    public async Task Truncation_WipesFromTheMomentOfTheClear_AndLeavesNoRest()
    {
        var recorder = new StereoRecorder(_file, RecorderHz, _clock);
        var track = new AgentTrack(recorder.Sound, 48_000, _clock.GetTimestamp());
        track.Write(Tone(400, 48_000, 48_000), 0);
        track.Truncate(24_000);
        track.Write(new short[960], 24_000);
        track.Dispose();
        _clock.Advance(TimeSpan.FromSeconds(2));
        await recorder.DisposeAsync();
        var agent = Agent();
        Assert.All(agent[8_000..], s => Assert.Equal(0, s));
        Assert.InRange(Pcm.Rms(agent.AsSpan(0, 8_000)), 5_000, 8_000);
    }

    private short[] Agent()
    {
        var interleaved = new short[(_file.Length - 44) / 2];
        Pcm.FromBytes(_file.ToArray().AsSpan(44), interleaved);
        return [.. interleaved.Where((_, i) => i % 2 == 1)];
    }

    private static short[] Tone(double hz, int rateHz, int samples) =>
        [.. Enumerable.Range(0, samples).Select(i => (short)Math.Round(10_000 * Math.Sin(2 * Math.PI * hz * i / rateHz)))];
}
