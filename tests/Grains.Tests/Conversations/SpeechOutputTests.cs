using System.Collections.Concurrent;
using System.Threading.Channels;
using Microsoft.Extensions.Logging.Abstractions;
using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.Grains.Calls.Conversations;
using VoiceGrains.Media;
using VoiceGrains.Providers;
using VoiceGrains.Tests.Shared;

namespace VoiceGrains.Grains.Tests.Conversations;

public sealed class SpeechOutputTests
{
    /// <summary>The pacer ticks while the failure is being told: a sentence that nobody heard must not count as played.</summary>
    [Fact]
    public async Task AVoiceThatFails_IsToldBeforeItsUtteranceCountsAsPlayed()
    {
        var clock = new ManualClock();
        using var pacer = new Pacer(new PacerOptions { Threads = 0 }, clock, NullLogger<Pacer>.Instance);
        await using var far = new FarEnd(16_000, 16_000, TimeSpan.FromMilliseconds(60), clock);
        var events = new TickingWriter(clock);
        await using var output = new SpeechOutput(far, pacer, null, clock, events);
        events.Output = output;
        var failing = new WordSynthesizer(TimeSpan.FromMilliseconds(200), clock) { Failure = new ProviderException("voice", ProviderFault.Unavailable, "Out of order.") };
        var utterance = new Grains.Calls.Conversations.Utterance(1, default, TestContext.Current.CancellationToken) { Medium = MessageMedium.Voice };
        utterance.Write("Nobody hears this.");
        utterance.Close();

        output.Enqueue(utterance, new SpeakingVoices(new AgentVoice(failing, "v", null), null, new ConversationOptions(), clock));
        await events.Failed.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);

        Assert.Equal(EventKind.SpeechFailed, events.Kinds.First());
    }

    /// <summary>Ticks the output just before a failure is written down.</summary>
    private sealed class TickingWriter(TimeProvider clock) : ChannelWriter<ConversationEvent>
    {
        private readonly TaskCompletionSource _failed = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public ConcurrentQueue<EventKind> Kinds { get; } = [];
        public IPaced? Output { get; set; }
        public Task Failed => _failed.Task;

        public override bool TryWrite(ConversationEvent item)
        {
            if (item.Kind == EventKind.SpeechFailed) Output!.Tick(clock.GetTimestamp());
            Kinds.Enqueue(item.Kind);
            if (item.Kind == EventKind.SpeechFailed) _failed.TrySetResult();
            return true;
        }

        public override ValueTask<bool> WaitToWriteAsync(CancellationToken cancellationToken = default) => new(true);
    }
}
