using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;
using Orleans;
using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.GrainRuntime.Cluster;

namespace VoiceGrains.Grains.Calls;

/// <summary>
/// Says that this process, and so its conversations, live: a lease in the database, by the database's clock. It is not the silo's membership: a silo that
/// lost its broker gives up its grains, but its callers talk on. Also keeps each conversation's grain beside it, and ends conversations that others took over.
/// </summary>
internal sealed partial class ConversationHost(
    NpgsqlDataSource database, LiveCalls calls, IGrainFactory grains, IOptions<ClusterOptions> cluster, TimeProvider clock, ILogger<ConversationHost> logger) : BackgroundService
{
    private const int HoldAtOnce = 16;

    /// <summary>Rounds of <see cref="RenewPeriod"/> between two looks at the calls' grains.</summary>
    private const int HoldEvery = 2;
    private static readonly TimeSpan RenewPeriod = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan HoldTimeout = TimeSpan.FromSeconds(5);

    private const string Renew = """
        insert into conversation_hosts (host, expires) values ($1, now() + interval '6 s')
        on conflict (host) do update set expires = excluded.expires
        """;

    /// <summary>Of this process, and no other one ever.</summary>
    public string Id { get; } = Guid.NewGuid().ToString("N");

    /// <summary>Whether there is no other process: then whatever ran elsewhere ran in an earlier life of this one.</summary>
    public bool IsAlone => cluster.Value.IsAlone;

    /// <summary>Whether a host has a lease. One look proves no death: after an outage of the database every lease is over for a moment.</summary>
    public async Task<bool> IsAliveAsync(string? host, CancellationToken cancellationToken)
    {
        if (host is null || IsAlone) return false;
        await using var command = database.CreateCommand("select exists (select from conversation_hosts where host = $1 and expires > now())");
        command.Parameters.Add(new() { Value = host });
        return (bool)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        if (calls.Count > 0) return;        // their last words are still being stored: the lease runs out by itself
        try
        {
            await ExecuteAsync("delete from conversation_hosts where host = $1", cancellationToken);
        }
        catch (Exception)
        {
            // As above.
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var failed = false;
        using var timer = new PeriodicTimer(RenewPeriod, clock);
        try
        {
            for (var round = 0; ; round++)
            {
                failed = await RenewAsync(failed, stoppingToken);
                if (round % HoldEvery == 0) await HoldAsync(stoppingToken);
                await timer.WaitForNextTickAsync(stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
    }

    /// <summary>Whether it failed; the first failure of a row is logged.</summary>
    private async Task<bool> RenewAsync(bool failedBefore, CancellationToken cancellationToken)
    {
        try
        {
            await ExecuteAsync(Renew, cancellationToken);
            return false;
        }
        catch (Exception failure) when (failure is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            if (!failedBefore) LogNotRenewed(failure);
            return true;
        }
    }

    private Task HoldAsync(CancellationToken cancellationToken)
        => Parallel.ForEachAsync(calls.Snapshot(), new ParallelOptions { MaxDegreeOfParallelism = HoldAtOnce, CancellationToken = cancellationToken }, HoldAsync);

    private async ValueTask HoldAsync(ILiveCall call, CancellationToken cancellationToken)
    {
        if (call.IsOver) return;
        try
        {
            if (await grains.GetGrain<ICallGrain>(call.Run.CallId).HoldAsync(call.Run.Generation, Id).WaitAsync(HoldTimeout, clock, cancellationToken)) return;
            LogSuperseded(call.Run.CallId);
            await call.EndAsync(EndReason.ConnectionError, cancellationToken);
        }
        catch (Exception failure) when (!cancellationToken.IsCancellationRequested)
        {
            LogNotHeld(call.Run.CallId, failure);       // the broker or the database is away, or the call has just ended
        }
    }

    private async Task ExecuteAsync(string sql, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(sql);
        command.CommandTimeout = (int)RenewPeriod.TotalSeconds;
        command.Parameters.Add(new() { Value = Id });
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    [LoggerMessage(1040, LogLevel.Warning, "The lease of this process's conversations could not be renewed; they go on")]
    private partial void LogNotRenewed(Exception exception);

    [LoggerMessage(1041, LogLevel.Warning, "Call {CallId} ended, or went on elsewhere, while this process was not heard of: its conversation here ends")]
    private partial void LogSuperseded(string callId);

    [LoggerMessage(1042, LogLevel.Debug, "The grain of call {CallId} could not be reached")]
    private partial void LogNotHeld(string callId, Exception exception);
}
