using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Orleans.Runtime;
using Orleans.Streams;
using VoiceGrains.GrainRuntime.Streams;

namespace VoiceGrains.GrainRuntime.Tests.Streams;

/// <summary>Whatever is lost on the way or in a subscriber's queue: what it gets and what it is told to have missed is all there was.</summary>
public sealed class StreamAccountTests
{
    private const int QueueLength = 8;
    private static readonly StreamId Id = StreamId.Create("news", "today");

    private enum Act
    {
        Deliver,
        DeliverTwice,
        Lose,
        Mark,
        MoveInOrder,
        Crash,
    }

    [Fact]
    public void DeliveredAndGaps_AreAllThatWasPublished() => Prop.ForAll(
        Gen.ListOf(Gen.Choose(0, 99)).ToArbitrary(),
        history => CheckAsync([.. history.Select(Kind)], expectsAll: true).GetAwaiter().GetResult()).Check(Config.QuickThrowOnFailure.WithMaxTest(200).WithEndSize(80));

    [Fact]
    public void ALostProducer_LeavesAGapOfUnknownLength() => Prop.ForAll(
        Gen.ListOf(Gen.Choose(0, 105)).ToArbitrary(),
        history => CheckAsync([.. history.Select(Kind)], expectsAll: false).GetAwaiter().GetResult()).Check(Config.QuickThrowOnFailure.WithMaxTest(200).WithEndSize(80));

    [Fact]
    public void FirstSource_CountsFromWhereItIsMet_UnlessNobodyProducedBefore()
    {
        var source = new StreamSource("a", 1);
        var met = new StreamLedger();
        Assert.Equal(new(0), met.Mark(source, 7, last: false));
        Assert.True(met.TryTake(source, 9, last: false, local: false, out var lost));
        Assert.Equal(new(2), lost);

        var expected = new StreamLedger();
        expected.StartsHere();
        Assert.True(expected.TryTake(source, 3, last: false, local: false, out lost));
        Assert.Equal(new(3), lost);
    }

    [Fact]
    public void TwoSourcesAtATime_AreCountedEach()
    {
        var (one, two) = (new StreamSource("a", 1), new StreamSource("b", 1));
        var ledger = new StreamLedger();
        ledger.StartsHere();
        Assert.Equal(new(0), Take(one, 0));
        Assert.Equal(new(1, AtLeast: true), Take(two, 1));      // nobody said that the first one is done
        Assert.Equal(new(2), Take(one, 3));
        Assert.Equal(new(0), Take(two, 2));
        Assert.False(ledger.TryTake(one, 2, last: false, local: false, out _));

        StreamLoss Take(StreamSource source, long number)
        {
            Assert.True(ledger.TryTake(source, number, last: false, local: false, out var lost));
            return lost;
        }
    }

    private static Act Kind(int percent) => percent switch
    {
        < 55 => Act.Deliver,
        < 60 => Act.DeliverTwice,
        < 85 => Act.Lose,
        < 93 => Act.Mark,
        < 100 => Act.MoveInOrder,
        _ => Act.Crash,
    };

    private static async Task CheckAsync(List<Act> history, bool expectsAll)
    {
        var streams = new InProcessStreams("live", Options.Create(new GrainRuntimeOptions { StreamQueueLength = QueueLength }), NullLogger<InProcessStreams>.Instance);
        var stream = new StreamProvider(streams).GetStream<int>(Id);
        var (quick, slow) = (new Account(), new Account());
        slow.Hold();
        await stream.SubscribeAsync(quick);
        await stream.SubscribeAsync(slow);
        var world = new World(streams.FindHub<int>(StreamAddress.Of<int>(Id))!);

        foreach (var acts in history.Chunk(QueueLength))
        {
            foreach (var act in acts)
                world.Step(act);
            await RuntimeHost.EventuallyAsync(() => quick.Total >= world.Countable, "the quick one keeps up");
        }
        world.Step(Act.Mark);
        slow.Release();

        foreach (var account in (Account[])[quick, slow])
        {
            await RuntimeHost.EventuallyAsync(() => account.Total >= world.Countable, "all is accounted for");
            Assert.Equal(world.Countable, account.Total);
            Assert.Equal(world.HasUnknown, account.HasUnknown);
            if (expectsAll)
                account.AssertGapsAreWhereTheEventsWere();
        }
        Assert.True(!expectsAll || world.Countable == world.Published);
    }

    /// <summary>Producers, one after the other, and what becomes of their events.</summary>
    private sealed class World
    {
        private readonly StreamHub _hub;
        private StreamSource _source = new("p", 1);
        private long _next;
        private bool _isHeard;
        private bool _leftOpen;
        private long _unheard;

        public World(StreamHub hub)
        {
            _hub = hub;
            hub.OnNobodyProduces();
        }

        public int Published { get; private set; }

        /// <summary>What subscribers can know of by now.</summary>
        public long Countable { get; private set; }

        public bool HasUnknown { get; private set; }

        public void Step(Act act)
        {
            switch (act)
            {
                case Act.Lose:
                    (_next, _unheard) = (_next + 1, _unheard + 1);
                    Published++;
                    break;
                case Act.Deliver or Act.DeliverTwice:
                    Hear();
                    Countable++;
                    var arrival = new StreamArrival(StreamNoticeKind.Next, _source, _next++, false, JsonSerializer.SerializeToUtf8Bytes(Published++));
                    _hub.Receive(arrival, JsonSerializerOptions.Default, local: false);
                    if (act == Act.DeliverTwice)
                        _hub.Receive(arrival, JsonSerializerOptions.Default, local: false);
                    break;
                case Act.Mark:
                    if (_leftOpen && !_isHeard)
                        break;      // one that introduces itself after a crash is a case of its own
                    Hear();
                    _hub.Receive(new(null, _source, _next, false), JsonSerializerOptions.Default, local: false);
                    break;
                case Act.MoveInOrder:
                    if (!_isHeard && (_leftOpen || _next > 0))
                        break;
                    Hear();
                    _hub.Receive(new(null, _source, _next, true), JsonSerializerOptions.Default, local: false);
                    Begin();
                    break;
                case Act.Crash:
                    _leftOpen |= _isHeard;
                    Begin();
                    break;
            }
        }

        private void Hear()
        {
            HasUnknown |= !_isHeard && _leftOpen;
            _isHeard = true;
            Countable += _unheard;
            _unheard = 0;
        }

        private void Begin() => (_source, _next, _isHeard, _unheard) = (new("p", _source.Incarnation + 1), 0, false, 0);
    }

    private sealed class Account : IAsyncObserver<int>
    {
        private readonly Lock _gate = new();
        private readonly List<(int? Item, long Gap)> _heard = [];
        private Task _held = Task.CompletedTask;
        private TaskCompletionSource? _release;

        public bool HasUnknown { get; private set; }

        public long Total
        {
            get
            {
                lock (_gate)
                    return _heard.Sum(entry => entry.Item is null ? entry.Gap : 1);
            }
        }

        public void Hold() => _held = (_release = new(TaskCreationOptions.RunContinuationsAsynchronously)).Task;

        public void Release() => _release!.SetResult();

        public Task OnNextAsync(int item, StreamSequenceToken? token = null) => AddAsync((item, 0));

        public Task OnErrorAsync(Exception ex)
        {
            var gap = Assert.IsType<StreamGapException>(ex);
            HasUnknown |= gap.AtLeast;
            return AddAsync((null, gap.Dropped));
        }

        public void AssertGapsAreWhereTheEventsWere()
        {
            var next = 0L;
            foreach (var (item, gap) in _heard)
            {
                Assert.True(item is null || item == next);
                next += item is null ? gap : 1;
            }
        }

        private async Task AddAsync((int? Item, long Gap) entry)
        {
            await _held;
            lock (_gate)
                _heard.Add(entry);
        }
    }
}
