using System.Buffers.Text;
using System.Text.Json;

namespace VoiceGrains.GrainInterfaces.Paging;

/// <summary>
/// A place in a sorted list: between two rows, told by the sort key and id of one of them. Rows that are added or removed elsewhere
/// neither repeat nor hide others, as they would with page numbers.
/// </summary>
/// <param name="Sort">The order it belongs to, as the client names it. Another order refuses it.</param>
/// <param name="Backwards">Whether the rows before the place are wanted, or those after it.</param>
/// <param name="Key">Sort key of the row next to the place, as text.</param>
/// <param name="Id">Id of that row, as text.</param>
public sealed record PageCursor(string Sort, bool Backwards, string Key, string Id)
{
    private const int MaxLength = 2_000;

    public string Encode() => Base64Url.EncodeToString(JsonSerializer.SerializeToUtf8Bytes(new[] { Sort, Backwards ? "b" : "f", Key, Id }));

    /// <exception cref="PlatformException">For text that is no cursor of this order: 404, as Django REST framework answers.</exception>
    public static PageCursor Decode(string text, string sort)
    {
        try
        {
            if (text.Length <= MaxLength && JsonSerializer.Deserialize<string[]>(Base64Url.DecodeFromChars(text)) is [var given, "f" or "b", { } key, { } id] parts
                && given == sort && !key.Contains('\0') && !id.Contains('\0'))
                return new(sort, parts[1] == "b", key, id);
        }
        catch (Exception e) when (e is FormatException or JsonException)
        {
            // told below
        }
        throw Invalid();
    }

    public static PlatformException Invalid() => new(ErrorCode.NotFound, "Invalid cursor");
}
