using System.Text.Json.Nodes;
using Microsoft.Extensions.Options;
using Npgsql;
using NpgsqlTypes;
using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.GrainRuntime.Storage;
using VoiceGrains.Grains.Secrets;
using VoiceGrains.Grains.Webhooks;

namespace VoiceGrains.Grains.Calls;

/// <summary>Keeps the tables that lists and filters read in step with the calls' states. Secrets stay in the state.</summary>
internal sealed class CallProjection(TimeProvider clock, SealedJson json, WebhookOutbox outbox, IOptions<CallSummaryOptions> summary)
    : IStateProjection<CallState>
{
    private const string StoreCall = """
        insert into calls (call_id, account_id, agent_id, created, joined, ended, voice, metadata, summary_pending, document, generation, host, join_deadline)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
        on conflict (call_id) do update set joined = excluded.joined, ended = excluded.ended, voice = excluded.voice,
            summary_pending = excluded.summary_pending, document = excluded.document, generation = excluded.generation, host = excluded.host,
            words = case when excluded.ended is not null and not excluded.summary_pending then current_call_words(excluded.call_id, excluded.document) end
        """;

    private const string StoreStage = """
        insert into call_stages (call_id, stage_id, position, document) values ($1, $2, $3, $4)
        on conflict (call_id, stage_id) do nothing
        """;

    private const string StoreInitialMessage = """
        insert into call_messages (call_id, stage_id, index, initial, document) values ($1, $2, $3, true, $4)
        on conflict (call_id, stage_id, index) do nothing
        """;

    /// <summary>
    /// Locks the call before anything of it goes: what the journal is storing of it just now is then seen and deleted too, and neither waits for the other crosswise.
    /// One whose conversation could not tell its end in time ended when it was deleted.
    /// </summary>
    private const string LeaveTombstone = """
        insert into deleted_calls (call_id, account_id, agent_id, created, deleted, joined, ended, end_reason, max_duration, recording_enabled, had_summary)
        select call_id, account_id, agent_id, created, $2, joined, case when joined is null then ended else coalesce(ended, greatest(joined, $2)) end,
            case when joined is not null and ended is null then 'hangup' else document->>'endReason' end, (document->'settings'->>'maxDuration')::interval,
            (document->'settings'->>'recordingEnabled')::boolean, document->>'summary' is not null
        from calls where call_id = $1 for update
        on conflict (call_id) do nothing
        """;

    private static readonly string[] CallTables = ["tool_calls", "call_events", "call_messages", "call_stages", "call_expirations", "calls"];

    public async Task ProjectAsync(
        NpgsqlConnection connection, NpgsqlTransaction transaction, string grainKey, CallState? state, CancellationToken cancellationToken)
    {
        await using var batch = new NpgsqlBatch(connection, transaction);
        if (state?.Settings is null) Delete(batch, grainKey);
        else Store(batch, grainKey, state);
        await batch.ExecuteNonQueryAsync(cancellationToken);
    }

    private void Store(NpgsqlBatch batch, string callId, CallState state)
    {
        var settings = state.Settings!;
        Add(batch, StoreCall, callId, settings.AccountId, settings.AgentId, settings.Created, state.Joined, state.Ended, state.Stages[^1].Voice,
            Json(settings.Metadata), state.SummaryStatus == SummaryStatus.Pending, Json(Document(state)), state.Generation, state.Interrupted is null ? state.Host : null,
            state.JoinDeadline);
        TimeSpan? patience = state.SummaryStatus == SummaryStatus.Pending ? summary.Value.Budget : null;
        foreach (var (sql, values) in outbox.Statements(settings, state.Milestones, patience, () => Json(Document(state)), Json)) Add(batch, sql, values);
        for (var position = 0; position < state.Stages.Count; position++)
        {
            var stage = state.Stages[position];
            Add(batch, StoreStage, callId, stage.CallStageId, position, Json(WithoutSecrets(stage)));
            if (IsNew(state, position)) AddInitialMessages(batch, callId, stage);
        }
    }

    /// <summary>Whether this may be the write that brought the stage: the first stage comes with the call, others while it is the last one.</summary>
    private static bool IsNew(CallState state, int position) => position == 0 ? state.Joined is null : position == state.Stages.Count - 1;

    private void AddInitialMessages(NpgsqlBatch batch, string callId, StageSettings stage)
    {
        for (var index = 0; index < stage.InitialMessages.Count; index++)
        {
            var message = stage.InitialMessages[index] with
            {
                CallStageId = stage.CallStageId, CallStageMessageIndex = index, Timespan = null, WallClockTimespan = null,
            };
            Add(batch, StoreInitialMessage, callId, stage.CallStageId, index, Json(message));
        }
    }

    private void Delete(NpgsqlBatch batch, string callId)
    {
        var now = clock.GetUtcNow();
        Add(batch, LeaveTombstone, callId, now);
        Add(batch, RecordingRemovals.Note, callId, now + RecordingRemovals.Patience, now + RecordingRemovals.LivePatience);
        foreach (var table in CallTables) Add(batch, $"delete from {table} where call_id = $1", callId);
        foreach (var (sql, values) in outbox.StatementsOfDeletion(callId)) Add(batch, sql, values);
    }

    private static CallSnapshot Document(CallState state)
    {
        var snapshot = state.ToSnapshot();
        var settings = snapshot.Settings;
        return snapshot with
        {
            Settings = settings with { FirstStage = WithoutSecrets(settings.FirstStage), Callbacks = WithoutSecrets(settings.Callbacks) },
            Stage = WithoutSecrets(snapshot.Stage),
        };
    }

    /// <summary>Messages have a table of their own, and what authenticates a tool is for the tool alone.</summary>
    private static StageSettings WithoutSecrets(StageSettings stage) => stage with
    {
        InitialMessages = [],
        Tools = [.. stage.Tools.Select(tool => tool with { AuthHeaders = Nothing, AuthQueryParams = Nothing, SecretParameters = new Dictionary<string, JsonNode?>() })],
    };

    private static JsonObject? WithoutSecrets(JsonObject? callbacks)
    {
        var shown = callbacks?.DeepClone().AsObject();
        foreach (var (_, callback) in shown ?? []) (callback as JsonObject)?.Remove("secrets");
        return shown;
    }

    private static readonly IReadOnlyDictionary<string, string> Nothing = new Dictionary<string, string>();

    private static void Add(NpgsqlBatch batch, string sql, params object?[] values)
    {
        var command = new NpgsqlBatchCommand(sql);
        foreach (var value in values)
        {
            command.Parameters.Add(value switch
            {
                JsonText text => new() { Value = text.Value, NpgsqlDbType = NpgsqlDbType.Jsonb },
                null => new() { Value = DBNull.Value },
                _ => new() { Value = value },
            });
        }
        batch.BatchCommands.Add(command);
    }

    private JsonText Json<T>(T value) => new(json.Serialize(value));

    private sealed record JsonText(byte[] Value);
}
