using VoiceGrains.GrainInterfaces.Paging;

namespace VoiceGrains.Grains.Paging;

/// <summary>A column that a list is sorted by.</summary>
/// <param name="Name">As the client names it in <c>sort</c>.</param>
/// <param name="Sql">The expression.</param>
/// <param name="SqlType">Its type: cursors carry keys as text.</param>
/// <param name="IsNullable">Rows without the value come after all others, whichever way the list is sorted.</param>
public sealed record SortColumn(string Name, string Sql, string SqlType, bool IsNullable = false);

/// <summary>The order of one page: where it begins and which way it is read. A page before a cursor is read backwards.</summary>
internal sealed class KeysetOrder
{
    private readonly SortColumn column;
    private readonly bool descending;
    private readonly PageRequest page;
    private readonly PageCursor? cursor;

    /// <exception cref="GrainInterfaces.PlatformException">The cursor is not one of this list.</exception>
    public KeysetOrder(SortColumn column, bool descending, PageRequest page)
    {
        (this.column, this.descending, this.page) = (column, descending, page);
        cursor = page.Cursor is null ? null : PageCursor.Decode(page.Cursor, Sort);
    }

    public bool HasCursor => cursor is not null;

    /// <summary>Rows on a page.</summary>
    public int Size => page.Size;

    /// <summary>One more than the page holds, which tells whether there are more.</summary>
    private int Limit => page.Size + 1;

    private string Sort => (descending ? "-" : "") + column.Name;

    private bool Backwards => cursor?.Backwards ?? false;

    private string Direction => descending ^ Backwards ? "desc" : "asc";

    /// <summary>How <see cref="Select"/>'s rows are sorted, for a query around it.</summary>
    public string OrderBy => $"part, page_key {Direction}, page_id {Direction}";

    /// <summary>
    /// Selects at most one row more than the page holds: the columns, then <c>part</c>, <c>page_key</c>, <c>page_id</c>. Rows without the value are a part of their
    /// own, so that each part is a range of an index over the plain column.
    /// </summary>
    /// <param name="values">Takes the cursor.</param>
    /// <param name="from">What stands after <c>from</c>.</param>
    /// <param name="where">Which rows belong to the list.</param>
    /// <param name="sort">The column in <paramref name="from"/>.</param>
    /// <param name="id">Unique; decides between rows with equal keys.</param>
    /// <param name="columns">With a comma behind, or empty.</param>
    public string Select(SqlFilter values, string from, string where, string sort, SortColumn id, string columns)
    {
        if (!column.IsNullable) return Part(0, cursor is null ? "true" : Beyond($"({sort}, {id.Sql})", $"({Key()}, {Id()})"));
        var isNull = $"{sort} is null";
        var withValue = $"{sort} is not null";
        if (cursor is null) return Both(withValue, isNull);
        if (cursor.Key.Length == 0)
        {
            var others = $"{isNull} and {Beyond(id.Sql, Id())}";
            return Backwards ? Both(others, withValue) : Part(0, others);
        }
        var rest = Beyond($"({sort}, {id.Sql})", $"({Key()}, {Id()})");
        return Backwards ? Part(0, rest) : Both(rest, isNull);

        string Both(string first, string second) => $"select * from (({Part(0, first)}) union all ({Part(1, second)})) parts order by {OrderBy} limit {Limit}";
        string Part(int part, string condition) =>
            $"""
            select {columns} {part} as part, {sort} as page_key, {id.Sql} as page_id from {from}
            where {where} and {condition} order by {sort} {Direction}, {id.Sql} {Direction} limit {Limit}
            """;
        string Beyond(string row, string place) => $"{row} {(Direction == "desc" ? "<" : ">")} {place}";
        string Key() => values.Text($"{{0}}::text::{column.SqlType}", cursor!.Key);
        string Id() => values.Text($"{{0}}::text::{id.SqlType}", cursor!.Id);
    }

    /// <param name="rows">As <see cref="Select"/> gave them, keys as text; the key of a row without the value is empty, and what is beyond the page need have no value.</param>
    /// <param name="total">Rows on all pages.</param>
    public Page<T> ToPage<T>(List<KeyedRow<T>> rows, int? total)
    {
        var more = rows.Count > page.Size;
        if (more) rows.RemoveAt(page.Size);
        if (Backwards) rows.Reverse();
        if (rows.Count == 0) return new([], null, null, total);
        var hasNext = Backwards || more;
        var hasPrevious = Backwards ? more : cursor is not null;
        return new(
            [.. rows.Select(row => row.Value)],
            hasNext ? new PageCursor(Sort, false, rows[^1].Key, rows[^1].Id).Encode() : null,
            hasPrevious ? new PageCursor(Sort, true, rows[0].Key, rows[0].Id).Encode() : null,
            total);
    }
}

