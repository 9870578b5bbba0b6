using Npgsql;
using VoiceGrains.GrainInterfaces.Paging;

namespace VoiceGrains.Grains.Paging;

/// <summary>A column that a list is sorted by. Never null, so that rows compare.</summary>
/// <param name="Name">As the client names it in <c>sort</c>.</param>
/// <param name="Sql">The expression.</param>
/// <param name="SqlType">Its type: cursors carry keys as text.</param>
public sealed record SortColumn(string Name, string Sql, string SqlType);

/// <summary>Reads lists page by page by the key of their sort order. The parts of SQL are the program's own, values are always parameters.</summary>
/// <param name="from">What stands after <c>from</c>.</param>
/// <param name="columns">What is selected, read by its position.</param>
/// <param name="id">Unique; decides between rows with equal sort keys.</param>
public sealed class KeysetQuery(string from, string columns, SortColumn id)
{
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
        var sort = (descending ? "-" : "") + column.Name;
        var cursor = page.Cursor is null ? null : PageCursor.Decode(page.Cursor, sort);
        var backwards = cursor?.Backwards ?? false;
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        var total = await CountAsync(connection, filter, cancellationToken);
        var rows = await RowsAsync(connection, filter, page.Size + 1, column, descending ^ backwards, cursor, read, cancellationToken);

        var more = rows.Count > page.Size;
        if (more) rows.RemoveAt(page.Size);
        if (backwards) rows.Reverse();
        if (rows.Count == 0) return new([], null, null, total);
        var hasNext = backwards || more;
        var hasPrevious = backwards ? more : cursor is not null;
        return new(
            [.. rows.Select(r => r.Value)],
            hasNext ? new PageCursor(sort, false, rows[^1].Key, rows[^1].Id).Encode() : null,
            hasPrevious ? new PageCursor(sort, true, rows[0].Key, rows[0].Id).Encode() : null,
            total);
    }

    private async Task<int> CountAsync(NpgsqlConnection connection, SqlFilter filter, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand($"select count(*)::int from {from} where {filter.Sql}", connection);
        filter.AddTo(command);
        return (int)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    private async Task<List<(string Key, string Id, T Value)>> RowsAsync<T>(
        NpgsqlConnection connection, SqlFilter filter, int limit, SortColumn column, bool descending, PageCursor? cursor, Func<NpgsqlDataReader, T> read,
        CancellationToken cancellationToken)
    {
        var order = descending ? "desc" : "asc";
        await using var command = new NpgsqlCommand { Connection = connection };
        filter.AddTo(command);
        var place = "";
        if (cursor is not null)
        {
            place = $"and ({column.Sql}, {id.Sql}) {(descending ? "<" : ">")} (${command.Parameters.Count + 1}::text::{column.SqlType}, ${command.Parameters.Count + 2}::text::{id.SqlType})";
            command.Parameters.Add(new() { Value = cursor.Key });
            command.Parameters.Add(new() { Value = cursor.Id });
        }
        command.CommandText =
            $"""
            select {columns}, ({column.Sql})::text as page_key, ({id.Sql})::text as page_id from {from}
            where {filter.Sql} {place} order by {column.Sql} {order}, {id.Sql} {order} limit {limit}
            """;
        var rows = new List<(string, string, T)>();
        try
        {
            await using var row = await command.ExecuteReaderAsync(cancellationToken);
            while (await row.ReadAsync(cancellationToken))
                rows.Add((row.GetString(row.FieldCount - 2), row.GetString(row.FieldCount - 1), read(row)));
        }
        catch (PostgresException e) when (cursor is not null && e.SqlState.StartsWith("22", StringComparison.Ordinal))   // data exception: a forged key
        {
            throw PageCursor.Invalid();
        }
        return rows;
    }
}

/// <summary>Conditions of a list. Each value is a parameter.</summary>
public sealed class SqlFilter
{
    private readonly List<string> conditions = [];
    private readonly List<object> values = [];

    /// <summary>Adds a condition in which <c>{0}</c>, <c>{1}</c>, ... stand for the values.</summary>
    public SqlFilter Where(string condition, params object[] given)
    {
        var names = new object[given.Length];
        for (var i = 0; i < given.Length; i++)
        {
            values.Add(given[i]);
            names[i] = $"${values.Count}";
        }
        conditions.Add("(" + string.Format(System.Globalization.CultureInfo.InvariantCulture, condition, names) + ")");
        return this;
    }

    /// <summary>Words that a person typed, as a pattern for <c>ilike</c> that finds them anywhere.</summary>
    public static string Contains(string words)
        => "%" + words.Replace(@"\", @"\\", StringComparison.Ordinal).Replace("%", @"\%", StringComparison.Ordinal).Replace("_", @"\_", StringComparison.Ordinal) + "%";

    internal string Sql => conditions.Count == 0 ? "true" : string.Join(" and ", conditions);

    internal void AddTo(NpgsqlCommand command)
    {
        foreach (var value in values) command.Parameters.Add(value as NpgsqlParameter is { } parameter ? parameter.Clone() : new() { Value = value });
    }
}
