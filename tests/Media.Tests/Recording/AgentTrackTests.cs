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

    [Theory]
    [InlineData(60)]
    [InlineData(2_000)]
    public async Task SofterSound_IsRecordedAsItIsHeard_AlsoWhereTheFarEndHeldItAlready(int bufferMs)
    {
        var recorder = new StereoRecorder(_file, RecorderHz, _clock);
        using var track = new AgentTrack(recorder.Sound, 8_000, _clock.GetTimestamp());
        using var playout = new Playout(8_000, TimeSpan.FromSeconds(10), _clock) { Sink = new TrackSink(track), OutputBuffer = TimeSpan.FromMilliseconds(bufferMs) };
        playout.BeginUtterance(1);
        await playout.WriteAsync(Tone(400, 8_000, 16_000), TestContext.Current.CancellationToken);
        playout.EndUtterance();
        for (var ms = 0; ms < 3_000; ms += 10)
        {
            if (ms == 500) playout.Fade(0.2f, TimeSpan.FromMilliseconds(20), _clock.GetTimestamp());
            if (ms == 1_000) playout.Fade(1, TimeSpan.FromMilliseconds(20), _clock.GetTimestamp());
            playout.Tick(_clock.GetTimestamp());
            _clock.Advance(TimeSpan.FromMilliseconds(10));
        }
        await recorder.DisposeAsync();

        var agent = Agent();
        double Loudness(double from, double to) => Pcm.Rms(agent.AsSpan((int)(from * RecorderHz), (int)((to - from) * RecorderHz)));
        Assert.InRange(Loudness(0.05, 0.48), 6_900, 7_200);
        Assert.InRange(Loudness(0.6, 0.98), 1_380, 1_440);
        Assert.InRange(Loudness(1.12, 1.95), 6_900, 7_200);
        Assert.All(agent[(int)(2.05 * RecorderHz)..], sample => Assert.Equal(0, sample));      // nothing is heard twice
    }

    private sealed class TrackSink(AgentTrack track) : IPlayoutSink
    {
        public bool TrySend(ReadOnlySpan<short> pcm, long playSamplePosition)
        {
            track.Write(pcm, playSamplePosition);
            return true;
        }

        public void OnCleared(long playSamplePosition) => track.Truncate(playSamplePosition);

        public void OnUtteranceStarted(int utteranceId) { }

        public void OnMark(int utteranceId, int markId) { }

        public void OnUnderrun(int utteranceId) { }

        public void OnUtterancePlayed(int utteranceId) { }
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
