using Microsoft.Extensions.Logging;
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
            while (!await TrySummarizeAsync(cancellationToken))
                await Task.Delay(services.SummaryOptions.RetryDelay * Math.Pow(2, state.State.SummaryAttempts - 1), clock, cancellationToken);
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
            var last = ++state.State.SummaryAttempts >= services.SummaryOptions.Attempts;
            if (last) WriteEvent(Severity.Warning, "summary_failed", failure.Message);
            await SettleAsync(last ? SummaryStatus.Failed : SummaryStatus.Pending, null);
            return last;
        }
    }

    private async Task SettleAsync(SummaryStatus status, CallSummary? summary)
    {
        await _changing.WaitAsync();
        try
        {
            if (!state.RecordExists) return;        // deleted meanwhile
            state.State.Summarize(status, summary?.Long, summary?.Short);
            await SaveAsync(state.WriteStateAsync);
        }
        finally
        {
            _changing.Release();
        }
        if (status == SummaryStatus.Pending) return;
        services.Metrics.Summarized(status);
        await FinishAsync();
    }

    [LoggerMessage(1010, LogLevel.Warning, "The summary of call {CallId} failed: {Reason}")]
    private partial void LogSummaryFailed(string callId, string reason);

    [LoggerMessage(1011, LogLevel.Warning, "The summary of call {CallId} could not be stored; it is tried again later")]
    private partial void LogSummaryNotStored(string callId, Exception exception);
}
