using Npgsql;
using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.Grains.Secrets;

namespace VoiceGrains.Grains.Calls;

/// <summary>Reads what a call that is resumed goes on from. To be asked after the resumption is stored: from then on its earlier conversations store nothing.</summary>
internal sealed class CallPastReader(NpgsqlDataSource database, SealedJson json, TimeProvider clock)
{
    private const string SelectMessages = "select document, initial from call_messages where call_id = $1 and stage_id = $2 order by index";

    /// <summary>A message takes a transcript's number at most, and so does a turn that came to nothing; two more may have been on their way.</summary>
    private const string SelectMarks = """
        select
            (select count(*) from call_messages where call_id = $1 and not initial)::integer
                + (select count(*) from call_events where call_id = $1 and type in ('empty_turn', 'recognition_error'))::integer + 2,
            (select coalesce(max((document->'wallClockTimespan'->>'end')::interval), '0') from call_messages where call_id = $1 and not initial),
            greatest(
                (select coalesce(max((document->'timespan'->>'end')::interval), '0') from call_messages where call_id = $1 and not initial),
                (select coalesce(max((document->>'callTimestamp')::interval), '0') from call_events where call_id = $1))
        """;

    /// <summary>Spawned and not known to have ended since.</summary>
    private const string SelectThreads = """
        select distinct begun.document->'extras'->>'threadId' from call_events begun
        where begun.call_id = $1 and begun.type = 'thread_spawned' and not exists (
            select from call_events ended
            where ended.call_id = $1 and ended.id > begun.id and ended.type in ('thread_terminated', 'thread_failed')
                and ended.document->'extras'->>'threadId' = begun.document->'extras'->>'threadId')
        order by 1
        """;

    /// <exception cref="NpgsqlException">The database is away.</exception>
    public async Task<CallPast> ReadAsync(CallSnapshot call, CancellationToken cancellationToken)
    {
        await using var batch = database.CreateBatch();
        batch.BatchCommands.Add(Command(SelectMessages, call.Settings.CallId, call.Stage.CallStageId));
        batch.BatchCommands.Add(Command(SelectMarks, call.Settings.CallId));
        batch.BatchCommands.Add(Command(SelectThreads, call.Settings.CallId));
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        var messages = new List<Message>();
        var initial = 0;
        while (await reader.ReadAsync(cancellationToken))
        {
            messages.Add(json.Deserialize<Message>(reader.GetString(0)));
            if (reader.GetBoolean(1)) initial = messages.Count;
        }
        await reader.NextResultAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        var (nextOrdinal, sinceJoin, lastSaid, input) = (reader.GetInt32(0), clock.GetUtcNow() - call.Joined!.Value, reader.GetTimeSpan(1), reader.GetTimeSpan(2));
        await reader.NextResultAsync(cancellationToken);
        var threads = new List<string>();
        while (await reader.ReadAsync(cancellationToken)) threads.Add(reader.GetString(0));
        return new CallPast
        {
            Messages = messages,
            InitialCount = initial,
            LostThreads = threads,
            NextOrdinal = nextOrdinal,
            Wall = sinceJoin > lastSaid ? sinceJoin : lastSaid,      // the clocks of two silos may differ
            Input = input,
        };
    }

    private static NpgsqlBatchCommand Command(string sql, params string[] values)
    {
        var command = new NpgsqlBatchCommand(sql);
        foreach (var value in values) command.Parameters.Add(new() { Value = value });
        return command;
    }
}
