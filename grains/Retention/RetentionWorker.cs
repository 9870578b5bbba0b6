using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans;
using VoiceGrains.GrainInterfaces;
using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.Grains.Calls;

namespace VoiceGrains.Grains.Retention;

/// <summary>
/// Deletes calls whose time is over and recordings that deleted calls left, one worker in each silo. It only proposes: a call's grain looks for itself whether
/// the call has ended and for how long. A database that is away makes it wait.
/// </summary>
internal sealed partial class RetentionWorker(
    ExpiredCalls expired, RecordingRemovals recordings, IGrainFactory grains, RetentionMetrics metrics, IOptions<RetentionOptions> options, TimeProvider clock,
    ILogger<RetentionWorker> logger) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(options.Value.Interval, clock);
        try
        {
            for (var failed = false; await timer.WaitForNextTickAsync(stoppingToken);)
            {
                try
                {
                    await RunAsync(stoppingToken);
                    failed = false;
                }
                catch (Exception failure) when (!stoppingToken.IsCancellationRequested)
                {
                    if (!failed) LogAway(failure);
                    failed = true;
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
    }

    /// <summary>Deletes batch by batch what is due and free now.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (await RemoveRecordingsAsync(cancellationToken) >= options.Value.BatchSize)
        {
        }
        while (await ExpireBatchAsync(cancellationToken) >= options.Value.BatchSize)
        {
        }
    }

    private async Task<int> RemoveRecordingsAsync(CancellationToken cancellationToken)
    {
        var (removed, failed) = await recordings.RemoveDueAsync(options.Value.BatchSize, cancellationToken);
        if (removed > 0) metrics.RemovedRecordings(removed);
        if (failed > 0) metrics.Failed(failed);
        return removed + failed;
    }

    /// <summary>How many it took, deleted or not.</summary>
    private async Task<int> ExpireBatchAsync(CancellationToken cancellationToken)
    {
        var batch = await expired.ClaimAsync(cancellationToken);
        if (batch.Count == 0) return 0;
        var deleted = 0;
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = options.Value.Concurrency, CancellationToken = cancellationToken };
        await Parallel.ForEachAsync(batch, parallel, async (call, token) =>
        {
            if (await TryExpireAsync(call, token)) Interlocked.Increment(ref deleted);
        });
        LogExpired(deleted, batch.Count);
        return batch.Count;
    }

    private async Task<bool> TryExpireAsync(ExpiredCall call, CancellationToken cancellationToken)
    {
        try
        {
            if (!await grains.GetGrain<ICallGrain>(call.CallId).ExpireAsync(call.EndedBefore).WaitAsync(cancellationToken)) return false;
            metrics.Expired();
            return true;
        }
        catch (PlatformException gone) when (gone.Code == ErrorCode.CallNotFound)
        {
            return false;       // somebody else deleted it
        }
        catch (Exception failure) when (!cancellationToken.IsCancellationRequested)
        {
            metrics.Failed();
            LogNotExpired(call.CallId, failure);
            return false;
        }
    }

    [LoggerMessage(1801, LogLevel.Information, "{Deleted} of {Count} calls whose time was over were deleted")]
    private partial void LogExpired(int deleted, int count);

    [LoggerMessage(1802, LogLevel.Warning, "Call {CallId} could not be deleted although its time is over; this is tried again")]
    private partial void LogNotExpired(string callId, Exception exception);

    [LoggerMessage(1803, LogLevel.Warning, "Calls whose time is over could not be looked up; this is tried again")]
    private partial void LogAway(Exception exception);
}
