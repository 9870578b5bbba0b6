using Npgsql;

namespace VoiceGrains.Grains.Storage;

/// <summary>Reads columns that may be null.</summary>
internal static class RowExtensions
{
    /// <summary>A <c>timestamptz</c>; null for null.</summary>
    public static DateTimeOffset? InstantOrNull(this NpgsqlDataReader row, int column) => row.IsDBNull(column) ? null : row.GetFieldValue<DateTimeOffset>(column);
}
