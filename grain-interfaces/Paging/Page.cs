namespace VoiceGrains.GrainInterfaces.Paging;

/// <summary>Which part of a list is wanted.</summary>
/// <param name="Cursor">From an earlier page, opaque; null for the start.</param>
/// <param name="Size">Most results of the page.</param>
public sealed record PageRequest(string? Cursor, int Size)
{
    public const int DefaultSize = 10, MaxSize = 100;
}

/// <summary>A part of a list.</summary>
/// <param name="Next">Cursor of the results after these; null at the end.</param>
/// <param name="Previous">Cursor of the results before these; null at the start.</param>
/// <param name="Total">Results on all pages; null where it would take too long to count them.</param>
public sealed record Page<T>(IReadOnlyList<T> Results, string? Next, string? Previous, int? Total)
{
    public Page<TOther> Select<TOther>(Func<T, TOther> map) => new([.. Results.Select(map)], Next, Previous, Total);
}
