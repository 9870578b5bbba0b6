using Microsoft.Extensions.Logging.Abstractions;
using Orleans.Runtime;
using Orleans.Streams;
using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.Grains.Calls.LiveEvents;

namespace VoiceGrains.Server.Tests.Grpc;

/// <summary>A conversation's words on their way to a transport that is fast, slow, or broken.</summary>
public sealed class LiveEventPublisherTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public void AFastTransport_GetsEachEventAtOnce()
    {
        var stream = new Transport { Answer = () => Task.CompletedTask };
        var publisher = Publisher(stream);
        publisher.State("listening");
        publisher.Transcript(MessageRole.User, MessageMedium.Voice, "hi", null, true, 3);
        publisher.Ended(EndReason.Hangup);
        Assert.Collection(stream.Taken,
            e => Assert.Equal("listening", Assert.IsType<LiveState>(e).State),
            e => Assert.Equal(("hi", null, true, 3), (((LiveTranscript)e).Text, ((LiveTranscript)e).Delta, ((LiveTranscript)e).Final, ((LiveTranscript)e).Ordinal)),
            e => Assert.Equal(EndReason.Hangup, Assert.IsType<LiveCallEnded>(e).Reason));
    }

    [Fact]
    public async Task ASlowTransport_GetsEventsInOrder_AndTheNumberOfThoseThatItMissed()
    {
        var pending = new TaskCompletionSource();
        var stream = new Transport { Answer = () => pending.Task };
        var publisher = Publisher(stream);
        const int lost = 7;
        for (var i = 0; i < 1 + lost + LiveEventPublisher.QueueLength; i++) publisher.State($"{i}");      // the first is on its way
        Assert.Equal("0", Assert.IsType<LiveState>(Assert.Single(stream.Taken)).State);

        stream.Answer = () => Task.CompletedTask;
        pending.SetResult();
        await stream.UntilAsync(2 + LiveEventPublisher.QueueLength);
        Assert.Equal(lost, Assert.IsType<LiveGap>(stream.Taken[1]).Dropped);
        Assert.Equal(Enumerable.Range(1 + lost, LiveEventPublisher.QueueLength).Select(i => $"{i}"), stream.Taken.Skip(2).Select(e => ((LiveState)e).State));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task AFailingTransport_LosesTheEvent_AndNothingElse(bool atOnce)
    {
        var stream = new Transport { Answer = () => atOnce ? throw new IOException("away") : Task.FromException(new IOException("away")) };
        var publisher = Publisher(stream);
        publisher.State("lost");
        stream.Answer = () => Task.CompletedTask;
        publisher.State("next");
        await stream.UntilAsync(2);
        Assert.Equal("next", ((LiveState)stream.Taken[1]).State);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task TheEnd_IsTheStreamsLast_OnceTheTransportHasIt(bool atOnce)
    {
        var pending = new TaskCompletionSource();
        var stream = new Transport { Answer = () => atOnce ? Task.CompletedTask : pending.Task };
        var publisher = Publisher(stream);
        publisher.State("idle");
        publisher.Ended(EndReason.Hangup);
        Assert.Equal(atOnce, stream.IsCompleted);
        pending.SetResult();
        await stream.UntilAsync(() => stream.IsCompleted);
        Assert.IsType<LiveCallEnded>(stream.Taken[^1]);
    }

    private static LiveEventPublisher Publisher(Transport stream) => new("call", stream, TimeProvider.System, NullLogger.Instance);

    /// <summary>The producer's half of a stream.</summary>
    private sealed class Transport : IAsyncStream<LiveEvent>
    {
        private readonly Lock gate = new();
        private readonly List<LiveEvent> taken = [];

        public required Func<Task> Answer { get; set; }

        public List<LiveEvent> Taken
        {
            get
            {
                lock (gate) return [.. taken];
            }
        }

        public bool IsRewindable => false;
        public string ProviderName => "test";
        public StreamId StreamId => StreamId.Create("test", "call");

        public Task OnNextAsync(LiveEvent item, StreamSequenceToken? token = null)
        {
            lock (gate) taken.Add(item);
            return Answer();
        }

        public bool IsCompleted { get; private set; }

        public Task UntilAsync(int count) => UntilAsync(() => Taken.Count >= count);

        public async Task UntilAsync(Func<bool> condition)
        {
            using var patience = new CancellationTokenSource(Patience);
            while (!condition()) await Task.Delay(5, patience.Token);
        }

        public Task OnCompletedAsync()
        {
            IsCompleted = true;
            return Task.CompletedTask;
        }

        public Task OnErrorAsync(Exception ex) => throw new NotSupportedException();
        public Task<StreamSubscriptionHandle<LiveEvent>> SubscribeAsync(IAsyncObserver<LiveEvent> observer) => throw new NotSupportedException();
        public Task<IList<StreamSubscriptionHandle<LiveEvent>>> GetAllSubscriptionHandles() => throw new NotSupportedException();
    }
}
