using Microsoft.Extensions.Logging;
using Orleans.Streams;
using VoiceGrains.GrainInterfaces;
using VoiceGrains.GrainInterfaces.Calls;

namespace VoiceGrains.Grains.Calls.LiveEvents;

/// <summary>
/// Publishes one call's live events in order and never waits. A transport that takes its time gets a bounded queue; when that is full the oldest
/// event goes, and a <see cref="LiveGap"/> in front of the next one tells how many are missing. A transport that fails loses the event.
/// </summary>
internal sealed partial class LiveEventPublisher(string callId, IAsyncStream<LiveEvent> stream, TimeProvider clock, ILogger logger) : ILiveEventSink
{
    /// <summary>Events that wait for the transport.</summary>
    public const int QueueLength = 256;

    private readonly Lock _gate = new();
    private readonly Queue<LiveEvent> _queue = new();
    private long _dropped;
    private bool _sending;

    public void Transcript(MessageRole role, MessageMedium medium, string? text, string? delta, bool final, int ordinal)
        => Publish(new LiveTranscript(callId, clock.GetUtcNow(), role, medium, text, delta, final, ordinal));

    public void State(string state) => Publish(new LiveState(callId, clock.GetUtcNow(), state));

    public void Event(CallEvent callEvent) => Publish(new LiveCallEvent(
        callId, clock.GetUtcNow(), callEvent.CallStageId, callEvent.CallTimestamp, callEvent.WallClockTimestamp, callEvent.Severity, callEvent.Type,
        callEvent.Text, callEvent.Extras?.ToJsonString(WireJson.Options)));

    public void Ended(EndReason reason) => Publish(new LiveCallEnded(callId, clock.GetUtcNow(), reason));

    private void Publish(LiveEvent liveEvent)
    {
        lock (_gate)
        {
            if (_sending)
            {
                Enqueue(liveEvent);
                return;
            }
            _sending = true;
        }
        // The usual case: the transport takes it at once, and there is no task, queue or thread switch.
        if (TrySend(liveEvent) is { } waiting) _ = SendRestAsync(waiting);
        else if (!TryStop()) _ = SendRestAsync(Task.CompletedTask);
    }

    private void Enqueue(LiveEvent liveEvent)
    {
        if (_queue.Count >= QueueLength)
        {
            _queue.Dequeue();
            _dropped++;
        }
        _queue.Enqueue(liveEvent);
    }

    /// <summary>Null when the transport took the event, or failed, at once.</summary>
    private Task? TrySend(LiveEvent liveEvent)
    {
        try
        {
            var sending = liveEvent is LiveCallEnded ? SendLastAsync(liveEvent) : stream.OnNextAsync(liveEvent);
            if (!sending.IsCompleted) return sending;
            sending.GetAwaiter().GetResult();
        }
        catch (Exception exception)
        {
            LogNotPublished(callId, exception);
        }
        return null;
    }

    private async Task SendLastAsync(LiveEvent ended)
    {
        await stream.OnNextAsync(ended).ConfigureAwait(false);
        await stream.OnCompletedAsync().ConfigureAwait(false);
    }

    private async Task SendRestAsync(Task sending)
    {
        // Out of the conversation's way, whatever thread or grain turn it runs on.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        while (true)
        {
            try
            {
                await sending.ConfigureAwait(false);
            }
            catch (Exception exception)
            {
                LogNotPublished(callId, exception);
            }
            if (TakeNext() is not { } next) return;
            sending = TrySend(next) ?? Task.CompletedTask;
        }
    }

    private LiveEvent? TakeNext()
    {
        lock (_gate)
        {
            if (_dropped > 0)
            {
                var gap = new LiveGap(callId, clock.GetUtcNow(), _dropped);
                _dropped = 0;
                return gap;
            }
            if (_queue.TryDequeue(out var next)) return next;
            _sending = false;
            return null;
        }
    }

    private bool TryStop()
    {
        lock (_gate)
        {
            if (_queue.Count > 0 || _dropped > 0) return false;
            _sending = false;
            return true;
        }
    }

    [LoggerMessage(3151, LogLevel.Warning, "A live event of call {CallId} was not published")]
    private partial void LogNotPublished(string callId, Exception exception);
}
