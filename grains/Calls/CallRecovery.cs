using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using Orleans;
using VoiceGrains.GrainInterfaces.Calls;

namespace VoiceGrains.Grains.Calls;

/// <summary>
/// Wakes the grains of calls that need it: at the start those that were unfinished when the last process ended, then, every few seconds, those whose
/// conversation's process is gone. Of all silos one looks at a time. Each grain does what is due.
/// </summary>
internal sealed partial class CallRecovery(NpgsqlDataSource database, IGrainFactory grains, TimeProvider clock, ILogger<CallRecovery> logger) : BackgroundService
{
    private const int AtOnce = 16;
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(3);

    /// <summary>Any number, the same in every silo.</summary>
    private const string Lock = "select pg_try_advisory_xact_lock(7302119433)";
    private const string Forget = "delete from conversation_hosts where expires < now() - interval '1 hour'";
    private const string Unfinished = "select call_id from calls where ended is null or summary_pending order by created";

    private const string Lost = """
        select call_id from calls left join conversation_hosts using (host)
        where ended is null and joined is not null and (expires is null or expires < now())
        """;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Period, clock);
        try
        {
            for (var (query, failed) = (Unfinished, false); ;)
            {
                try
                {
                    if (await LookAsync(query, stoppingToken)) query = Lost;
                    failed = false;
                }
                catch (Exception failure) when (!stoppingToken.IsCancellationRequested)
                {
                    if (!failed) LogFailed(failure);        // the next round, or the reminders, come later
                    failed = true;
                }
                await timer.WaitForNextTickAsync(stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
    }

    /// <summary>False when another silo is looking.</summary>
    private async Task<bool> LookAsync(string query, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await using var command = new NpgsqlCommand(Lock, connection, transaction);
        if (await command.ExecuteScalarAsync(cancellationToken) is not true) return false;
        command.CommandText = Forget;
        await command.ExecuteNonQueryAsync(cancellationToken);
        command.CommandText = query;
        var callIds = new List<string>();
        await using (var reader = await command.ExecuteReaderAsync(cancellationToken))
        {
            while (await reader.ReadAsync(cancellationToken)) callIds.Add(reader.GetString(0));
        }
        await transaction.CommitAsync(cancellationToken);
        if (callIds.Count == 0) return true;
        LogTakingUp(callIds.Count);
        await Parallel.ForEachAsync(callIds, new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancellationToken }, TakeUpAsync);
        return true;
    }

    private async ValueTask TakeUpAsync(string callId, CancellationToken cancellationToken)
    {
        try
        {
            await grains.GetGrain<ICallGrain>(callId).TakeUpAsync().WaitAsync(cancellationToken);
        }
        catch (Exception failure) when (!cancellationToken.IsCancellationRequested)
        {
            LogNotTakenUp(callId, failure);
        }
    }

    [LoggerMessage(1020, LogLevel.Debug, "{Count} calls are unfinished or have lost their conversation; they are taken up")]
    private partial void LogTakingUp(int count);

    [LoggerMessage(1021, LogLevel.Warning, "Call {CallId} could not be taken up; it is tried again")]
    private partial void LogNotTakenUp(string callId, Exception exception);

    [LoggerMessage(1022, LogLevel.Warning, "Calls that lost their conversation could not be looked up; this is tried again")]
    private partial void LogFailed(Exception exception);
}
