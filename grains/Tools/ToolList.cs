using System.Text.Json;
using Npgsql;
using VoiceGrains.GrainInterfaces;
using VoiceGrains.GrainInterfaces.Paging;
using VoiceGrains.GrainInterfaces.Tools;
using VoiceGrains.Grains.Paging;

namespace VoiceGrains.Grains.Tools;

/// <summary>Orders of a list of tools, as documented.</summary>
public enum ToolOrder : byte
{
    /// <summary>Newest first, own tools before the built-in ones.</summary>
    Default,
    /// <summary>Built-in tools by name, then own tools, newest first.</summary>
    Display,
    Alphabetic,
    ReverseAlphabetic,
    Chronologic,
    ReverseChronologic,
}

/// <summary>Own and built-in tools as one list of the database, so that pages, orders and searches span both.</summary>
internal static class ToolList
{
    private const string Ownership = "case when is_public then '0' else '1' end";

    private static readonly SortColumn ByName = new("name", "lower(name) collate \"C\"", "text");
    private static readonly SortColumn ByCreated = new("created", "created", "timestamptz");

    private static readonly SortColumn ByOwnershipAndCreated =
        new("default", $"({Ownership} || to_char(created at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')) collate \"C\"", "text");

    /// <summary>Time runs backwards among own tools: what is left of it until the year 2262, in microseconds.</summary>
    private static readonly SortColumn ForDisplay = new("display",
        $"({Ownership} || case when is_public then lower(name) else lpad((9223372036854775 - (extract(epoch from created) * 1000000)::bigint)::text, 17, '0') end) collate \"C\"",
        "text");

    private static readonly KeysetQuery Tools = new(
        $"(select tool_id, account_id, name, created, definition, false as is_public, version from tools union all values {string.Join(", ", BuiltInTool.All.Select(Row))}) as t",
        "tool_id, name, created, definition, is_public, version", new("id", "tool_id", "text"));

    public static Task<Page<Tool>> ReadAsync(NpgsqlDataSource database, SqlFilter filter, ToolOrder order, PageRequest page, CancellationToken cancellationToken)
    {
        var (column, descending) = order switch
        {
            ToolOrder.Alphabetic => (ByName, false),
            ToolOrder.ReverseAlphabetic => (ByName, true),
            ToolOrder.Chronologic => (ByCreated, false),
            ToolOrder.ReverseChronologic => (ByCreated, true),
            ToolOrder.Display => (ForDisplay, false),
            _ => (ByOwnershipAndCreated, true),
        };
        return Tools.ReadAsync(database, filter, page, column, descending, Read, cancellationToken);
    }

    /// <summary>Reads <c>tool_id, name, created, definition, is_public, version</c>.</summary>
    public static Tool Read(NpgsqlDataReader row) => new()
    {
        ToolId = row.GetString(0),
        Name = row.GetString(1),
        Created = row.GetFieldValue<DateTimeOffset>(2),
        Definition = JsonSerializer.Deserialize<BaseToolDefinition>(row.GetString(3), WireJson.Options)!,
        IsPublic = row.GetBoolean(4),
        Version = row.GetInt64(5),
    };

    /// <summary>The built-in tools are the program's own text.</summary>
    private static string Row(BuiltInTool tool)
        => $"({Quote(tool.ToolId)}, null, {Quote(tool.Name)}, {Quote($"{BuiltInTool.Created:O}")}::timestamptz, {Quote(ToolStore.ToJson(tool.Definition))}::json, true, 0)";

    private static string Quote(string text) => $"'{text.Replace("'", "''", StringComparison.Ordinal)}'";
}
