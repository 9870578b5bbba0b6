using Microsoft.Extensions.Logging;
using Npgsql;
using VoiceGrains.GrainInterfaces.Calls;

namespace VoiceGrains.Grains.Calls;

/// <summary>The summary that an ended call owes: written beside requests, tried again after failures and restarts.</summary>
internal sealed partial class CallGrain
{
    private void StartSummary()
    {
        if (state.State.SummaryStatus == SummaryStatus.Pending && _summary.IsCompleted) _summary = SummarizeAsync(_deactivating.Token);
    }

    private async Task SummarizeAsync(CancellationToken cancellationToken)
    {
        try
        {
            var summarizing = TryUntilSettledAsync(cancellationToken);
            await summarizing.WaitAsync(services.SummaryOptions.Budget, clock, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
            if (!summarizing.IsCompleted) await StandInAsync(cancellationToken);
            await summarizing;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The next activation goes on.
        }
        catch (Exception failure)
        {
            LogSummaryNotStored(CallId, failure);
        }
    }

    private async Task TryUntilSettledAsync(CancellationToken cancellationToken)
    {
        while (!await TrySummarizeAsync(cancellationToken))
            await Task.Delay(services.SummaryOptions.RetryDelay * Math.Pow(2, state.State.SummaryAttempts - 1), clock, cancellationToken);
    }

    /// <summary>The end is told now: with words from the transcript in place of the model's, which are still waited for.</summary>
    private async Task StandInAsync(CancellationToken cancellationToken)
    {
        try
        {
            var summary = await services.Summarizer.StandInAsync(CallId, cancellationToken);
            await SettleAsync(SummaryStatus.Pending, summary);
        }
        catch (NpgsqlException failure)
        {
            LogSummaryNotStored(CallId, failure);       // the end is told all the same, a little later
        }
    }

    /// <summary>True when nothing is left to do.</summary>
    private async Task<bool> TrySummarizeAsync(CancellationToken cancellationToken)
    {
        try
        {
            var summary = await services.Summarizer.SummarizeAsync(CallId, state.State.Stages[^1].Model, cancellationToken);
            await SettleAsync(SummaryStatus.Done, summary);
            return true;
        }
        catch (Exception failure) when (failure is Providers.ProviderException or TimeoutException)
        {
            LogSummaryFailed(CallId, failure.Message);
            var last = state.State.SummaryAttempts + 1 >= services.SummaryOptions.Attempts;
            if (!await ChangePendingAsync(() => state.State.SummaryAttempts++)) return true;
            if (last) WriteEvent(Severity.Warning, "summary_failed", failure.Message);
            if (last) await SettleAsync(SummaryStatus.Failed, await services.Summarizer.StandInAsync(CallId, cancellationToken));
            return last;
        }
    }

    private async Task SettleAsync(SummaryStatus status, CallSummary? summary)
    {
        if (!await ChangePendingAsync(() => state.State.Summarize(status, summary?.Long, summary?.Short)) || status == SummaryStatus.Pending) return;
        services.Metrics.Summarized(status);
        await FinishAsync();
    }

    /// <summary>False when the call was deleted, or its summary settled, meanwhile.</summary>
    private async Task<bool> ChangePendingAsync(Action change)
    {
        await _changing.WaitAsync();
        try
        {
            if (!state.RecordExists || state.State.SummaryStatus != SummaryStatus.Pending) return false;
            change();
            await SaveAsync(state.WriteStateAsync);
            return true;
        }
        finally
        {
            _changing.Release();
        }
    }

    [LoggerMessage(1010, LogLevel.Warning, "The summary of call {CallId} failed: {Reason}")]
    private partial void LogSummaryFailed(string callId, string reason);

    [LoggerMessage(1011, LogLevel.Warning, "The summary of call {CallId} could not be stored; it is tried again later")]
    private partial void LogSummaryNotStored(string callId, Exception exception);
}
