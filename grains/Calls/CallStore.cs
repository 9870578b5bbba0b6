using System.Text.Json;
using Npgsql;
using NpgsqlTypes;
using VoiceGrains.GrainInterfaces;
using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.GrainInterfaces.Paging;
using VoiceGrains.Grains.Paging;
using VoiceGrains.Grains.Secrets;
using VoiceGrains.Grains.Storage;

namespace VoiceGrains.Grains.Calls;

/// <summary>Reads the tables that calls leave. Everything asked for is asked for in the name of an account, and of others' calls nothing is told.</summary>
public sealed class CallStore(NpgsqlDataSource database, SealedJson sealedJson)
{
    private readonly CallListQuery calls = new("calls", "document"), deletedCalls = new("deleted_calls", TombstoneColumns);

    /// <summary>For tests, whose lists are shorter.</summary>
    internal CallStore(NpgsqlDataSource database, SealedJson sealedJson, int few) : this(database, sealedJson)
        => (calls, deletedCalls) = (new("calls", "document", few), new("deleted_calls", TombstoneColumns, few));

    private const string ErrorsOfStage = """
        (select count(*)::integer from call_events e
         where e.call_id = call_stages.call_id and e.document->>'callStageId' = call_stages.stage_id and e.severity = 3)
        """;

    private const string TombstoneColumns = "call_id, account_id, created, deleted, joined, ended, end_reason, max_duration, recording_enabled, had_summary";

    private const string Words = "plainto_tsquery('simple', folded({0}))";

    /// <summary>Whether the words of a call are indexed and among those looked for.</summary>
    internal const string FoundByIndex = $"words @@ {Words}";

    /// <summary>The same of calls whose words are not indexed yet, from their messages.</summary>
    internal const string FoundByMessages = $"(words is null and call_words(call_id, document) @@ {Words})";

    private static readonly SortColumn CallId = new("callId", "call_id", "text");
    private static readonly SortColumn StagePosition = new("position", "position", "integer");

    private static readonly KeysetQuery Tombstones = new("deleted_calls", TombstoneColumns, CallId);
    private static readonly KeysetQuery Stages = new("call_stages", "document, initial_tokens, latest_tokens, " + ErrorsOfStage, StagePosition);
    private static readonly KeysetQuery Messages = new("call_messages m join call_stages s using (call_id, stage_id)", "m.document", new("index", "m.index", "integer"));
    private static readonly KeysetQuery Events = new("call_events", "document", new("id", "id", "bigint"));

    /// <summary>The call without its tools' secrets and initial messages; null when the account has none of this id.</summary>
    public async Task<CallSnapshot?> FindAsync(string accountId, string callId, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var command = new NpgsqlCommand("select document from calls where call_id = $1 and account_id = $2", connection)
        {
            Parameters = { new() { Value = callId }, new() { Value = accountId } },
        };
        await command.PrepareAsync(cancellationToken);
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        return await row.ReadAsync(cancellationToken) ? Document<CallSnapshot>(row) : null;
    }

    /// <summary>The total is null where it would take too long to count: <see cref="CallListQuery.Few"/>.</summary>
    public Task<Page<CallSnapshot>> ListAsync(string accountId, CallFilter filter, PageRequest page, CancellationToken cancellationToken)
    {
        return calls.ReadAsync(database, accountId, filter, Conditions, page, Document<CallSnapshot>, cancellationToken);

        SqlFilter Conditions()
        {
            var rows = new SqlFilter().Where("account_id = {0}", accountId);
            AddFilters(rows, filter with { Search = null });
            return rows;
        }
    }

    /// <summary>In the order they were entered.</summary>
    public Task<Page<StageRecord>> ListStagesAsync(string callId, PageRequest page, CancellationToken cancellationToken)
        => Stages.ReadAsync(database, new SqlFilter().Where("call_id = {0}", callId), page, StagePosition, descending: false, ReadStage, cancellationToken);

    /// <summary>Null when the call has no such stage.</summary>
    public async Task<StageRecord?> FindStageAsync(string callId, string stageId, CancellationToken cancellationToken)
    {
        var rows = new SqlFilter().Where("call_id = {0} and stage_id = {1}", callId, stageId);
        return await Stages.FindAsync(database, rows, ReadStage, cancellationToken);
    }

    /// <summary>All messages of one stage, its initial ones included, or, without a stage, what was said in the call.</summary>
    public Task<Page<Message>> ListMessagesAsync(string callId, string? stageId, PageRequest page, CancellationToken cancellationToken)
    {
        var rows = new SqlFilter().Where("m.call_id = {0}", callId);
        if (stageId is null) rows.Where("not m.initial");
        else rows.Where("m.stage_id = {0}", stageId);
        return Messages.ReadAsync(database, rows, page, new SortColumn("position", "s.position", "integer"), descending: false, Document<Message>, cancellationToken);
    }

    /// <summary>Null when the stage has no such message.</summary>
    public async Task<Message?> FindMessageAsync(string callId, string stageId, int index, CancellationToken cancellationToken)
    {
        var rows = new SqlFilter().Where("m.call_id = {0} and m.stage_id = {1} and m.index = {2}", callId, stageId, index);
        return await Messages.FindAsync(database, rows, Document<Message>, cancellationToken);
    }

    /// <summary>Oldest first.</summary>
    public Task<Page<CallEvent>> ListEventsAsync(string callId, Severity minimum, string? type, PageRequest page, CancellationToken cancellationToken)
    {
        var rows = new SqlFilter().Where("call_id = {0} and severity >= {1}", callId, (short)minimum);
        if (type is not null) rows.Where("type = {0}", type);
        return Events.ReadAsync(database, rows, page, new SortColumn("id", "id", "bigint"), descending: false, Document<CallEvent>, cancellationToken);
    }

    /// <summary>Newest first. Filters by voice, metadata and words match nothing: none of that is kept.</summary>
    public Task<Page<CallTombstone>> ListDeletedAsync(string accountId, CallFilter filter, PageRequest page, CancellationToken cancellationToken)
    {
        var kept = filter with { Sort = CallSort.Created, Descending = true, Search = null, Metadata = null, Voices = null };
        if (filter.Metadata is not null || filter.Voices is not null || filter.Search is not null) return Task.FromResult(new Page<CallTombstone>([], null, null, 0));
        return deletedCalls.ReadAsync(database, accountId, kept, Conditions, page, ReadTombstone, cancellationToken);

        SqlFilter Conditions()
        {
            var rows = new SqlFilter().Where("account_id = {0}", accountId);
            AddCommonFilters(rows, filter);
            return rows;
        }
    }

    public async Task<CallTombstone?> FindDeletedAsync(string accountId, string callId, CancellationToken cancellationToken)
    {
        var rows = new SqlFilter().Where("account_id = {0} and call_id = {1}", accountId, callId);
        return await Tombstones.FindAsync(database, rows, ReadTombstone, cancellationToken);
    }

    internal static void AddFilters(SqlFilter rows, CallFilter filter)
    {
        AddCommonFilters(rows, filter);
        if (filter.Metadata is { } metadata)
            rows.Where("metadata @> {0}", new NpgsqlParameter { Value = JsonSerializer.Serialize(metadata, WireJson.Options), NpgsqlDbType = NpgsqlDbType.Jsonb });
        if (filter.Voices is { } voices) rows.Where("lower(voice) = any({0})", voices.Select(voice => voice.ToLowerInvariant()).ToList());
        if (filter.Search is { } search) rows.Where($"{FoundByIndex} or {FoundByMessages}", search);
    }

    internal static void AddCommonFilters(SqlFilter rows, CallFilter filter)
    {
        foreach (var condition in CommonConditions(rows, filter)) rows.Where(condition);
    }

    /// <summary>Those that deleted calls can be asked for as well.</summary>
    internal static IEnumerable<string> CommonConditions(SqlFilter values, CallFilter filter)
    {
        const string timeOfDay = "(created at time zone 'UTC')::time";
        if (filter.AgentIds is [var agent]) yield return values.Text("agent_id = {0}", agent);
        else if (filter.AgentIds is { } agents) yield return values.Text("agent_id = any({0})", agents.ToList());
        if (filter.From is { } from) yield return values.Text("created >= {0}", from.ToUniversalTime());
        if (filter.To is { } to) yield return values.Text("created <= {0}", to.ToUniversalTime());
        if (filter.DurationMin is { } min) yield return values.Text("duration >= {0}", min);
        if (filter.DurationMax is { } max) yield return values.Text("duration <= {0}", max);
        if (filter.TimeOfDayStart is null && filter.TimeOfDayEnd is null) yield break;
        var (start, end) = (filter.TimeOfDayStart ?? TimeOnly.MinValue, filter.TimeOfDayEnd ?? TimeOnly.MaxValue);
        yield return values.Text($"({timeOfDay} >= {{0}} {(start <= end ? "and" : "or")} {timeOfDay} <= {{1}})", start, end);
    }

    private StageRecord ReadStage(NpgsqlDataReader row) => new(Document<StageSettings>(row), row.GetInt32(3))
    {
        InitialTokens = row.IsDBNull(1) ? null : row.GetInt32(1),
        LatestTokens = row.IsDBNull(2) ? null : row.GetInt32(2),
    };

    private static CallTombstone ReadTombstone(NpgsqlDataReader row) => new()
    {
        CallId = row.GetString(0),
        AccountId = row.GetString(1),
        Created = row.GetFieldValue<DateTimeOffset>(2),
        DeletionTime = row.GetFieldValue<DateTimeOffset>(3),
        Joined = row.InstantOrNull(4),
        Ended = row.InstantOrNull(5),
        EndReason = row.IsDBNull(6) ? null : row.GetString(6),
        MaxDuration = row.GetFieldValue<TimeSpan>(7),
        RecordingEnabled = row.GetBoolean(8),
        HadSummary = row.GetBoolean(9),
    };

    private T Document<T>(NpgsqlDataReader row) => sealedJson.Deserialize<T>(row.GetFieldValue<byte[]>(0));
}

/// <summary>A stage and how many errors were logged in it.</summary>
public sealed record StageRecord(StageSettings Settings, int ErrorCount)
{
    /// <summary>Length of the prompt in the stage's first model request; null where the provider does not tell.</summary>
    public int? InitialTokens { get; init; }

    /// <summary>The same of its latest request.</summary>
    public int? LatestTokens { get; init; }
}

/// <summary><c>CallTombstone</c>: what is kept of a deleted call.</summary>
public sealed record CallTombstone
{
    public required string CallId { get; init; }
    public required string AccountId { get; init; }
    public required DateTimeOffset Created { get; init; }
    public required DateTimeOffset DeletionTime { get; init; }
    public DateTimeOffset? Joined { get; init; }
    public DateTimeOffset? Ended { get; init; }
    public required TimeSpan MaxDuration { get; init; }
    public string? EndReason { get; init; }
    public required bool RecordingEnabled { get; init; }
    public required bool HadSummary { get; init; }
}
