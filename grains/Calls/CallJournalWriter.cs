using System.Text.Json;
using System.Text.RegularExpressions;
using Npgsql;
using NpgsqlTypes;
using VoiceGrains.GrainInterfaces;
using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.Grains.Tools;

namespace VoiceGrains.Grains.Calls;

/// <summary>Stores batches of journal entries, each batch in one round trip and one transaction.</summary>
internal sealed partial class CallJournalWriter(NpgsqlDataSource database, TimeProvider clock)
{
    /// <summary>
    /// The join leaves out calls that were deleted meanwhile, and those that go on in a later conversation: nothing of theirs may come back. The lock lets a
    /// conversation that begins wait for the last words of the one before, and read them.
    /// </summary>
    private const string StoreMessages = """
        insert into call_messages (call_id, stage_id, index, initial, document)
        select m.call_id, m.stage_id, m.index, m.initial, m.document
        from unnest(@calls, @generations, @stages, @indexes, @initials, @documents) as m(call_id, generation, stage_id, index, initial, document)
            join calls using (call_id, generation) for share of calls
        on conflict (call_id, stage_id, index) do update set document = excluded.document
        """;

    /// <summary>
    /// A call whose words come after its end is searched message by message again. Comes after the messages and their lock: the end is then stored before it, or
    /// sees them.
    /// </summary>
    private const string ForgetWords = "update calls set words = null where call_id = any(@calls) and words is not null";

    /// <summary>Microseconds since 1970 take 52 bits until the year 2112; 11 are left for <see cref="CallState.MostGenerations"/>.</summary>
    private const int GenerationShift = 52;

    private const string StoreEvents = """
        insert into call_events (call_id, id, severity, type, document)
        select e.call_id, e.id, e.severity, e.type, e.document
        from unnest(@calls, @generations, @ids, @severities, @types, @documents) as e(call_id, generation, id, severity, type, document)
            join calls using (call_id, generation) for share of calls
        on conflict (call_id, id) do nothing
        """;

    /// <summary>The first count of a stage stays. Locks as <see cref="StoreMessages"/> does.</summary>
    private const string StoreTokens = """
        with current as (
            select t.call_id, t.stage_id, t.first, t.latest
            from unnest(@calls, @generations, @stages, @firsts, @latests) as t(call_id, generation, stage_id, first, latest)
                join calls using (call_id, generation) for share of calls)
        update call_stages s set initial_tokens = coalesce(s.initial_tokens, c.first), latest_tokens = c.latest
        from current c where s.call_id = c.call_id and s.stage_id = c.stage_id
        """;

    /// <summary>
    /// What event ids count from within a generation: the microseconds until this silo started, so that they rise over restarts as well. They are given here and
    /// not by the database, so that a batch whose answer was lost can be sent again without storing its events twice.
    /// </summary>
    private readonly long _firstEventId = (clock.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;

    /// <exception cref="NpgsqlException">Nothing of the batch was stored.</exception>
    public async Task StoreAsync(IReadOnlyList<CallJournalEntry> entries, TimeSpan timeout, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var batch = new NpgsqlBatch(connection) { Timeout = Math.Max(1, (int)timeout.TotalSeconds) };
        AddMessages(batch, entries);
        ToolHistory.AddUses(batch, [.. UsedTools(entries)]);
        AddEvents(batch, entries);
        AddTokens(batch, entries);
        await batch.ExecuteNonQueryAsync(cancellationToken);
    }

    private static void AddMessages(NpgsqlBatch batch, IReadOnlyList<CallJournalEntry> entries)
    {
        // One statement may touch a row once, so of several versions of a message only the newest goes in.
        var newest = new Dictionary<(string CallId, string StageId, int Index), (int Generation, bool IsInitial, string Document)>();
        foreach (var entry in entries)
        {
            if (entry.Message is { } message)
                newest[(entry.CallId, message.CallStageId ?? "", message.CallStageMessageIndex)] = (entry.Generation, entry.IsInitial, ToJson(message));
        }
        if (newest.Count == 0) return;
        batch.BatchCommands.Add(new NpgsqlBatchCommand(StoreMessages)
        {
            Parameters =
            {
                Texts("calls", newest.Keys.Select(key => key.CallId)),
                Integers("generations", newest.Values.Select(value => value.Generation)),
                Texts("stages", newest.Keys.Select(key => key.StageId)),
                Integers("indexes", newest.Keys.Select(key => key.Index)),
                new("initials", NpgsqlDbType.Array | NpgsqlDbType.Boolean) { Value = newest.Values.Select(value => value.IsInitial).ToArray() },
                Documents(newest.Values.Select(value => value.Document)),
            },
        });
        batch.BatchCommands.Add(new NpgsqlBatchCommand(ForgetWords) { Parameters = { Texts("calls", newest.Keys.Select(key => key.CallId).Distinct()) } });
    }

    private static IEnumerable<UsedTool> UsedTools(IReadOnlyList<CallJournalEntry> entries)
    {
        foreach (var entry in entries)
        {
            if (entry.Message is { Role: MessageRole.ToolCall, CallStageId: { } stage, ToolName: { } tool })
                yield return new UsedTool(entry.CallId, entry.Generation, stage, tool);
        }
    }

    private void AddEvents(NpgsqlBatch batch, IReadOnlyList<CallJournalEntry> entries)
    {
        var numbered = entries.Where(entry => entry.Event is not null).ToList();
        if (numbered.Count == 0) return;
        var events = numbered.ConvertAll(entry => entry.Event!);
        batch.BatchCommands.Add(new NpgsqlBatchCommand(StoreEvents)
        {
            Parameters =
            {
                Texts("calls", events.Select(callEvent => callEvent.CallId)),
                Integers("generations", numbered.Select(entry => entry.Generation)),
                new("ids", NpgsqlDbType.Array | NpgsqlDbType.Bigint) { Value = numbered.Select(IdOf).ToArray() },
                new("severities", NpgsqlDbType.Array | NpgsqlDbType.Smallint) { Value = events.Select(callEvent => (short)callEvent.Severity).ToArray() },
                Texts("types", events.Select(callEvent => callEvent.Type)),
                Documents(events.Select(ToJson)),
            },
        });
    }

    private static void AddTokens(NpgsqlBatch batch, IReadOnlyList<CallJournalEntry> entries)
    {
        var counts = new Dictionary<(string CallId, string StageId), (int Generation, int First, int Latest)>();
        foreach (var entry in entries)
        {
            if (entry.Tokens is not { } tokens) continue;
            var key = (entry.CallId, tokens.CallStageId);
            counts[key] = (entry.Generation, counts.TryGetValue(key, out var known) ? known.First : tokens.Count, tokens.Count);
        }
        if (counts.Count == 0) return;
        batch.BatchCommands.Add(new NpgsqlBatchCommand(StoreTokens)
        {
            Parameters =
            {
                Texts("calls", counts.Keys.Select(key => key.CallId)),
                Integers("generations", counts.Values.Select(value => value.Generation)),
                Texts("stages", counts.Keys.Select(key => key.StageId)),
                Integers("firsts", counts.Values.Select(value => value.First)),
                Integers("latests", counts.Values.Select(value => value.Latest)),
            },
        });
    }

    /// <summary>Events of a later conversation come after those of an earlier one, whichever silo they ran on and whatever its clock says.</summary>
    private long IdOf(CallJournalEntry entry) => ((long)entry.Generation << GenerationShift) + _firstEventId + entry.Sequence;

    private static NpgsqlParameter Integers(string name, IEnumerable<int> values)
        => new(name, NpgsqlDbType.Array | NpgsqlDbType.Integer) { Value = values.ToArray() };

    private static NpgsqlParameter Texts(string name, IEnumerable<string> values)
        => new(name, NpgsqlDbType.Array | NpgsqlDbType.Text) { Value = values.ToArray() };

    private static NpgsqlParameter Documents(IEnumerable<string> values)
        => new("documents", NpgsqlDbType.Array | NpgsqlDbType.Jsonb) { Value = values.ToArray() };

    /// <summary>PostgreSQL's jsonb holds no U+0000, which a model or a tool may well produce; it is left out.</summary>
    private static string ToJson<T>(T value)
    {
        var json = JsonSerializer.Serialize(value, WireJson.Options);
        return json.Contains("\\u0000", StringComparison.Ordinal) ? EscapedNul.Replace(json, "$1") : json;
    }

    /// <summary>The escape, but not an escaped backslash followed by <c>u0000</c>.</summary>
    [GeneratedRegex(@"(?<!\\)((?:\\\\)*)\\u0000", RegexOptions.CultureInvariant)]
    private static partial Regex EscapedNul { get; }
}
