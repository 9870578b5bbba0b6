using FsCheck;
using FsCheck.Fluent;

namespace VoiceGrains.Media.Tests.Playback;

public class PlayoutVolumeTests
{
    private const int RateHz = 8_000;
    private static readonly TimeSpan s_ramp = TimeSpan.FromMilliseconds(20);
    private readonly FakeClock _clock = new();
    private readonly RecordingSink _sink = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Fade_TakesBackWhatALargeBufferHolds_AndSendsItAgainSofter()
    {
        var playout = await SpeakAsync(bufferMs: 2_000);
        Tick(playout, 0);
        Tick(playout, 10);
        Tick(playout, 490);     // 500 ms played, the client holds 2 s
        var (sent, frames) = (_sink.Sent.Count, _sink.Frames.Count);

        Assert.True(playout.Fade(0.25f, s_ramp, Now));

        Assert.Equal("cleared at 4000", _sink.Events[^1]);
        var again = _sink.Sent[sent..];
        Assert.Equal(4_000, _sink.Frames[frames].Position);
        Assert.Equal(Sample(4_000), again[0]);                                          // the ramp begins at full volume, at the sample after the last one played
        Assert.All(again.Index().Skip(160), item => Assert.Equal(Pcm.Saturate(Sample(4_000 + item.Index) * 0.25f), item.Item));
        Assert.Equal(4_000, playout.PlayedSamples(Now));
        Tick(playout, 100);
        Assert.Equal(4_800, playout.PlayedSamples(Now));
    }

    [Fact]
    public async Task Fade_LetsASmallBufferPlayOut_SoThatNothingIsCleared()
    {
        var playout = await SpeakAsync(bufferMs: 60);
        Tick(playout, 0);
        Play(playout, 200);

        Assert.True(playout.Fade(0.25f, s_ramp, Now));
        Play(playout, 100);
        playout.Fade(1, s_ramp, Now);
        Play(playout, 100);

        Assert.DoesNotContain(_sink.Events, item => item.StartsWith("cleared", StringComparison.Ordinal));
        Assert.Contains(_sink.Sent.Index(), item => item.Item == Pcm.Saturate(Sample(item.Index) * 0.25f));
        Assert.Equal(Sample(_sink.Sent.Count - 1), _sink.Sent[^1]);
    }

    [Fact]
    public async Task Fade_WhereTheFarEndHoldsMuchAndCannotClear_ChangesNothing()
    {
        var playout = await SpeakAsync(bufferMs: 2_000, canClear: false);
        Tick(playout, 0);
        Tick(playout, 300);
        var sent = _sink.Sent.Count;

        Assert.False(playout.Fade(0.25f, s_ramp, Now));
        Assert.False(playout.Pause(s_ramp, Now));
        Tick(playout, 100);

        Assert.All(_sink.Sent.Index().Skip(sent), item => Assert.Equal(Sample(item.Index), item.Item));
    }

    [Fact]
    public async Task Pause_StandsStillWithoutAnUnderrun_AndGoesOnWithTheNextSample()
    {
        var playout = await SpeakAsync(bufferMs: 60);
        Tick(playout, 0);
        Play(playout, 100);
        playout.Pause(s_ramp, Now);
        Play(playout, 60);
        var atPause = _sink.Sent.Count;
        Play(playout, 1_000);
        Assert.Equal(atPause, _sink.Sent.Count);
        Assert.DoesNotContain("underrun 1", _sink.Events);

        playout.Fade(1, s_ramp, Now);
        Play(playout, 200);

        Assert.Equal(0, _sink.Sent[atPause]);
        Assert.Equal(Sample(atPause + 160), _sink.Sent[atPause + 160]);     // after the ramp
        Assert.DoesNotContain("underrun 1", _sink.Events);
    }

    [Fact]
    public async Task Clear_EndsAFadeAndAPause()
    {
        var playout = await SpeakAsync(bufferMs: 60);
        Tick(playout, 0);
        playout.Pause(s_ramp, Now);
        playout.Clear(Now);
        var sent = _sink.Sent.Count;
        playout.BeginUtterance(2);
        await playout.WriteAsync(Pattern(0, 800), Cancel);
        Tick(playout, 10);

        Assert.Equal(Pattern(0, 480), _sink.Sent[sent..]);
    }

    [Fact]
    public async Task TickingSoftly_AllocatesNothing()
    {
        var sink = new DeafSink();
        using var playout = new Playout(RateHz, TimeSpan.FromSeconds(100), _clock) { Sink = sink, OutputBuffer = TimeSpan.FromMilliseconds(60) };
        playout.BeginUtterance(1);
        await playout.WriteAsync(Pattern(0, 99 * RateHz), Cancel);
        playout.Fade(0.25f, s_ramp, Now);

        Assert.Equal(0, Allocations.Of(() => Tick(playout, 10)));
        Assert.True(sink.Samples > 50 * RateHz / 100);
    }

    /// <summary>Whatever is faded, paused and sent again: what a client hears is each sample once, in order, with a gain that never jumps.</summary>
    [Fact]
    public void WhatIsHeard_IsTheOriginalSampleForSample_ApartFromGain() =>
        Prop.ForAll(Arb.From(s_talks), talk => new Client(talk).Run()).Check(Config.QuickThrowOnFailure.WithMaxTest(150));

    private static readonly Gen<Talk> s_talks =
        from rateHz in Gen.Elements(8_000, 16_000, 48_000)
        from bufferMs in Gen.OneOf(Gen.Choose(20, 120), Gen.Choose(120, 5_000))
        from canClear in Gen.Elements(true, true, false)
        from rampMs in Gen.Choose(5, 60)
        from count in Gen.Choose(1, 60)
        from steps in Gen.ArrayOf(from kind in Gen.Choose(0, 9) from amount in Gen.Choose(0, 1_000) select (kind, amount), count)
        select new Talk(rateHz, bufferMs, canClear, rampMs, steps);

    private long Now => _clock.GetTimestamp();

    private async Task<Playout> SpeakAsync(int bufferMs, bool canClear = true)
    {
        var playout = new Playout(RateHz, TimeSpan.FromSeconds(10), _clock) { Sink = _sink, OutputBuffer = TimeSpan.FromMilliseconds(bufferMs), CanClear = canClear };
        playout.BeginUtterance(1);
        Assert.True(await playout.WriteAsync(Pattern(0, 5 * RateHz), Cancel));
        return playout;
    }

    private void Tick(Playout playout, int afterMilliseconds)
    {
        _clock.Advance(TimeSpan.FromMilliseconds(afterMilliseconds));
        playout.Tick(Now);
    }

    private void Play(Playout playout, int milliseconds)
    {
        for (var passed = 0; passed < milliseconds; passed += 10)
            Tick(playout, 10);
    }

    /// <summary>Loud, and nothing like its neighbours.</summary>
    private static short Sample(int index) => (short)((index & 1) == 0 ? 8_000 + index * 7_919L % 20_000 : -8_000 - index * 6_007L % 20_000);

    private static short[] Pattern(int from, int count) => [.. Enumerable.Range(from, count).Select(Sample)];

    private sealed record Talk(int RateHz, int BufferMs, bool CanClear, int RampMs, (int Kind, int Amount)[] Steps)
    {
        public override string ToString() => $"{RateHz} Hz, {BufferMs} ms, clears {CanClear}, ramp {RampMs} ms: {string.Join(' ', Steps)}";
    }

    /// <summary>A client that plays what it buffers in real time, modelled sample by sample.</summary>
    private sealed class Client : IPlayoutSink
    {
        private const int StepMs = 7;       // whole samples at each of the rates
        private readonly FakeClock _clock = new();
        private readonly Talk _talk;
        private readonly Playout _playout;
        private readonly Queue<short> _buffered = [];
        private readonly List<short> _heard = [];
        private int _written;
        private int _utterances;
        private int _over;
        private int _refuse;

        public Client(Talk talk)
        {
            _talk = talk;
            _playout = new Playout(talk.RateHz, TimeSpan.FromSeconds(2), _clock)
            {
                Sink = this, OutputBuffer = TimeSpan.FromMilliseconds(talk.BufferMs), CanClear = talk.CanClear
            };
            Begin();
        }

        private TimeSpan Ramp => TimeSpan.FromMilliseconds(_talk.RampMs);

        public void Run()
        {
            foreach (var (kind, amount) in _talk.Steps)
            {
                switch (kind)
                {
                    case < 3: Wait(amount); break;
                    case < 5: Write(amount * _talk.RateHz / 1_000); break;
                    case 5: _playout.Fade(0.2f, Ramp, _clock.GetTimestamp()); break;
                    case 6: _playout.Pause(Ramp, _clock.GetTimestamp()); break;
                    case 7: _playout.Fade(1, Ramp, _clock.GetTimestamp()); break;
                    case 8: Begin(); break;
                    default: _refuse = amount % 8; break;
                }
            }
            _playout.Fade(1, Ramp, _clock.GetTimestamp());
            _playout.EndUtterance();
            Wait(12_000);
            Assert.Equal(_utterances, _over);
            CheckHeard();
        }

        public bool TrySend(ReadOnlySpan<short> pcm, long playSamplePosition)
        {
            if (_refuse > 0)
            {
                _refuse--;
                return false;
            }
            foreach (var sample in pcm)
                _buffered.Enqueue(sample);
            return true;
        }

        public void OnCleared(long playSamplePosition)
        {
            Assert.True(_talk.CanClear);
            _buffered.Clear();
        }

        public void OnUtteranceStarted(int utteranceId) { }

        public void OnMark(int utteranceId, int markId) { }

        public void OnUnderrun(int utteranceId) { }

        public void OnUtterancePlayed(int utteranceId) => Assert.Equal(++_over, utteranceId);

        private void Begin() => _playout.BeginUtterance(++_utterances);

        private void Write(int samples)
        {
            if (_playout.Buffered + TimeSpan.FromSeconds((double)samples / _talk.RateHz) > TimeSpan.FromSeconds(1.9))
                return;
            Assert.True(_playout.WriteAsync(Pattern(_written, samples), Cancel).Result);
            _written += samples;
        }

        private void Wait(int milliseconds)
        {
            for (var passed = 0; passed < milliseconds && !(milliseconds > 5_000 && _over == _utterances); passed += StepMs)
            {
                _clock.Advance(TimeSpan.FromMilliseconds(StepMs));
                for (var due = _talk.RateHz * StepMs / 1_000; due > 0 && _buffered.TryDequeue(out var sample); due--)
                    _heard.Add(sample);
                _playout.Tick(_clock.GetTimestamp());
            }
        }

        private void CheckHeard()
        {
            Assert.Equal(_written, _heard.Count);
            var step = 1.0 / Math.Max(1, _talk.RampMs * _talk.RateHz / 1_000) + 2.0 / 8_000;      // of the ramp, and of rounding
            var gain = 1.0;
            foreach (var (index, sample) in _heard.Index())
            {
                var next = (double)sample / Sample(index);
                Assert.InRange(next, -0.0001, 1);
                Assert.True(Math.Abs(next - gain) <= step, $"The gain jumps from {gain} to {next} at {index}.");
                gain = next;
            }
        }
    }

    private sealed class DeafSink : IPlayoutSink
    {
        public int Samples { get; private set; }

        public bool TrySend(ReadOnlySpan<short> pcm, long playSamplePosition)
        {
            Samples += pcm.Length;
            return true;
        }

        public void OnUtteranceStarted(int utteranceId) { }

        public void OnMark(int utteranceId, int markId) { }

        public void OnUnderrun(int utteranceId) { }

        public void OnUtterancePlayed(int utteranceId) { }
    }
}
