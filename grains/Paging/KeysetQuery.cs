using Npgsql;
using VoiceGrains.GrainInterfaces.Paging;

namespace VoiceGrains.Grains.Paging;

/// <summary>Reads lists page by page by the key of their sort order. The parts of SQL are the program's own, values are always parameters.</summary>
/// <param name="from">What stands after <c>from</c>.</param>
/// <param name="columns">What is selected, read by its position.</param>
/// <param name="id">Unique; decides between rows with equal sort keys.</param>
/// <param name="mostCounted">Counting stops here: a list of more rows has no total. Null counts all.</param>
public sealed class KeysetQuery(string from, string columns, SortColumn id, int? mostCounted = null)
{
    /// <summary>As many rows as are counted, or collected, in 20 ms or so.</summary>
    public const int Few = 20_000;

    /// <param name="database">Where the list is.</param>
    /// <param name="filter">Which rows belong to it.</param>
    /// <param name="page">Which part is wanted.</param>
    /// <param name="column">What it is sorted by.</param>
    /// <param name="descending">Which way.</param>
    /// <param name="read">Reads one row.</param>
    /// <param name="cancellationToken">Cancels the queries.</param>
    /// <exception cref="GrainInterfaces.PlatformException">The cursor is not one of this list.</exception>
    public async Task<Page<T>> ReadAsync<T>(
        NpgsqlDataSource database, SqlFilter filter, PageRequest page, SortColumn column, bool descending, Func<NpgsqlDataReader, T> read,
        CancellationToken cancellationToken)
    {
        var order = new KeysetOrder(column, descending, page);
        await using var batch = database.CreateBatch();
        batch.BatchCommands.Add(filter.ToCommand(CountSql(filter)));
        batch.BatchCommands.Add(RowsCommand(filter, order, column));
        return await KeysetRows.ReadAsync(order, async () =>
        {
            await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
            var total = await KeysetRows.CountAsync(reader, cancellationToken);
            await reader.NextResultAsync(cancellationToken);
            return order.ToPage(await KeysetRows.ListAsync(order, reader, read, cancellationToken), total > mostCounted ? null : total);
        });
    }

    /// <summary>The one row that the filter lets through; null without one.</summary>
    public async Task<T?> FindAsync<T>(NpgsqlDataSource database, SqlFilter filter, Func<NpgsqlDataReader, T> read, CancellationToken cancellationToken) where T : class
    {
        await using var command = database.CreateCommand($"select {columns} from {from} where {filter.Sql}");
        filter.AddTo(command);
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        return await row.ReadAsync(cancellationToken) ? read(row) : null;
    }

    private string CountSql(SqlFilter filter) => mostCounted is null
        ? $"select count(*)::integer from {from} where {filter.Sql}"
        : $"select count(*)::integer from (select from {from} where {filter.Sql} limit {mostCounted + 1}) counted";

    /// <summary>Adds the cursor to the filter's values, so it comes after what needs them alone.</summary>
    private NpgsqlBatchCommand RowsCommand(SqlFilter filter, KeysetOrder order, SortColumn column)
        => filter.ToCommand($"select page.*, page_key::text as key_text, page_id::text as id_text from ({order.Select(filter, from, filter.Sql, column.Sql, id, columns + ",")}) page order by {order.OrderBy}");
}
