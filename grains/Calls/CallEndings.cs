using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans;
using VoiceGrains.GrainInterfaces;
using VoiceGrains.GrainInterfaces.Calls;

namespace VoiceGrains.Grains.Calls;

/// <summary>
/// Tells grains how the conversations of this silo ended, wherever their grains are by then, and tries again while the database or the broker is away: how a
/// conversation ended is known only here. Until its end is stored a call stays among the live ones, so that nobody takes it for lost, and counts for the drain.
/// </summary>
internal sealed partial class CallEndings : IHostedService, IDisposable
{
    private readonly LiveCalls _calls;
    private readonly IGrainFactory _grains;
    private readonly ICallJournal _journal;
    private readonly CallAdmission _admission;
    private readonly CallEndingOptions _options;
    private readonly CallEndingMetrics _metrics;
    private readonly TimeProvider _clock;
    private readonly ILogger<CallEndings> _logger;
    private readonly CancellationTokenSource _abandon = new();
    private readonly ConcurrentDictionary<Task, bool> _waiting = new();

    public CallEndings(
        LiveCalls calls, IGrainFactory grains, ICallJournal journal, CallAdmission admission, IOptions<CallEndingOptions> options, IMeterFactory meters,
        TimeProvider clock, ILogger<CallEndings> logger)
    {
        (_calls, _grains, _journal, _admission, _options, _clock, _logger) = (calls, grains, journal, admission, options.Value, clock, logger);
        _metrics = new CallEndingMetrics(meters, () => _waiting.Count);
    }

    /// <summary>Completes when the end is stored or given up. Never fails; nobody needs to wait for it.</summary>
    public Task StoreAsync(string callId, CallOutcome outcome)
    {
        var storing = StoreAsync(callId, outcome, _admission.Hold());
        _waiting.TryAdd(storing, true);
        _ = storing.ContinueWith(done => _waiting.TryRemove(done, out _), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        return storing;
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Goes on trying for <see cref="CallEndingOptions.ShutdownTimeout"/> at most.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        _abandon.CancelAfter(_options.ShutdownTimeout);
        await Task.WhenAll(_waiting.Keys).WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    public void Dispose()
    {
        _metrics.Dispose();
        _abandon.Dispose();
    }

    private async Task StoreAsync(string callId, CallOutcome outcome, IDisposable pass)
    {
        using (pass)
        {
            using var limit = new CancellationTokenSource(_options.Patience, _clock);
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, _abandon.Token);
            await FlushAsync(callId, patience.Token);
            await TellAsync(callId, outcome, patience.Token);
            _calls.Remove(callId, outcome.Generation ?? int.MaxValue);
        }
    }

    /// <summary>First: whoever reads that the call has ended finds all that was said in it.</summary>
    private async Task FlushAsync(string callId, CancellationToken patience)
    {
        try
        {
            await _journal.FlushAsync(callId, patience);
        }
        catch (OperationCanceledException)
        {
            LogFlushLate(callId);
        }
    }

    private async Task TellAsync(string callId, CallOutcome outcome, CancellationToken patience)
    {
        for (var (failures, backoff) = (0, new Backoff(_options.RetryDelay, _options.LongestRetryDelay)); ; failures++)
        {
            try
            {
                await _grains.GetGrain<ICallGrain>(callId).EndAsync(outcome);
                if (failures > 0) LogStored(callId, failures);
                return;
            }
            catch (PlatformException gone) when (gone.Code == ErrorCode.CallNotFound)
            {
                return;     // deleted meanwhile
            }
            catch (Exception failure)
            {
                _metrics.Failed();
                if (failures == 0) LogFailed(callId, failure);
            }
            await Task.Delay(backoff.Next(), _clock, patience).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (patience.IsCancellationRequested)
            {
                _metrics.Lost();
                LogLost(callId, outcome.Reason);
                return;
            }
        }
    }

    [LoggerMessage(1030, LogLevel.Warning, "The journal of call {CallId} was not stored in time; it is stored later")]
    private partial void LogFlushLate(string callId);

    [LoggerMessage(1031, LogLevel.Warning, "The end of call {CallId} could not be stored; it is tried again")]
    private partial void LogFailed(string callId, Exception exception);

    [LoggerMessage(1032, LogLevel.Information, "The end of call {CallId} is stored after {Failures} failed attempts")]
    private partial void LogStored(string callId, int failures);

    [LoggerMessage(1033, LogLevel.Error, "The end of call {CallId} was given up: that its reason was {Reason} is lost, and its grain ends it later")]
    private partial void LogLost(string callId, EndReason reason);
}
