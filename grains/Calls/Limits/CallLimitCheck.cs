using Npgsql;
using VoiceGrains.GrainInterfaces;
using VoiceGrains.GrainInterfaces.Calls;

namespace VoiceGrains.Grains.Calls.Limits;

/// <summary>
/// Counts what an account has against <see cref="CallLimits"/>, from the tables that calls are in: there is no counter that a crash could leave wrong. A call
/// counts as active from its creation until its end or, if nobody joins it, until its join timeout; a rate counts creations, those of deleted calls included.
/// </summary>
public sealed class CallLimitCheck(NpgsqlDataSource database, TimeProvider clock)
{
    /// <summary>When an active call ends, nobody knows. One that is never joined frees its place at its join timeout, which may be sooner.</summary>
    private static readonly TimeSpan ConcurrencyRetry = TimeSpan.FromSeconds(5);

    /// <summary>$2 is now.</summary>
    private const string Active = "ended is null and (joined is not null or join_deadline is null or join_deadline > $2)";

    /// <summary>Other numbers than the program's other locks. Two accounts that hash alike wait for each other, no more.</summary>
    private const string Lock = "select pg_advisory_xact_lock(hashtextextended($1, 4100))";

    private const string CountActive = $"select count(*)::integer, min(join_deadline) filter (where joined is null) from calls where account_id = $1 and {Active}";

    private const string CountAllActive = "select count(*)::integer from calls where ended is null and (joined is not null or join_deadline is null or join_deadline > $1)";

    /// <summary>The n-th newest creation in the window; while there is one, the window is full.</summary>
    private const string NthOfAccount = """
        select r.calls, r.seconds, null, (
            select created from (
                (select created from calls where account_id = $1 and created > $2 - make_interval(secs => r.seconds) order by created desc limit r.calls)
                union all
                (select created from deleted_calls where account_id = $1 and created > $2 - make_interval(secs => r.seconds) order by created desc limit r.calls)
            ) recent order by created desc offset r.calls - 1 limit 1)
        from unnest($3, $4) r(calls, seconds)
        """;

    private const string NthOfThrottle = """
        select r."maxCalls", r."windowSeconds", t.name, (
            select created from call_throttle_uses u where u.throttle_id = t.throttle_id and created > $2 - make_interval(secs => r."windowSeconds")
            order by created desc offset r."maxCalls" - 1 limit 1)
        from call_throttles t, jsonb_to_recordset(t.rules) r("maxCalls" integer, "windowSeconds" integer)
        where t.account_id = $1 and t.throttle_id = $3
        """;

    /// <summary>Calls of the account that are waiting for their client or talking.</summary>
    public async Task<int> CountActiveAsync(string accountId, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(CountActive);
        command.Parameters.Add(new() { Value = accountId });
        command.Parameters.Add(new() { Value = clock.GetUtcNow() });
        return (int)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    /// <summary>The same over all accounts.</summary>
    public async Task<int> CountActiveAsync(CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(CountAllActive);
        command.Parameters.Add(new() { Value = clock.GetUtcNow() });
        return (int)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    /// <summary>Refuses what would be refused anyway, before it costs more than this one query. Others may take the last place in the meantime.</summary>
    /// <exception cref="PlatformException">A limit is reached.</exception>
    public async Task RequireRoomAsync(string accountId, CallLimits limits, CancellationToken cancellationToken)
    {
        if (limits.IsNone) return;
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var batch = new NpgsqlBatch(connection);
        await CheckAsync(batch, accountId, limits, isFirst: true, cancellationToken);
    }

    /// <summary>
    /// Decides: creations of one account that have limits take turns from here to the end of the transaction, so that each counts all before it.
    /// </summary>
    /// <exception cref="PlatformException">A limit is reached.</exception>
    internal async Task RequireRoomAsync(
        NpgsqlConnection connection, NpgsqlTransaction transaction, string accountId, CallLimits limits, CancellationToken cancellationToken)
    {
        await using var batch = new NpgsqlBatch(connection, transaction);
        batch.BatchCommands.Add(new(Lock) { Parameters = { new() { Value = accountId } } });     // of its own: what follows must see what others committed
        await CheckAsync(batch, accountId, limits, isFirst: false, cancellationToken);
    }

    private async Task CheckAsync(NpgsqlBatch batch, string accountId, CallLimits limits, bool isFirst, CancellationToken cancellationToken)
    {
        var now = clock.GetUtcNow();
        if (limits.ConcurrentCalls is not null) Add(CountActive);
        if (limits.Rates.Count > 0) Add(NthOfAccount, limits.Rates.Select(rate => rate.MaxCalls).ToArray(), limits.Rates.Select(rate => rate.WindowSeconds).ToArray());
        if (limits.ThrottleId is { } throttle) Add(NthOfThrottle, throttle);

        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        if (!isFirst) await reader.NextResultAsync(cancellationToken);
        if (limits.ConcurrentCalls is { } most)
        {
            await RequirePlaceAsync(reader, most, now, cancellationToken);
            await reader.NextResultAsync(cancellationToken);
        }
        if (limits.Rates.Count > 0)
        {
            await RequireRatesAsync(reader, now, cancellationToken);
            await reader.NextResultAsync(cancellationToken);
        }
        if (limits.ThrottleId is not null) await RequireRatesAsync(reader, now, cancellationToken);

        void Add(string sql, params ReadOnlySpan<object> more)
        {
            var command = new NpgsqlBatchCommand(sql) { Parameters = { new() { Value = accountId }, new() { Value = now } } };
            foreach (var value in more) command.Parameters.Add(new() { Value = value });
            batch.BatchCommands.Add(command);
        }
    }

    private static async Task RequirePlaceAsync(NpgsqlDataReader reader, int most, DateTimeOffset now, CancellationToken cancellationToken)
    {
        await reader.ReadAsync(cancellationToken);
        if (reader.GetInt32(0) < most) return;
        var wait = reader.IsDBNull(1) ? ConcurrencyRetry : reader.GetFieldValue<DateTimeOffset>(1) - now;
        throw new PlatformException(ErrorCode.ConcurrencyLimit, $"The account may have {most} calls at once.")
        {
            RetryAfter = wait < ConcurrencyRetry ? wait : ConcurrencyRetry,
        };
    }

    /// <summary>Of several full windows the one that opens last is told.</summary>
    private static async Task RequireRatesAsync(NpgsqlDataReader reader, DateTimeOffset now, CancellationToken cancellationToken)
    {
        PlatformException? refusal = null;
        while (await reader.ReadAsync(cancellationToken))
        {
            if (reader.IsDBNull(3)) continue;
            var (calls, seconds) = (reader.GetInt32(0), reader.GetInt32(1));
            var wait = reader.GetFieldValue<DateTimeOffset>(3).AddSeconds(seconds) - now;
            if (refusal?.RetryAfter >= wait) continue;
            var allowed = $"{calls} {(calls == 1 ? "call" : "calls")} in {seconds} s";
            refusal = reader.IsDBNull(2)
                ? new(ErrorCode.CallRateLimit, $"The account's plan allows the creation of {allowed}.") { RetryAfter = wait }
                : new(ErrorCode.CallThrottled, $"The call throttle '{reader.GetString(2)}' allows the creation of {allowed}.") { RetryAfter = wait };
        }
        if (refusal is not null) throw refusal;
    }
}
