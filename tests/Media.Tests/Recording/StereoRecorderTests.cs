using FsCheck;
using FsCheck.Fluent;

namespace VoiceGrains.Media.Tests.Recording;

public class StereoRecorderTests
{
    private const int RateHz = 16_000;
    private const int Frame = 320;      // 20 ms
    private readonly FakeClock _clock = new();
    private readonly MemoryStream _file = new();

    [Fact]
    public async Task BothSides_LieWhereTheyWereHeard()
    {
        var recorder = Create();
        _clock.Advance(TimeSpan.FromMilliseconds(100));
        recorder.WriteUser(Constant(100, Frame));               // spoken from 80 to 100 ms
        recorder.Sound.WriteAgent(Constant(-7, Frame), 3_200);        // heard from 200 to 220 ms
        Assert.Equal(1_600, recorder.Sound.PositionNow);
        _clock.Advance(TimeSpan.FromMilliseconds(900));
        await recorder.DisposeAsync();

        var (user, agent) = Read();
        Assert.Equal(RateHz, user.Length);
        AssertOnly(user, 100, 1_280, 1_600);
        AssertOnly(agent, -7, 3_200, 3_520);
    }

    [Fact]
    public async Task Truncation_WipesTheAgentsSoundThatWasNotHeard()
    {
        var recorder = Create();
        for (var i = 0; i < 35 * 50; i++)
            recorder.Sound.WriteAgent(Constant(5, Frame), i * Frame);         // a client that buffers 35 s
        _clock.Advance(TimeSpan.FromSeconds(2));
        recorder.Sound.TruncateAgent(30_000);
        recorder.Sound.WriteAgent(Constant(9, Frame), 33_000);
        _clock.Advance(TimeSpan.FromSeconds(4));
        await recorder.DisposeAsync();
        var (_, agent) = Read();
        Assert.Equal(6 * RateHz, agent.Length);
        Assert.All(agent[..30_000], s => Assert.Equal(5, s));
        AssertOnly(agent[30_000..], 9, 3_000, 3_000 + Frame);
        Assert.Equal(0, recorder.Dropped);
    }

    [Fact]
    public async Task AgentSoundAfterTheEnd_IsNotRecorded()
    {
        var recorder = Create();
        recorder.Sound.WriteAgent(Constant(5, RateHz), 0);
        _clock.Advance(TimeSpan.FromMilliseconds(250));
        await recorder.DisposeAsync();
        Assert.Equal(RateHz / 4, Read().Agent.Length);
    }

    [Fact]
    public async Task AFullDisk_IsToldOnce_AndTheEndDoesNotTryAgain()
    {
        await using var disk = new FileStream("/dev/full", FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
        var recorder = new StereoRecorder(disk, RateHz, _clock);
        Assert.Null(recorder.Failure);
        _clock.Advance(TimeSpan.FromSeconds(2));
        recorder.WriteUser(Constant(100, Frame));
        var failure = await Assert.ThrowsAsync<IOException>(recorder.FlushSettledAsync);
        Assert.Same(failure, recorder.Failure);
        recorder.WriteUser(Constant(100, Frame));
        await recorder.DisposeAsync();
        Assert.Same(failure, recorder.Failure);
    }

    [Fact]
    public async Task JitterAndBursts_DoNotTearTheUsersSound()
    {
        var recorder = Create();
        var random = new Random(1);
        short next = 1;
        for (var sent = 0; sent < 200;)
        {
            var burst = random.Next(1, 6);          // 1 to 5 frames come at once, in time on average
            _clock.Advance(TimeSpan.FromMilliseconds(20 * burst));
            for (var i = 0; i < burst && sent < 200; i++, sent++)
                recorder.WriteUser([.. Enumerable.Range(0, Frame).Select(_ => next++)]);
        }
        await recorder.DisposeAsync();
        var sound = Read().User.SkipWhile(s => s == 0).Reverse().SkipWhile(s => s == 0).Reverse().ToArray();
        Assert.InRange(sound.Length, 200 * Frame - 400, 200 * Frame + 400);
        // Only single samples may be doubled or left out, to follow the clock.
        Assert.All(sound.Zip(sound.Skip(1)), pair => Assert.InRange((short)(pair.Second - pair.First), (short)0, (short)2));
    }

    [Fact]
    public async Task Pause_BecomesSilence()
    {
        var recorder = Create();
        Speak(recorder, seconds: 1, value: 3);
        _clock.Advance(TimeSpan.FromSeconds(2));
        Speak(recorder, seconds: 1, value: 4);
        await recorder.DisposeAsync();
        var user = Read().User;
        AssertOnly(user[..RateHz], 3, 0, RateHz);
        Assert.All(user[RateHz..(3 * RateHz)], s => Assert.Equal(0, s));
        AssertOnly(user[(3 * RateHz)..], 4, 0, RateHz);
    }

    [Theory]
    [InlineData(20_020)]        // the far end's clock is 0.1 % slow
    [InlineData(19_980)]
    public async Task Drift_DoesNotAddUp(int frameMicroseconds)
    {
        var recorder = Create();
        const int Frames = 60_000;      // 20 minutes, 1.2 s of drift
        for (var i = 0; i < Frames; i++)
        {
            _clock.Advance(TimeSpan.FromMicroseconds(frameMicroseconds));
            recorder.WriteUser(Constant(i == Frames - 1 ? (short)2 : (short)1, Frame));
            if (i % 20 == 0)
                await recorder.FlushSettledAsync();
        }
        var now = recorder.Sound.PositionNow;
        await recorder.DisposeAsync();
        var last = Array.LastIndexOf(Read().User, (short)2) + 1;
        Assert.InRange(last - now, -RateHz / 50, RateHz / 50);          // within 20 ms
    }

    [Fact]
    public async Task KilledProcess_LeavesAPlayableFileUpToTheLastSecond()
    {
        var recorder = Create();
        for (var i = 1; i <= 10; i++)
        {
            Speak(recorder, seconds: 1, value: 6);
            await recorder.FlushSettledAsync();
            var left = WavReader.Parse(_file.ToArray());        // what a kill here would leave
            Assert.InRange(left.Duration.TotalSeconds, i - 1, i);
            Assert.All(left.Samples, s => Assert.Equal(3, s));  // the mean of 6 and silence
        }
    }

    [Fact]
    public async Task OwnersLoop_FlushesByItselfAndStopsWhenAsked()
    {
        var recorder = Create();
        using var stop = new CancellationTokenSource();
        Speak(recorder, seconds: 3, value: 6);
        var run = recorder.RunAsync(stop.Token);
        var deadline = DateTime.UtcNow.AddSeconds(20);
        while (_file.Length < 44 + 2 * 2 * 2 * RateHz)      // 2 s, 2 channels
        {
            Assert.True(DateTime.UtcNow < deadline, "nothing was flushed");
            await Task.Delay(5, TestContext.Current.CancellationToken);
        }
        await stop.CancelAsync();
        await run.WaitAsync(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken);
        await recorder.DisposeAsync();
        Assert.Equal(3 * RateHz, Read().User.Length);
    }

    [Fact]
    public void StalledStream_DropsWhatDoesNotFit_AndCountsIt()
    {
        var recorder = Create();
        recorder.Sound.WriteAgent(Constant(1, Frame), 40 * RateHz - 100);
        Assert.Equal(Frame - 100, recorder.Dropped);
        recorder.Sound.WriteAgent(Constant(1, Frame), long.MaxValue / 2);
        Assert.Equal(2 * Frame - 100, recorder.Dropped);
    }

    /// <summary>Random writes and truncations ahead of the clock, against a plain array.</summary>
    [Fact]
    public void AgentSide_EqualsAPlainArray() =>
        Prop.ForAll(Arb.From(Gen.Choose(0, int.MaxValue)), seed =>
        {
            var random = new Random(seed);
            var (clock, file) = (new FakeClock(), new MemoryStream());
            var recorder = new StereoRecorder(file, 8_000, clock);
            var expected = new short[8_000 * 60];
            for (var step = 0; step < 60; step++)
            {
                var now = (int)recorder.Sound.PositionNow;
                switch (random.Next(4))
                {
                    case 0:
                        clock.Advance(TimeSpan.FromMilliseconds(random.Next(600)));
                        break;
                    case 1:
                        var from = now + random.Next(30_000);
                        recorder.Sound.TruncateAgent(from);
                        Array.Clear(expected, from, expected.Length - from);
                        break;
                    case 2:
                        recorder.FlushSettledAsync().GetAwaiter().GetResult();
                        break;
                    default:
                        var (position, value) = (now + random.Next(20_000), (short)random.Next(1, 1_000));
                        var pcm = Constant(value, random.Next(9_000));
                        recorder.Sound.WriteAgent(pcm, position);
                        pcm.CopyTo(expected, position);
                        break;
                }
            }
            var end = (int)recorder.Sound.PositionNow;
            recorder.DisposeAsync().AsTask().GetAwaiter().GetResult();
            Assert.Equal(expected[..end], Split(file.ToArray()).Agent);
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(150));

    [Fact]
    public void Writing_AllocatesNothing()
    {
        var recorder = new StereoRecorder(Stream.Null, RateHz, _clock);
        var pcm = Constant(1, Frame);
        WriteFrames(200);
        Assert.Equal(0, Allocations.Least(() => WriteFrames(800)));

        long WriteFrames(int count)
        {
            var allocated = 0L;
            for (var i = 0; i < count; i++)
            {
                _clock.Advance(TimeSpan.FromMilliseconds(20));
                var before = GC.GetAllocatedBytesForCurrentThread();
                recorder.WriteUser(pcm);
                recorder.Sound.WriteAgent(pcm, recorder.Sound.PositionNow);
                allocated += GC.GetAllocatedBytesForCurrentThread() - before;
                recorder.FlushSettledAsync().GetAwaiter().GetResult();      // gives chunks back to the pool
            }
            return allocated;
        }
    }

    private StereoRecorder Create() => new(_file, RateHz, _clock);

    private void Speak(StereoRecorder recorder, int seconds, short value)
    {
        for (var i = 0; i < 50 * seconds; i++)
        {
            _clock.Advance(TimeSpan.FromMilliseconds(20));
            recorder.WriteUser(Constant(value, Frame));
        }
    }

    private (short[] User, short[] Agent) Read() => Split(_file.ToArray());

    private static (short[] User, short[] Agent) Split(byte[] file)
    {
        Assert.True(WavHeader.TryParse(file, WavLimits.Default, out var header, out _));
        Assert.Equal((2, file.Length - header.DataOffset), (header.Channels, header.DataLength));
        var interleaved = new short[header.DataLength / 2];
        Pcm.FromBytes(file.AsSpan(header.DataOffset), interleaved);
        return ([.. interleaved.Where((_, i) => i % 2 == 0)], [.. interleaved.Where((_, i) => i % 2 == 1)]);
    }

    private static short[] Constant(short value, int samples)
    {
        var pcm = new short[samples];
        Array.Fill(pcm, value);
        return pcm;
    }

    private static void AssertOnly(short[] pcm, short value, int from, int to)
    {
        for (var i = 0; i < pcm.Length; i++)
            Assert.True(pcm[i] == (i >= from && i < to ? value : 0), $"sample {i} is {pcm[i]}");
    }
}
