namespace VoiceGrains.Media.Tests.Playback;

public class PlayoutTests
{
    private const int RateHz = 8_000;
    private const int Frame = 160;
    private readonly FakeClock _clock = new();
    private readonly RecordingSink _sink = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Utterance_IsSentAtMostTheBufferAhead_AndReportedAsItIsPlayed()
    {
        var playout = Create();
        playout.BeginUtterance(7);
        Assert.True(playout.AddMark(0, 1));
        Assert.True(playout.AddMark(Frame + 1, 2));
        Assert.True(await playout.WriteAsync(Tone(5 * Frame + 10), Cancel));
        playout.EndUtterance();

        Tick(playout, 0);
        Assert.Equal(3 * Frame, _sink.Sent.Count);
        Assert.Equal(["started 7", "mark 7/1"], _sink.Events);
        Tick(playout, 20);
        Assert.Equal(2, _sink.Events.Count);
        Tick(playout, 10);
        Assert.Equal("mark 7/2", _sink.Events[^1]);
        Tick(playout, 71);
        Assert.Equal([(0, 160), (160, 160), (320, 160), (480, 160)], _sink.Frames[..4]);
        Assert.Equal(10, _sink.Frames[^1].Samples);         // the last frame is not padded
        Tick(playout, 100);
        Assert.Equal("played 7", _sink.Events[^1]);
        Assert.Equal(new PlayoutPosition(7, 5 * Frame + 10), playout.Position(_clock.GetTimestamp()));
    }

    [Fact]
    public async Task Frames_LeaveAtEverySecondTick_ThoughTicksComeALittleEarlyOrLate()
    {
        var playout = Create();
        playout.BeginUtterance(1);
        await playout.WriteAsync(Tone(20 * Frame), Cancel);
        Tick(playout, 0);
        List<int> sent = [];
        foreach (var (tick, lateness) in new[] { 3, -3, 4, 0, 0, 2, -4, 4, 1, -1, 0 }.Index())
        {
            _clock.Advance(TimeSpan.FromMilliseconds(10 + lateness));
            Tick(playout, 0);
            _clock.Advance(TimeSpan.FromMilliseconds(-lateness));
            sent.Add(_sink.Sent.Count / Frame);
            Assert.True(sent[^1] * 20 <= 60 + (tick + 1) * 10 + lateness);
        }
        Assert.Equal([3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8], sent);
    }

    [Fact]
    public async Task DryFarEnd_IsAnUnderrun_AndPlaybackGoesOnLater()
    {
        var playout = Create();
        playout.BeginUtterance(1);
        await playout.WriteAsync(Tone(Frame), Cancel);
        Tick(playout, 0);
        Tick(playout, 50);
        Tick(playout, 50);
        Assert.Equal(["started 1", "underrun 1"], _sink.Events);
        Assert.Equal(Frame, playout.PlayedSamples(_clock.GetTimestamp()));
        await playout.WriteAsync(Tone(Frame), Cancel);
        Tick(playout, 0);
        Assert.Equal(800, _sink.Frames[^1].Position);        // 100 ms
        _clock.Advance(TimeSpan.FromMilliseconds(10));
        Assert.Equal(Frame + 80, playout.PlayedSamples(_clock.GetTimestamp()));
        Tick(playout, 50);
        Assert.Equal(["started 1", "underrun 1", "underrun 1"], _sink.Events);
    }

    [Fact]
    public async Task Truncate_DropsWhatWasNotSent_AndTheUtteranceGoesOnThere()
    {
        var playout = Create();
        playout.BeginUtterance(1);
        await playout.WriteAsync(Tone(100 * Frame), Cancel);
        Assert.Equal(-1, playout.Truncate(2, 0));
        Assert.Equal(50 * Frame + 7, playout.Truncate(1, 50 * Frame + 7));
        Assert.Equal(50 * Frame + 7, playout.Truncate(1, 90 * Frame));
        Tick(playout, 0);
        Assert.Equal(3 * Frame, playout.Truncate(1, 10));        // so much was sent
        await playout.WriteAsync(Tone(Frame), Cancel);
        playout.EndUtterance();
        Assert.Equal(-1, playout.Truncate(1, 0));
        for (var i = 0; i < 10; i++) Tick(playout, 10);
        Assert.Equal(Tone(3 * Frame)[..].ToArray().Concat(Tone(Frame).ToArray()), _sink.Sent);
        Assert.Equal("played 1", _sink.Events[^1]);
    }

    [Fact]
    public async Task Clear_ReturnsWhatWasHeard_AndNothingOldIsSent()
    {
        var playout = Create();
        playout.BeginUtterance(1);
        await playout.WriteAsync(Tone(50 * Frame), Cancel);
        Tick(playout, 0);
        _clock.Advance(TimeSpan.FromMilliseconds(25));
        Assert.Equal(200, playout.Clear(_clock.GetTimestamp(), out var utteranceId));
        Assert.Equal(1, utteranceId);
        Assert.Equal(["started 1", "cleared at 200"], _sink.Events);
        _sink.Sent.Clear();
        Assert.False(await playout.WriteAsync(Tone(Frame), Cancel));
        Assert.False(playout.AddMark(10, 1));
        playout.BeginUtterance(2);
        Assert.False(await playout.WriteAsync(1, Tone(Frame), Cancel));         // a producer that did not notice
        Assert.True(await playout.WriteAsync(2, new short[] { -5 }, Cancel));
        playout.EndUtterance(1);
        playout.EndUtterance(2);
        Tick(playout, 10);
        Assert.Equal([-5], _sink.Sent);
        Assert.Equal(280, _sink.Frames[^1].Position);        // 35 ms: at once, as the far end dropped the rest
    }

    [Fact]
    public async Task Clear_WhereTheFarEndCannot_CountsWhatWasSentAsHeard()
    {
        var playout = Create(canClear: false);
        playout.BeginUtterance(1);
        playout.AddMark(2 * Frame, 9);
        await playout.WriteAsync(Tone(50 * Frame), Cancel);
        Tick(playout, 0);
        Assert.Equal(3 * Frame, playout.Clear(_clock.GetTimestamp()));
        Assert.Equal(["started 1", "mark 1/9", "cleared at 0"], _sink.Events);
        playout.BeginUtterance(2);
        await playout.WriteAsync(Tone(Frame), Cancel);
        Tick(playout, 30);
        Assert.Equal((3 * Frame, Frame), _sink.Frames[^1]);  // behind what still sounds
        Assert.DoesNotContain("started 2", _sink.Events);
        Tick(playout, 30);
        Assert.Contains("started 2", _sink.Events);
    }

    [Fact]
    public async Task Write_WaitsWhileFull_AndGoesOnAsItIsSent()
    {
        var playout = Create(buffered: TimeSpan.FromMilliseconds(100));
        playout.BeginUtterance(1);
        var write = playout.WriteAsync(Tone(10 * Frame), Cancel).AsTask();
        await WaitForBuffered(playout, 100);
        Assert.False(write.IsCompleted);
        for (var i = 0; i < 1_000 && !write.IsCompleted; i++)
        {
            Tick(playout, 10);
            await Task.Yield();
            if (i % 10 == 9)
                await WaitForBuffered(playout, 20, write);
        }
        Assert.True(await write.WaitAsync(TimeSpan.FromSeconds(10), Cancel));
        Assert.Equal(Tone(10 * Frame)[.._sink.Sent.Count], _sink.Sent);
    }

    [Fact]
    public async Task Write_ThatWaits_EndsByClearByDisposeAndByCancellation()
    {
        var playout = Create(buffered: TimeSpan.FromMilliseconds(20));
        playout.BeginUtterance(1);
        var cleared = playout.WriteAsync(Tone(10 * Frame), Cancel).AsTask();
        await WaitForBuffered(playout, 20);
        playout.Clear(_clock.GetTimestamp());
        Assert.False(await cleared.WaitAsync(TimeSpan.FromSeconds(10), Cancel));

        playout.BeginUtterance(2);
        using var cancellation = new CancellationTokenSource();
        var cancelled = playout.WriteAsync(Tone(10 * Frame), cancellation.Token).AsTask();
        await WaitForBuffered(playout, 20);
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled.WaitAsync(TimeSpan.FromSeconds(10), Cancel));

        playout.BeginUtterance(3);
        var disposed = playout.WriteAsync(Tone(10 * Frame), Cancel).AsTask();
        playout.Dispose();
        Assert.False(await disposed.WaitAsync(TimeSpan.FromSeconds(10), Cancel));
    }

    [Fact]
    public async Task BufferShorterThanAFrame_StillSpeaks_AFrameAtATime()
    {
        var playout = new Playout(RateHz, TimeSpan.FromSeconds(1), _clock) { Sink = _sink, OutputBuffer = TimeSpan.Zero };
        playout.BeginUtterance(1);
        await playout.WriteAsync(Tone(3 * Frame), Cancel);
        playout.EndUtterance();
        Tick(playout, 0);
        Assert.Equal(Frame, _sink.Sent.Count);
        for (var i = 0; i < 6; i++)
            Tick(playout, 10);
        Assert.Equal(["started 1", "played 1"], _sink.Events);
    }

    [Fact]
    public async Task RefusedFrame_IsOfferedAgain()
    {
        var playout = Create();
        playout.BeginUtterance(1);
        await playout.WriteAsync(Tone(2 * Frame), Cancel);
        playout.EndUtterance();
        _sink.Accepts = false;
        Tick(playout, 10);
        Assert.Empty(_sink.Events);
        _sink.Accepts = true;
        Tick(playout, 10);
        Assert.Equal(Tone(2 * Frame), _sink.Sent);
    }

    [Fact]
    public void EmptyUtterance_StartsAndEnds()
    {
        var playout = Create();
        playout.BeginUtterance(1);
        playout.EndUtterance();
        Tick(playout, 10);
        Assert.Equal(["started 1", "played 1"], _sink.Events);
        Assert.True(playout.AddMark(1, 0, 5));       // late
        Tick(playout, 10);
        Assert.Equal("mark 1/5", _sink.Events[^1]);
    }

    [Fact]
    public void SinkThatCallsBack_IsToldSo()
    {
        Playout playout = null!;
        var sink = new CallingBack(() => playout.Clear(_clock.GetTimestamp()));
        playout = new Playout(RateHz, TimeSpan.FromSeconds(1), _clock) { Sink = sink };
        playout.BeginUtterance(1);
        playout.EndUtterance();
        Assert.Throws<InvalidOperationException>(() => playout.Tick(_clock.GetTimestamp()));
    }

    [Fact]
    public void Tick_AllocatesNothing()
    {
        var sink = new CallingBack(() => { });
        var playout = new Playout(RateHz, TimeSpan.FromSeconds(10), _clock) { Sink = sink };
        playout.BeginUtterance(1);
        var pcm = Tone(Frame);
        Assert.Equal(0, Allocations.Of(() =>
        {
            Assert.True(playout.WriteAsync(pcm, CancellationToken.None).Result);
            _clock.Advance(TimeSpan.FromMilliseconds(10));
            playout.Tick(_clock.GetTimestamp());
            _clock.Advance(TimeSpan.FromMilliseconds(10));
            playout.Tick(_clock.GetTimestamp());
        }));
    }

    /// <summary>
    /// A producer, a pacer and a conversation race on real threads. Each utterance's samples all carry its own number,
    /// and a send is checked against the number that the last clear had made obsolete.
    /// </summary>
    [Fact]
    public async Task Clear_WhileOthersWriteAndSend_LetsNothingOldThrough()
    {
        var sink = new ObsoleteSink();
        using var playout = new Playout(48_000, TimeSpan.FromMilliseconds(200)) { Sink = sink, OutputBuffer = TimeSpan.FromSeconds(30) };
        using var stop = new CancellationTokenSource();
        var pacer = Task.Factory.StartNew(() =>
        {
            while (!stop.IsCancellationRequested)
            {
                playout.Tick(TimeProvider.System.GetTimestamp());
                Thread.Yield();
            }
        }, TaskCreationOptions.LongRunning);
        for (short utterance = 1; utterance <= 500; utterance++)
        {
            playout.BeginUtterance(utterance);
            var producer = ProduceAsync(playout, utterance);
            var sendsBefore = sink.Sends;
            if (utterance % 3 == 0)
                Assert.True(SpinWait.SpinUntil(() => sink.Sends > sendsBefore, TimeSpan.FromSeconds(10)));
            else
                Thread.SpinWait(utterance % 97 * 20);
            playout.Clear(TimeProvider.System.GetTimestamp());
            sink.Obsolete = utterance;      // after the clear returned, not before: that is the promise
            await producer.WaitAsync(TimeSpan.FromSeconds(10), Cancel);
        }
        await stop.CancelAsync();
        await pacer.WaitAsync(TimeSpan.FromSeconds(10), Cancel);
        Assert.Equal(0, sink.Violations);
        Assert.True(sink.Sends > 150);
    }

    private static async Task ProduceAsync(Playout playout, short utterance)
    {
        var pcm = new short[4_800];
        Array.Fill(pcm, utterance);
        await Task.Yield();
        while (await playout.WriteAsync(utterance, pcm, Cancel))
        {
        }
    }

    private static async Task WaitForBuffered(Playout playout, int milliseconds, Task? orDone = null)
    {
        var deadline = DateTime.UtcNow.AddSeconds(10);
        while (playout.Buffered < TimeSpan.FromMilliseconds(milliseconds) && orDone?.IsCompleted != true)
        {
            Assert.True(DateTime.UtcNow < deadline, "the producer wrote nothing");
            await Task.Delay(1, Cancel);
        }
    }

    private Playout Create(bool canClear = true, TimeSpan? buffered = null) =>
        new(RateHz, buffered ?? TimeSpan.FromSeconds(5), _clock) { Sink = _sink, CanClear = canClear };

    private void Tick(Playout playout, int afterMilliseconds)
    {
        _clock.Advance(TimeSpan.FromMilliseconds(afterMilliseconds));
        playout.Tick(_clock.GetTimestamp());
    }

    private static short[] Tone(int samples) => [.. Enumerable.Range(1, samples).Select(i => (short)i)];

    private sealed class CallingBack(Action action) : IPlayoutSink
    {
        public bool TrySend(ReadOnlySpan<short> pcm, long playSamplePosition) => true;

        public void OnUtteranceStarted(int utteranceId) => action();

        public void OnMark(int utteranceId, int markId) => action();

        public void OnUnderrun(int utteranceId) => action();

        public void OnUtterancePlayed(int utteranceId) => action();
    }

    private sealed class ObsoleteSink : IPlayoutSink
    {
        private int _obsolete;
        private int _sends;
        private int _violations;

        public int Obsolete { set => Volatile.Write(ref _obsolete, value); }

        public int Sends => Volatile.Read(ref _sends);

        public int Violations => Volatile.Read(ref _violations);

        public bool TrySend(ReadOnlySpan<short> pcm, long playSamplePosition)
        {
            if (pcm[0] <= Volatile.Read(ref _obsolete) || pcm.ContainsAnyExcept(pcm[0]))
                Interlocked.Increment(ref _violations);
            Interlocked.Increment(ref _sends);
            return true;
        }

        public void OnUtteranceStarted(int utteranceId)
        {
        }

        public void OnMark(int utteranceId, int markId)
        {
        }

        public void OnUnderrun(int utteranceId)
        {
        }

        public void OnUtterancePlayed(int utteranceId)
        {
        }
    }
}
