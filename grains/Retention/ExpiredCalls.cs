using Microsoft.Extensions.Options;
using Npgsql;
using NpgsqlTypes;

namespace VoiceGrains.Grains.Retention;

/// <summary>Finds calls whose time is over, by the terms of their accounts, and shares them out among the silos.</summary>
internal sealed class ExpiredCalls(NpgsqlDataSource database, IOptions<RetentionOptions> options, TimeProvider clock)
{
    /// <summary>
    /// Time is up by both clocks, this server's and the database's: one that runs ahead deletes nothing too early. The index
    /// <c>calls_expiring</c> finds an account's oldest calls at once, however many there are.
    /// </summary>
    private const string Claim = """
        with terms as (
            select account_id::text as account_id, least(@now, now()) - make_interval(days => coalesce(retention_days, @days)) as ended_before
            from accounts where coalesce(retention_days, @days) > 0
        ), due as (
            select oldest.call_id, terms.ended_before from terms cross join lateral (
                select call_id, ended from calls
                where calls.account_id = terms.account_id and ended is not null and ended < terms.ended_before and not summary_pending
                    and document->'settings'->>'retentionPolicy' is distinct from 'retain'
                    and not exists (select from call_expirations taken where taken.call_id = calls.call_id and taken.lease_until > @now)
                order by ended limit @most) oldest
            order by oldest.ended limit @most
        ), claimed as (
            insert into call_expirations as known (call_id, lease_until) select call_id, @now + @lease from due order by call_id
            on conflict (call_id) do update set attempts = known.attempts + 1, lease_until = @now + @lease * least(known.attempts + 1, 12)
                where known.lease_until <= @now
            returning call_id
        )
        select call_id, ended_before from due join claimed using (call_id)
        """;

    /// <summary>Takes the longest expired calls, for <see cref="RetentionOptions.Lease"/>.</summary>
    public async Task<IReadOnlyList<ExpiredCall>> ClaimAsync(CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(Claim);
        Add(command, "now", clock.GetUtcNow(), NpgsqlDbType.TimestampTz);
        Add(command, "days", options.Value.Days, NpgsqlDbType.Integer);
        Add(command, "most", options.Value.BatchSize, NpgsqlDbType.Integer);
        Add(command, "lease", options.Value.Lease, NpgsqlDbType.Interval);
        var claimed = new List<ExpiredCall>();
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        while (await row.ReadAsync(cancellationToken)) claimed.Add(new(row.GetString(0), row.GetFieldValue<DateTimeOffset>(1)));
        return claimed;
    }

    private static void Add(NpgsqlCommand command, string name, object value, NpgsqlDbType type)
        => command.Parameters.Add(new NpgsqlParameter(name, type) { Value = value });
}

/// <param name="EndedBefore">Until when a call of its account must have ended to be over its time.</param>
internal readonly record struct ExpiredCall(string CallId, DateTimeOffset EndedBefore);
