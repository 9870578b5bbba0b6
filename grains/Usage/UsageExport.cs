using System.Runtime.CompilerServices;
using Npgsql;
using NpgsqlTypes;
using VoiceGrains.Grains.Storage;

namespace VoiceGrains.Grains.Usage;

/// <summary>Usage of all accounts, or one, for who bills elsewhere: row by row, however many there are, with the figures of <see cref="UsageStore"/>.</summary>
public sealed class UsageExport(NpgsqlDataSource database)
{
    /// <summary>For the database to sort what it then gives row by row.</summary>
    private const int CommandSeconds = 600;

    private const string Range = "created >= $1 and created < $2 and ($3::text is null or account_id = $3)";

    /// <summary>Of one account after the other, oldest day first. Days (UTC, of creation) without calls are left out.</summary>
    /// <param name="range">Whose, and from when to when.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async IAsyncEnumerable<AccountDay> ReadDaysAsync(UsageRange range, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        const string from = $"select account_id, created, joined, ended, end_reason from calls where {Range} union all select account_id, created, joined, ended, end_reason from deleted_calls where {Range}";
        await using var row = await OpenAsync($"""
            select account_id, (select name from accounts a where a.account_id::text = calls.account_id), {UsageStore.Day} as day, {UsageStore.Statistics}
            from ({from}) calls group by account_id, day order by account_id, day
            """, range, cancellationToken);
        while (await row.ReadAsync(cancellationToken))
        {
            yield return new(row.GetString(0), row.IsDBNull(1) ? "" : row.GetString(1), row.GetFieldValue<DateOnly>(2), row.GetInt32(3), row.GetInt32(5), row.GetInt32(4),
                (double)row.GetDecimal(6), row.GetInt64(7) / UsageStore.UnitsPerMinute);
        }
    }

    /// <summary>Of one account after the other, oldest call first.</summary>
    /// <param name="range">Whose, and from when to when.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async IAsyncEnumerable<AccountCall> ReadCallsAsync(UsageRange range, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        const string columns = "account_id, call_id, agent_id, created, joined, ended, end_reason";
        await using var row = await OpenAsync($"""
            select {columns}, deleted, coalesce({UsageStore.Seconds}, 0),
                case when joined is null or ended is null or end_reason = 'system_error' then 0 else ceil({UsageStore.Seconds} / 6)::bigint end
            from (select {columns}, false as deleted from calls where {Range} union all select {columns}, true from deleted_calls where {Range}) calls
            order by account_id, created, call_id
            """, range, cancellationToken);
        while (await row.ReadAsync(cancellationToken))
        {
            yield return new(row.GetString(0), row.GetString(1), row.IsDBNull(2) ? null : row.GetString(2), row.GetFieldValue<DateTimeOffset>(3), row.InstantOrNull(4), row.InstantOrNull(5),
                row.IsDBNull(6) ? null : row.GetString(6), (double)row.GetDecimal(8), row.GetInt64(9) / UsageStore.UnitsPerMinute, row.GetBoolean(7));
        }
    }

    private async Task<NpgsqlDataReader> OpenAsync(string sql, UsageRange range, CancellationToken cancellationToken)
    {
        var connection = await database.OpenConnectionAsync(cancellationToken);
        try
        {
            await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = CommandSeconds };
            command.Parameters.Add(new() { Value = range.From.ToUniversalTime() });
            command.Parameters.Add(new() { Value = range.To.ToUniversalTime() });
            command.Parameters.Add(new() { Value = range.AccountId?.ToString() ?? (object)DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text });
            return await command.ExecuteReaderAsync(System.Data.CommandBehavior.CloseConnection, cancellationToken);
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }
}

/// <param name="From">Of the calls' creation, inclusive.</param>
/// <param name="To">Exclusive.</param>
/// <param name="AccountId">Null for all accounts.</param>
public readonly record struct UsageRange(DateTimeOffset From, DateTimeOffset To, Guid? AccountId);

/// <summary>What an account's calls of one day add up to.</summary>
public sealed record AccountDay(
    string AccountId, string AccountName, DateOnly Date, int Calls, int JoinedCalls, int FailedCalls, double DurationSeconds, double BilledMinutes);

/// <summary>One call, also of those that are deleted.</summary>
public sealed record AccountCall(
    string AccountId, string CallId, string? AgentId, DateTimeOffset Created, DateTimeOffset? Joined, DateTimeOffset? Ended, string? EndReason,
    double DurationSeconds, double BilledMinutes, bool Deleted);
