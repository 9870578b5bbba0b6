using VoiceGrains.GrainInterfaces.Paging;

namespace VoiceGrains.Grains.Paging;

/// <summary>Pages of a list that is in memory, with the same cursors as lists in the database.</summary>
public static class KeysetList
{
    /// <param name="items">The list in any order.</param>
    /// <param name="sort">Names the order; cursors hold it.</param>
    /// <param name="key">What it is sorted by, compared ordinally; unique.</param>
    /// <param name="page">Which part.</param>
    /// <exception cref="GrainInterfaces.PlatformException">The cursor is not one of this list.</exception>
    public static Page<T> Page<T>(IEnumerable<T> items, string sort, Func<T, string> key, PageRequest page)
    {
        var sorted = items.Select(item => (Key: key(item), Item: item)).OrderBy(i => i.Key, StringComparer.Ordinal).ToList();
        var cursor = page.Cursor is null ? null : PageCursor.Decode(page.Cursor, sort);
        var backwards = cursor?.Backwards ?? false;
        var rest = cursor is null ? sorted
            : backwards ? sorted.FindAll(i => string.CompareOrdinal(i.Key, cursor.Key) < 0)
            : sorted.FindAll(i => string.CompareOrdinal(i.Key, cursor.Key) > 0);
        var part = backwards ? rest.TakeLast(page.Size).ToList() : rest.Take(page.Size).ToList();
        if (part.Count == 0) return new([], null, null, sorted.Count);
        var hasNext = backwards || rest.Count > part.Count;
        var hasPrevious = backwards ? rest.Count > part.Count : cursor is not null;
        return new(
            [.. part.Select(i => i.Item)],
            hasNext ? new PageCursor(sort, false, part[^1].Key, "").Encode() : null,
            hasPrevious ? new PageCursor(sort, true, part[0].Key, "").Encode() : null,
            sorted.Count);
    }
}
