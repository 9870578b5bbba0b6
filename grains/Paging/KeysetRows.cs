using Npgsql;
using VoiceGrains.GrainInterfaces.Paging;

namespace VoiceGrains.Grains.Paging;

/// <summary>A row of a list and its place in it.</summary>
internal readonly record struct KeyedRow<T>(string Key, string Id, T Value);

/// <summary>Reads what <see cref="KeysetOrder"/> selects.</summary>
internal static class KeysetRows
{
    /// <summary>Runs queries of a page.</summary>
    /// <exception cref="GrainInterfaces.PlatformException">The database refused a key that came in a cursor: it was forged.</exception>
    public static async Task<T> ReadAsync<T>(KeysetOrder order, Func<Task<T>> read)
    {
        try
        {
            return await read();
        }
        catch (PostgresException e) when (order.HasCursor && e.SqlState.StartsWith("22", StringComparison.Ordinal))   // data exception
        {
            throw PageCursor.Invalid();
        }
    }

    /// <summary>The number in the only row.</summary>
    public static async Task<int> CountAsync(NpgsqlDataReader reader, CancellationToken cancellationToken)
    {
        await reader.ReadAsync(cancellationToken);
        return reader.GetInt32(0);
    }

    /// <summary>All rows; their last two columns are their places. Of what is beyond the page it is only told that it is there.</summary>
    public static async Task<List<KeyedRow<T>>> ListAsync<T>(KeysetOrder order, NpgsqlDataReader reader, Func<NpgsqlDataReader, T> read, CancellationToken cancellationToken)
    {
        var rows = new List<KeyedRow<T>>();
        while (await reader.ReadAsync(cancellationToken)) rows.Add(rows.Count < order.Size ? Row(reader, read) : new("", "", default!));
        return rows;
    }

    public static KeyedRow<T> Row<T>(NpgsqlDataReader row, Func<NpgsqlDataReader, T> read)
    {
        var (key, id) = (row.FieldCount - 2, row.FieldCount - 1);
        return new(row.IsDBNull(key) ? "" : row.GetString(key), row.GetString(id), read(row));
    }
}
