using System.Text.Json;
using Npgsql;
using VoiceGrains.GrainInterfaces.Paging;
using VoiceGrains.Grains.Paging;

namespace VoiceGrains.Grains.Calls;

/// <summary>
/// Pages of a million calls, <c>docs/adr/0005-lists-of-calls.md</c>. Few matches are collected first and sorted then; of many, the list's order is walked until
/// the page is full. Which it is, is counted rather than guessed: a planner that guesses wrong walks all calls of the account.
/// </summary>
/// <param name="table">With the columns that <see cref="CallFilter"/> asks for.</param>
/// <param name="columns">What is selected, read by its position.</param>
/// <param name="few">Most matches that are collected, and that are counted where day by day counts do not tell.</param>
internal sealed class CallListQuery(string table, string columns, int few = CallListQuery.Few)
{
    /// <inheritdoc cref="KeysetQuery.Few"/>
    public const int Few = KeysetQuery.Few;

    /// <summary>A planner that expects so many times too many is taken at its word: even to collect them in vain takes long.</summary>
    private const int MostEstimated = 5;

    private static readonly SortColumn Id = new("callId", "call_id", "text"), MatchId = new("callId", "page_id", "text");

    /// <param name="database">Where the calls are.</param>
    /// <param name="accountId">Whose.</param>
    /// <param name="filter">Which of them.</param>
    /// <param name="conditions">The same as conditions, but without the words that are looked for.</param>
    /// <param name="page">Which part.</param>
    /// <param name="read">Reads one row.</param>
    /// <param name="cancellationToken">Cancels the queries.</param>
    /// <exception cref="GrainInterfaces.PlatformException">The cursor is not one of this list.</exception>
    public Task<Page<T>> ReadAsync<T>(
        NpgsqlDataSource database, string accountId, CallFilter filter, Func<SqlFilter> conditions, PageRequest page, Func<NpgsqlDataReader, T> read,
        CancellationToken cancellationToken)
    {
        var column = SortBy(filter.Sort);
        var order = new KeysetOrder(column, filter.Descending, page);
        return KeysetRows.ReadAsync(order, async () =>
        {
            await using var connection = await database.OpenConnectionAsync(cancellationToken);
            var total = CallTotals.Of(table, accountId, filter);
            if (total is not null && IsRangeOfIndex(filter))
            {
                await using var both = new NpgsqlBatch(connection) { BatchCommands = { total, Walk(conditions(), order, column) } };
                if (IsUsual(filter, page)) await both.PrepareAsync(cancellationToken);
                await using var reader = await both.ExecuteReaderAsync(cancellationToken);
                var all = await KeysetRows.CountAsync(reader, cancellationToken);
                await reader.NextResultAsync(cancellationToken);
                return order.ToPage(await KeysetRows.ListAsync(order, reader, read, cancellationToken), all);
            }
            var counted = total is null ? (int?)null : await CountAsync(connection, total, cancellationToken);
            var areFew = counted is null ? await EstimateAsync(connection, AllConditions(), cancellationToken) <= MostEstimated * few : counted <= few;
            if (areFew && await CollectAsync(connection, conditions(), filter.Search, order, column, read, cancellationToken) is { } collected) return collected;
            return order.ToPage(await WalkAsync(connection, AllConditions(), order, column, read, cancellationToken), counted);
        });

        SqlFilter AllConditions()
        {
            var all = conditions();
            if (filter.Search is { } words) all.Where($"{CallStore.FoundByIndex} or {CallStore.FoundByMessages}", words);
            return all;
        }
    }

    /// <summary>Whether the calls in their order are a range of an index, so that however few there are none is read in vain.</summary>
    private static bool IsRangeOfIndex(CallFilter filter) => filter is
    {
        DurationMin: null, DurationMax: null, TimeOfDayStart: null, TimeOfDayEnd: null, Sort: CallSort.Created, AgentIds: null or { Count: 1 },
    };

    /// <summary>
    /// What is asked for all the time. To plan it, with all the indexes of calls, takes longer than to read it, so each connection plans it once; there is but one plan that
    /// a range of an index can have. Not all sizes and ranges: what a connection prepares it keeps.
    /// </summary>
    private static bool IsUsual(CallFilter filter, PageRequest page) => filter is { From: null, To: null } && page.Size == PageRequest.DefaultSize;

    /// <summary>Null when there are more than <c>few</c>.</summary>
    private async Task<Page<T>?> CollectAsync<T>(
        NpgsqlConnection connection, SqlFilter filter, string? words, KeysetOrder order, SortColumn column, Func<NpgsqlDataReader, T> read,
        CancellationToken cancellationToken)
    {
        // One by one: a condition with an "or" would look at the words of each call again that the index has found.
        string[] conditions = words is null ? [filter.Sql] : [$"{filter.Sql} and {filter.Text(CallStore.FoundByIndex, words)}", $"{filter.Sql} and {filter.Text(CallStore.FoundByMessages, words)}"];
        var matching = string.Join(" union all ", conditions.Select(condition => $"(select {Id.Sql} as page_id, {column.Sql} as page_key from {table} where {condition} limit {few + 1})"));
        var page = order.Select(filter, "matching", "true", "page_key", MatchId, "");
        await using var batch = new NpgsqlBatch(connection);
        // Until the end of this transaction, which is the batch: a table scan that hopes to meet enough matches soon may not meet any.
        batch.BatchCommands.Add(new("select set_config('enable_seqscan', 'off', true)"));
        batch.BatchCommands.Add(filter.ToCommand($"""
            with matching as materialized ({matching}),
            page as ({page})
            select {columns}, total, page_key::text as key_text, page_id::text as id_text
            from (select count(*)::integer as total from matching) counted left join page on true left join {table} on {Id.Sql} = page_id order by {order.OrderBy}
            """));
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        await reader.NextResultAsync(cancellationToken);
        var (total, rows) = (0, new List<KeyedRow<T>>());
        while (await reader.ReadAsync(cancellationToken))
        {
            total = reader.GetInt32(reader.FieldCount - 3);
            if (total > few) return null;
            if (!reader.IsDBNull(reader.FieldCount - 1)) rows.Add(KeysetRows.Row(reader, read));
        }
        return order.ToPage(rows, total);
    }

    private async Task<List<KeyedRow<T>>> WalkAsync<T>(
        NpgsqlConnection connection, SqlFilter filter, KeysetOrder order, SortColumn column, Func<NpgsqlDataReader, T> read, CancellationToken cancellationToken)
    {
        await using var batch = new NpgsqlBatch(connection) { BatchCommands = { Walk(filter, order, column) } };
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        return await KeysetRows.ListAsync(order, reader, read, cancellationToken);
    }

    private NpgsqlBatchCommand Walk(SqlFilter filter, KeysetOrder order, SortColumn column)
    {
        var page = order.Select(filter, table, filter.Sql, column.Sql, Id, columns + ",");
        return filter.ToCommand($"select page.*, page_key::text as key_text, page_id::text as id_text from ({page}) page order by {order.OrderBy}");
    }

    /// <summary>How many calls the planner expects.</summary>
    private async Task<double> EstimateAsync(NpgsqlConnection connection, SqlFilter filter, CancellationToken cancellationToken)
    {
        await using var batch = new NpgsqlBatch(connection) { BatchCommands = { filter.ToCommand($"explain (format json) select from {table} where {filter.Sql}") } };
        using var plan = JsonDocument.Parse((string)(await batch.ExecuteScalarAsync(cancellationToken))!);
        return plan.RootElement[0].GetProperty("Plan").GetProperty("Plan Rows").GetDouble();
    }

    private static async Task<int> CountAsync(NpgsqlConnection connection, NpgsqlBatchCommand total, CancellationToken cancellationToken)
    {
        await using var batch = new NpgsqlBatch(connection) { BatchCommands = { total } };
        return (int)(await batch.ExecuteScalarAsync(cancellationToken))!;
    }

    private static SortColumn SortBy(CallSort sort) => sort switch
    {
        CallSort.Created => new("created", "created", "timestamptz"),
        CallSort.Joined => new("joined", "joined", "timestamptz", IsNullable: true),
        CallSort.Ended => new("ended", "ended", "timestamptz", IsNullable: true),
        _ => new("duration", "duration", "interval", IsNullable: true),
    };
}
