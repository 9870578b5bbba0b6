using Npgsql;
using NpgsqlTypes;
using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.GrainInterfaces.Paging;
using VoiceGrains.Grains.Paging;
using VoiceGrains.Grains.Secrets;

namespace VoiceGrains.Grains.Tools;

/// <summary>
/// Which calls have used a tool. One row per call and tool is written together with the message of the first use, so the list is an index scan however many
/// calls there are; how often the tool failed is counted for the calls of a page only.
/// </summary>
public sealed class ToolHistory(NpgsqlDataSource database, SealedJson json)
{
    /// <summary>Messages know a tool by the name that its call gave it; the stage knows which tool that is.</summary>
    private const string StoreUses = """
        insert into tool_calls (tool_id, call_id, account_id, created)
        select distinct tool->>'toolId', calls.call_id, calls.account_id, calls.created
        from unnest(@calls, @generations, @stages, @names) as used(call_id, generation, stage_id, name)
            join calls using (call_id, generation) join call_stages using (call_id, stage_id)
            cross join jsonb_array_elements(call_stages.document->'tools') as tool
        where tool->>'name' = used.name and tool->>'toolId' is not null
        on conflict (call_id, tool_id) do nothing
        """;

    private const string Errors = """
        (select count(*)::integer from call_messages m join call_stages s using (call_id, stage_id)
         where m.call_id = t.call_id and not m.initial and m.document->>'role' = 'MESSAGE_ROLE_TOOL_RESULT' and m.document->>'errorDetails' is not null
            and exists (select from jsonb_array_elements(s.document->'tools') as u where u->>'toolId' = t.tool_id and u->>'name' = m.document->>'toolName'))
        """;

    private static readonly KeysetQuery Uses = new("tool_calls t join calls c using (call_id)", $"c.document, {Errors}", new("callId", "t.call_id", "text"), KeysetQuery.Few);

    /// <summary>Newest calls first.</summary>
    /// <param name="accountId">Whose calls.</param>
    /// <param name="toolId">An own or a built-in tool.</param>
    /// <param name="page">Which part.</param>
    /// <param name="cancellationToken">Cancels the query.</param>
    public Task<Page<ToolUsage>> ListAsync(string accountId, string toolId, PageRequest page, CancellationToken cancellationToken)
        => Uses.ReadAsync(database, new SqlFilter().Where("t.account_id = {0} and t.tool_id = {1}", accountId, toolId), page,
            new SortColumn("created", "t.created", "timestamptz"), descending: true,
            row => new ToolUsage(json.Deserialize<CallSnapshot>(row.GetFieldValue<byte[]>(0)), row.GetInt32(1)), cancellationToken);

    /// <summary>Adds tools that were called to a batch that stores the messages of the calls. To store the same use again changes nothing.</summary>
    internal static void AddUses(NpgsqlBatch batch, IReadOnlyList<UsedTool> uses)
    {
        if (uses.Count == 0) return;
        batch.BatchCommands.Add(new NpgsqlBatchCommand(StoreUses)
        {
            Parameters =
            {
                new("calls", NpgsqlDbType.Array | NpgsqlDbType.Text) { Value = uses.Select(use => use.CallId).ToArray() },
                new("generations", NpgsqlDbType.Array | NpgsqlDbType.Integer) { Value = uses.Select(use => use.Generation).ToArray() },
                new("stages", NpgsqlDbType.Array | NpgsqlDbType.Text) { Value = uses.Select(use => use.CallStageId).ToArray() },
                new("names", NpgsqlDbType.Array | NpgsqlDbType.Text) { Value = uses.Select(use => use.ToolName.Replace("\0", "", StringComparison.Ordinal)).ToArray() },
            },
        });
    }
}

/// <summary>A call that used a tool, and how often the tool failed in it.</summary>
public sealed record ToolUsage(CallSnapshot Call, int Errors);

/// <summary>A stage of a call used a tool.</summary>
/// <param name="Generation">Which conversation of the call.</param>
/// <param name="ToolName">As the call knows it.</param>
internal readonly record struct UsedTool(string CallId, int Generation, string CallStageId, string ToolName);
