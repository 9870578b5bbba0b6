using Microsoft.Extensions.Logging.Abstractions;
using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.Grains.Calls.DataConnections;
using VoiceGrains.Media;
using VoiceGrains.Tests.Shared;

namespace VoiceGrains.Grains.Tests.DataConnections;

/// <summary>The sound of a call as its data connection gets it, on a fake clock.</summary>
public sealed class DataConnectionAudioTests : IDisposable
{
    private const int RateHz = 16_000;
    private const int Frame = RateHz / 50;
    private readonly ManualClock _clock = new();
    private readonly Pacer _pacer;
    private DataConnectionAudio? _audio;
    private DataConnectionQueue? _queue;

    public DataConnectionAudioTests() => _pacer = new Pacer(new PacerOptions { Threads = 0 }, _clock, NullLogger<Pacer>.Instance);

    public void Dispose()
    {
        _audio?.Dispose();
        _pacer.Dispose();
    }

    [Fact]
    public void BothSides_AreWhereTheyWereHeard_WithSilenceBetween()
    {
        Open(new DataConnectionAudioConfig());
        _audio!.Sound.WriteAgent(Constant(-7, Frame), 3 * Frame);       // sent ahead: heard from 60 to 80 ms
        var heard = new List<short>();
        for (var frame = 0; frame < 30; frame++)
        {
            Tick(heard);
            if (frame is >= 4 and < 10) _audio.WriteUser(Constant(100, Frame));        // what they said from 80 to 200 ms comes when each frame is over
        }
        // Half a second has passed; the last 0.2 s of it may still change.
        Assert.Equal(2 * (30 - 10) * Frame, heard.Count);
        var (user, agent) = (Side(heard, 0), Side(heard, 1));
        Assert.Equal(Placed(100, 4, 10, user.Length), user);
        Assert.Equal(Placed(-7, 3, 4, agent.Length), agent);
    }

    [Fact]
    public void MixedSound_IsTheSumOfBoth_Clipped()
    {
        Open(new DataConnectionAudioConfig { SampleRate = RateHz, ChannelMode = ChannelMode.Mixed });
        _audio!.Sound.WriteAgent(Constant(20_000, 2 * Frame), 0);
        var heard = new List<short>();
        Tick(heard);
        _audio.WriteUser(Constant(20_000, Frame));
        for (var i = 0; i < 12; i++) Tick(heard);
        Assert.Equal([.. Constant(short.MaxValue, Frame), .. Constant(20_000, Frame), .. Constant(0, Frame)], heard);
    }

    [Fact]
    public void WhatAnInterruptionCutOff_IsNotHeard()
    {
        Open(new DataConnectionAudioConfig());
        _audio!.Sound.WriteAgent(Constant(-7, 10 * Frame), 0);
        var heard = new List<short>();
        for (var i = 0; i < 4; i++) Tick(heard);
        _audio.Sound.TruncateAgent(4 * Frame);
        for (var i = 0; i < 20; i++) Tick(heard);
        var agent = Side(heard, 1);
        Assert.Equal(Placed(-7, 0, 4, agent.Length), agent);
    }

    [Fact]
    public void SoundThatComesTooLateForItsPlace_MovesInsteadOfVanishing()
    {
        Open(new DataConnectionAudioConfig());
        var heard = new List<short>();
        for (var i = 0; i < 50; i++) Tick(heard);
        _audio!.WriteUser(Constant(100, RateHz));       // a client that sends whole seconds
        for (var i = 0; i < 60; i++) Tick(heard);
        var user = Side(heard, 0);
        Assert.Equal(RateHz, user.Count(sample => sample == 100));
        Assert.Equal(40 * Frame, Array.IndexOf(user, (short)100));
    }

    [Fact]
    public void AtTheEnd_TheRestIsSent()
    {
        Open(new DataConnectionAudioConfig());
        var heard = new List<short>();
        for (var i = 0; i < 20; i++)
        {
            Tick(heard);
            _audio!.WriteUser(Constant(100, Frame));
        }
        _audio!.Finish();
        Take(heard);
        Assert.Equal(20 * Frame, Side(heard, 0).Count(sample => sample == 100));
    }

    [Fact]
    public void OtherRates_ComeInTheirOwnFrames()
    {
        Open(new DataConnectionAudioConfig { SampleRate = 44_100 }, userRateHz: 8_000);
        var heard = new List<short>();
        for (var i = 0; i < 50; i++)
        {
            _audio!.WriteUser(Constant(1_000, 160));
            Tick(heard);
        }
        Assert.Equal(2 * 2 * 882, _queue!.AudioFrameBytes);
        Assert.InRange(heard.Count, 2 * 882 * 39, 2 * 882 * 40);
        Assert.InRange(Side(heard, 0)[^1_000..].Average(sample => sample), 990, 1_010);
    }

    [Fact]
    public void ASteadyCall_AllocatesNothing()
    {
        Open(new DataConnectionAudioConfig { SampleRate = 24_000 });
        var user = Constant(100, Frame);
        var agent = Constant(5, 480);
        var room = new byte[_queue!.AudioFrameBytes];
        var position = 0L;
        for (var i = 0; i < 100; i++) Pass();
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++) Pass();
        // The fake clock itself takes a few bytes.
        var clock = GC.GetAllocatedBytesForCurrentThread() - before;
        before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++) _clock.Advance(TimeSpan.FromMilliseconds(20));
        Assert.Equal(GC.GetAllocatedBytesForCurrentThread() - before, clock);

        void Pass()
        {
            _clock.Advance(TimeSpan.FromMilliseconds(20));
            _audio!.WriteUser(user);
            _audio.Sound.WriteAgent(agent, position);
            position += agent.Length;
            _pacer.TickOnce();
            while (_queue.TryTake(room, out _))
            {
            }
        }
    }

    private void Open(DataConnectionAudioConfig config, int userRateHz = RateHz)
    {
        _audio = new DataConnectionAudio(config, userRateHz, new DataConnectionOptions(), _pacer, _clock, out _queue);
        _queue.Open();
    }

    private void Tick(List<short> heard)
    {
        _clock.Advance(TimeSpan.FromMilliseconds(20));
        _pacer.TickOnce();
        Take(heard);
    }

    private void Take(List<short> heard)
    {
        var frame = new byte[_queue!.AudioFrameBytes];
        var pcm = new short[frame.Length / 2];
        while (_queue.TryTake(frame, out _))
        {
            Pcm.FromBytes(frame, pcm);
            heard.AddRange(pcm);
        }
    }

    private static short[] Constant(short value, int samples)
    {
        var pcm = new short[samples];
        Array.Fill(pcm, value);
        return pcm;
    }

    /// <summary>Silence but for these frames.</summary>
    private static short[] Placed(short value, int from, int to, int length)
    {
        var pcm = new short[length];
        Array.Fill(pcm, value, from * Frame, (to - from) * Frame);
        return pcm;
    }

    private static short[] Side(List<short> interleaved, int side) => [.. interleaved.Where((_, i) => i % 2 == side)];
}
