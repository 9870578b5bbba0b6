using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using VoiceGrains.GrainInterfaces.Calls;

namespace VoiceGrains.Grains.Webhooks;

/// <summary>
/// Delivers what the outbox holds, one worker in each silo. It looks when this process wrote something, when a delivery is over and every
/// <see cref="WebhookOptions.PollInterval"/>; a database that is away only makes it wait.
/// </summary>
internal sealed partial class DeliveryWorker(
    DeliveryQueue queue, DeliverySender sender, DeliverySignal signal, DeliveryMetrics metrics, ICallEventWriter events, IOptions<WebhookOptions> options,
    TimeProvider clock, Random random, ILogger<DeliveryWorker> logger) : BackgroundService
{
    /// <summary>For the database to take back what was under way when the process stopped.</summary>
    private static readonly TimeSpan ReleaseTimeout = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan ChoresInterval = TimeSpan.FromSeconds(15);

    /// <summary>An outcome is tried to be stored so often; after that the delivery is repeated when its lease is over.</summary>
    private const int SettleAttempts = 5;

    private readonly Lock _gate = new();
    private readonly DeliveryLanes _lanes = new(options.Value.ConcurrencyPerReceiver);
    private readonly HashSet<Task> _underWay = [];
    private readonly CancellationTokenSource _abandon = new();
    private DateTimeOffset _choresDue;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        for (var failed = false; !stoppingToken.IsCancellationRequested;)
        {
            try
            {
                var begun = await BeginAsync(stoppingToken);
                await DoChoresAsync(stoppingToken);
                if (failed) LogRecovered();
                failed = false;
                if (begun > 0) continue;
            }
            catch (Exception failure) when (!stoppingToken.IsCancellationRequested)
            {
                if (!failed) LogAway(failure);
                failed = true;
            }
            catch (OperationCanceledException)
            {
                break;
            }
            await WaitAsync(mayHurry: !failed, stoppingToken);
        }
        await FinishAsync();
    }

    public override void Dispose()
    {
        _abandon.Dispose();
        base.Dispose();
    }

    /// <summary>How many deliveries it began.</summary>
    private async Task<int> BeginAsync(CancellationToken stoppingToken)
    {
        int free;
        IReadOnlyDictionary<string, int> allowed;
        lock (_gate) (free, allowed) = (options.Value.Concurrency - _lanes.UnderWay, _lanes.Allowed());
        if (free <= 0) return 0;
        var claimed = await queue.ClaimAsync(free, allowed, stoppingToken);
        foreach (var delivery in claimed)
        {
            lock (_gate) _lanes.Enter(delivery.Lane);
            var running = DeliverAsync(delivery);
            lock (_gate) _underWay.Add(running);
            _ = running.ContinueWith(Forget, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        }
        return claimed.Count;

        void Forget(Task done)
        {
            lock (_gate) _underWay.Remove(done);
        }
    }

    /// <summary>Never fails. The signal at its end makes room for the next.</summary>
    private async Task DeliverAsync(Delivery delivery)
    {
        bool? failed = null;
        try
        {
            var began = clock.GetTimestamp();
            var (outcome, failure) = await TryAsync(delivery);
            if (outcome is not "released") failed = failure is not null;
            metrics.Tried(delivery.Event, outcome, clock.GetElapsedTime(began));
        }
        catch (Exception trouble)
        {
            LogNotSettled(delivery.CallId, delivery.Event, trouble);
        }
        finally
        {
            lock (_gate) _lanes.Leave(delivery.Lane, failed);
            signal.Raise();
        }
    }

    private async Task<(string Outcome, string? Failure)> TryAsync(Delivery delivery)
    {
        try
        {
            await Task.Yield();     // the loop goes on while the request is made
            if (await sender.SendAsync(delivery, _abandon.Token) is not { } failure)
            {
                await SettleAsync(cancellationToken => queue.SettleDeliveredAsync(delivery, cancellationToken));
                LogDelivered(delivery.CallId, delivery.Event, delivery.Failures);
                return ("delivered", null);
            }
            return (await SettleFailureAsync(delivery, failure), failure);
        }
        catch (OperationCanceledException) when (_abandon.IsCancellationRequested)
        {
            await queue.ReleaseAsync(delivery, CancellationToken.None);
            return ("released", null);
        }
    }

    private async Task<string> SettleFailureAsync(Delivery delivery, string failure)
    {
        var again = NextAttempt(delivery.Failures);
        var described = $"{delivery.Event} of call {delivery.CallId}: {failure}";
        await SettleAsync(cancellationToken => queue.SettleFailedAsync(delivery, again, described, cancellationToken));
        if (again is not null)
        {
            LogFailed(delivery.CallId, delivery.Event, delivery.Failures + 1, failure);
            return "failed";
        }
        LogGivenUp(delivery.CallId, delivery.Event, failure);
        if (delivery.WebhookId is null) await SettleAsync(_ => TellCallAsync(delivery, failure));
        return "given_up";
    }

    /// <summary>Null when all retries were used up.</summary>
    private DateTimeOffset? NextAttempt(int failuresBefore)
    {
        if (failuresBefore >= options.Value.Retries) return null;
        double jitter;
        lock (_gate) jitter = random.NextDouble() * options.Value.Jitter;
        return clock.GetUtcNow() + options.Value.RetryDelay * Math.Pow(2, failuresBefore) * (1 + jitter);
    }

    /// <summary>A webhook shows its failures itself; of a callback only its call can.</summary>
    private async Task TellCallAsync(Delivery delivery, string failure)
    {
        if (delivery.Call is not { } call || await queue.GenerationAsync(delivery.CallId, _abandon.Token) is not { } generation) return;
        var time = call.Ended - call.Joined ?? TimeSpan.Zero;
        var text = $"The callback for {delivery.Event} was given up after {delivery.Failures + 1} attempts. The last one: {failure}";
        events.Write(generation, new CallEvent(delivery.CallId, call.Stage.CallStageId, time, Severity.Error, "callback_failed", text, null, time));
    }

    private async Task SettleAsync(Func<CancellationToken, Task> store)
    {
        for (var (attempt, delay) = (1, TimeSpan.FromMilliseconds(200)); ; attempt++, delay *= 2)
        {
            try
            {
                await store(CancellationToken.None);
                return;
            }
            catch (Npgsql.NpgsqlException) when (attempt < SettleAttempts && !_abandon.IsCancellationRequested)
            {
                await Task.Delay(delay, clock, _abandon.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private async Task DoChoresAsync(CancellationToken cancellationToken)
    {
        if (clock.GetUtcNow() < _choresDue) return;
        _choresDue = clock.GetUtcNow() + ChoresInterval;
        var (owed, oldest) = await queue.DepthAsync(cancellationToken);
        metrics.Looked(owed, oldest);
        await queue.ForgetAsync(cancellationToken);
    }

    private async Task WaitAsync(bool mayHurry, CancellationToken stoppingToken)
    {
        using var wake = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
        var poll = Task.Delay(options.Value.PollInterval, clock, wake.Token);
        await (mayHurry ? Task.WhenAny(poll, signal.WaitAsync(wake.Token)) : poll).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await wake.CancelAsync();
    }

    /// <summary>What is under way may end; the rest is released for others.</summary>
    private async Task FinishAsync()
    {
        Task[] rest;
        lock (_gate) rest = [.. _underWay];
        await Task.WhenAll(rest).WaitAsync(options.Value.ShutdownTimeout, clock).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _abandon.CancelAsync();
        await Task.WhenAll(rest).WaitAsync(ReleaseTimeout, clock).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    [LoggerMessage(1600, LogLevel.Debug, "Call {CallId}: {Event} was delivered after {Failures} failures")]
    private partial void LogDelivered(string callId, string @event, int failures);

    [LoggerMessage(1601, LogLevel.Debug, "Call {CallId}: attempt {Attempt} to deliver {Event} failed: {Reason}")]
    private partial void LogFailed(string callId, string @event, int attempt, string reason);

    [LoggerMessage(1602, LogLevel.Warning, "Call {CallId}: {Event} was given up, its receiver did not take it: {Reason}")]
    private partial void LogGivenUp(string callId, string @event, string reason);

    [LoggerMessage(1603, LogLevel.Warning, "Call {CallId}: what became of the delivery of {Event} could not be stored; it is delivered again")]
    private partial void LogNotSettled(string callId, string @event, Exception exception);

    [LoggerMessage(1604, LogLevel.Warning, "Owed deliveries could not be looked up; this is tried again")]
    private partial void LogAway(Exception exception);

    [LoggerMessage(1605, LogLevel.Information, "Owed deliveries can be looked up again")]
    private partial void LogRecovered();
}
