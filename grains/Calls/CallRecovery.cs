using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using Orleans;
using VoiceGrains.GrainInterfaces.Calls;

namespace VoiceGrains.Grains.Calls;

/// <summary>
/// Wakes the calls that were unfinished when the last process ended, so that they end at once and not when their reminder comes: each grain does what
/// is left when it activates.
/// </summary>
internal sealed partial class CallRecovery(NpgsqlDataSource database, IGrainFactory grains, ILogger<CallRecovery> logger) : BackgroundService
{
    private const int AtOnce = 16;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            var unfinished = await UnfinishedAsync(stoppingToken);
            if (unfinished.Count == 0) return;
            LogResuming(unfinished.Count);
            await Parallel.ForEachAsync(unfinished, new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = stoppingToken }, ResumeAsync);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
        catch (Exception failure)
        {
            LogFailed(failure);         // the reminders come later
        }
    }

    private async ValueTask ResumeAsync(string callId, CancellationToken cancellationToken)
    {
        try
        {
            await grains.GetGrain<ICallGrain>(callId).GetAsync();
        }
        catch (Exception failure)
        {
            LogNotResumed(callId, failure);
        }
    }

    private async Task<List<string>> UnfinishedAsync(CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand("select call_id from calls where ended is null or summary_pending order by created");
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var callIds = new List<string>();
        while (await reader.ReadAsync(cancellationToken)) callIds.Add(reader.GetString(0));
        return callIds;
    }

    [LoggerMessage(1020, LogLevel.Information, "{Count} calls were unfinished when the server stopped; they are taken up")]
    private partial void LogResuming(int count);

    [LoggerMessage(1021, LogLevel.Warning, "Call {CallId} could not be taken up; its reminder tries again")]
    private partial void LogNotResumed(string callId, Exception exception);

    [LoggerMessage(1022, LogLevel.Warning, "Unfinished calls could not be looked up; their reminders take them up later")]
    private partial void LogFailed(Exception exception);
}
