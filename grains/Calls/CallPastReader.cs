using Npgsql;
using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.Grains.Secrets;

namespace VoiceGrains.Grains.Calls;

/// <summary>Reads what a call that is resumed goes on from. To be asked after the resumption is stored: from then on its earlier conversations store nothing.</summary>
internal sealed class CallPastReader(NpgsqlDataSource database, SealedJson json, TimeProvider clock)
{
    private const string SelectMessages = "select document from call_messages where call_id = $1 and stage_id = $2 order by index";

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

    /// <exception cref="NpgsqlException">The database is away.</exception>
    public async Task<CallPast> ReadAsync(CallSnapshot call, CancellationToken cancellationToken)
    {
        await using var batch = database.CreateBatch();
        batch.BatchCommands.Add(Command(SelectMessages, call.Settings.CallId, call.Stage.CallStageId));
        batch.BatchCommands.Add(Command(SelectMarks, call.Settings.CallId));
        await using var reader = await batch.ExecuteReaderAsync(cancellationToken);
        var messages = new List<Message>();
        while (await reader.ReadAsync(cancellationToken)) messages.Add(json.Deserialize<Message>(reader.GetString(0)));
        await reader.NextResultAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        var (sinceJoin, lastSaid) = (clock.GetUtcNow() - call.Joined!.Value, reader.GetTimeSpan(1));
        return new CallPast
        {
            Messages = messages,
            NextOrdinal = reader.GetInt32(0),
            Wall = sinceJoin > lastSaid ? sinceJoin : lastSaid,      // the clocks of two silos may differ
            Input = reader.GetTimeSpan(2),
        };
    }

    private static NpgsqlBatchCommand Command(string sql, params string[] values)
    {
        var command = new NpgsqlBatchCommand(sql);
        foreach (var value in values) command.Parameters.Add(new() { Value = value });
        return command;
    }
}
