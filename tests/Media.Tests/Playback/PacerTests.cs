using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging.Abstractions;

namespace VoiceGrains.Media.Tests.Playback;

public class PacerTests
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Items_AreTickedOverAndOver_WithTimestampsThatGrow()
    {
        using var pacer = Create(threads: 2);
        var items = Enumerable.Range(0, 5).Select(_ => new Item(ticksAwaited: 5)).ToList();
        foreach (var item in items)
            pacer.Add(item);
        Assert.Equal(5, pacer.Items);
        foreach (var item in items)
            await item.Ticked.WaitAsync(s_patience, Cancel);
        foreach (var stamps in items.Select(item => item.Timestamps.ToArray()))       // they go on while this looks
            Assert.Equal(stamps.Order(), stamps);
        Assert.Equal(2, items.Select(item => item.ThreadId).Distinct().Count());
    }

    [Fact]
    public async Task ItemsThatComeInPairs_AreSpreadOverTheThreadsByEachOfTheTwo()
    {
        using var pacer = Create(threads: 2);
        List<Item> first = [], second = [];
        for (var call = 0; call < 4; call++)
        {
            foreach (var items in new[] { first, second })
            {
                items.Add(new Item(ticksAwaited: 1));
                pacer.Add(items[^1]);
            }
        }
        foreach (var item in first.Concat(second))
            await item.Ticked.WaitAsync(s_patience, Cancel);
        Assert.Equal([2, 2], first.GroupBy(item => item.ThreadId).Select(thread => thread.Count()));
        Assert.Equal([2, 2], second.GroupBy(item => item.ThreadId).Select(thread => thread.Count()));
    }

    [Fact]
    public async Task Deadlines_StayOnTheGrid()
    {
        using var pacer = Create(threads: 1);
        var item = new Item(ticksAwaited: 30);
        pacer.Add(item);
        await item.Ticked.WaitAsync(s_patience, Cancel);
        var stamps = item.Timestamps.ToArray();
        // However late single ticks were on a busy machine, none may come before its place on the grid.
        var elapsed = TimeProvider.System.GetElapsedTime(stamps[0], stamps[^1]);
        Assert.True(elapsed >= TimeSpan.FromMilliseconds(10 * (stamps.Length - 2)), $"{stamps.Length} ticks in {elapsed}");
    }

    [Fact]
    public async Task ItemThatThrows_IsRemovedAndTold_AndTheOthersGoOn()
    {
        using var pacer = Create(threads: 1);
        var bad = new Item(ticksAwaited: 1) { Throws = true };
        var good = new Item(ticksAwaited: 10);
        pacer.Add(bad);
        pacer.Add(good);
        await good.Ticked.WaitAsync(s_patience, Cancel);
        Assert.IsType<NotSupportedException>(Assert.Single(bad.Failures));
        Assert.Equal(1, pacer.Items);
    }

    [Fact]
    public async Task RemovedItem_IsNotInItsTickWhenRemoveReturns()
    {
        using var pacer = Create(threads: 1);
        for (var i = 0; i < 20; i++)
        {
            var item = new Item(ticksAwaited: 1);
            var registration = pacer.Add(item);
            await item.Ticked.WaitAsync(s_patience, Cancel);
            registration.Dispose();
            item.IsGone = true;
            registration.Dispose();
            Assert.False(item.TickedWhenGone);
        }
        Assert.Equal(0, pacer.Items);
    }

    [Fact]
    public void Item_MayRemoveItselfWithinItsTick()
    {
        using var pacer = Create(threads: 0);
        var item = new Item(ticksAwaited: 1);
        item.OnTick = pacer.Add(item).Dispose;
        pacer.TickOnce();
        pacer.TickOnce();
        Assert.Single(item.Timestamps);
    }

    [Fact]
    public void ManualPacer_TicksOnlyWhenAsked()
    {
        var clock = new FakeClock();
        using var pacer = new Pacer(new PacerOptions { Threads = 0 }, clock, NullLogger<Pacer>.Instance);
        var item = new Item(ticksAwaited: 1);
        pacer.Add(item);
        Assert.Empty(item.Timestamps);
        pacer.TickOnce();
        Assert.Equal([clock.GetTimestamp()], item.Timestamps);
        using var running = Create(threads: 1);
        Assert.Throws<InvalidOperationException>(running.TickOnce);
    }

    [Fact]
    public async Task Lateness_IsMeasured()
    {
        var latenesses = new ConcurrentQueue<double>();
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, l) =>
            {
                if (instrument.Meter.Name == Pacer.MeterName && instrument.Name == "voicegrains.media.pacer.lateness")
                    l.EnableMeasurementEvents(instrument);
            }
        };
        listener.SetMeasurementEventCallback<double>((_, seconds, _, _) => latenesses.Enqueue(seconds));
        listener.Start();
        using var pacer = Create(threads: 1);
        var item = new Item(ticksAwaited: 3);
        pacer.Add(item);
        await item.Ticked.WaitAsync(s_patience, Cancel);
        Assert.True(latenesses.Count >= 3);
        Assert.All(latenesses, seconds => Assert.True(seconds >= 0));
    }

    [Fact]
    public void DisposedPacer_TakesNothing()
    {
        var pacer = Create(threads: 1);
        pacer.Dispose();
        pacer.Dispose();
        Assert.Throws<ObjectDisposedException>(() => pacer.Add(new Item(1)));
    }

    private static Pacer Create(int threads) => new(new PacerOptions { Threads = threads }, TimeProvider.System, NullLogger<Pacer>.Instance);

    private sealed class Item(int ticksAwaited) : IPaced
    {
        private readonly TaskCompletionSource _ticked = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Ticked => _ticked.Task;

        public ConcurrentQueue<long> Timestamps { get; } = [];

        public ConcurrentQueue<Exception> Failures { get; } = [];

        public bool Throws { get; init; }

        public Action? OnTick { get; set; }

        public int ThreadId { get; private set; }

        public volatile bool IsGone;

        public bool TickedWhenGone { get; private set; }

        public void Tick(long timestamp)
        {
            TickedWhenGone |= IsGone;
            ThreadId = Environment.CurrentManagedThreadId;
            Timestamps.Enqueue(timestamp);
            OnTick?.Invoke();
            if (Timestamps.Count >= ticksAwaited)
                _ticked.TrySetResult();
            if (Throws)
                throw new NotSupportedException("broken on purpose");
        }

        public void OnTickFailed(Exception exception) => Failures.Enqueue(exception);
    }
}
