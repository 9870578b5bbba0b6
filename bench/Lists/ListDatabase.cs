using System.Text.Json;
using Npgsql;
using NpgsqlTypes;
using VoiceGrains.GrainInterfaces;
using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.Grains.Calls;

namespace VoiceGrains.Bench.Lists;

/// <summary>A database with a million calls in a year: nine tenths of one account, the others of 3,000 small ones.</summary>
internal static class ListDatabase
{
    public const string Large = "11111111-1111-1111-1111-111111111111";

    /// <summary>The agent of one call in fourteen of the large account.</summary>
    public const string Agent = "a0000000-0000-0000-0000-000000000003";

    private const string Fill = """
        insert into calls (call_id, account_id, agent_id, created, joined, ended, voice, metadata, summary_pending, document, words)
        select id, account, case when n % 2 = 0 then 'a0000000-0000-0000-0000-00000000000' || n / 2 % 7 end, created,
            case when n % 10 > 0 then created + interval '3 s' end, created + make_interval(secs => 3 + (n * 7919 % 900000) / 1000.0),
            (array['Mark', 'Jessica', 'Tanya', 'Aaron'])[1 + n % 4],
            jsonb_build_object('source', (array['web', 'phone', 'sip'])[1 + n % 3], 'campaign', 'c' || n * 50 / $1, 'customer', n::text),
            false, jsonb_set($2::jsonb, '{settings,callId}', to_jsonb(id)),
            array_to_tsvector(array['hello', 'thanks', 'hundredth' || n % 100, 'thousandth' || n % 1000, 'rare' || n % 50000, 'campaign' || n * 50 / $1]
                || array(select 'word' || n * i % 20011 from generate_series(1, 15) i))
        from (select n, md5(n::text)::uuid::text as id, case when n % 10 > 0 then $3 else md5('account ' || n / 10 % 3000)::uuid::text end as account,
            now() - interval '365 days' * (1 - n::double precision / $1) as created from generate_series(1::bigint, $1) n) given
        """;

    private const string FillDeleted = """
        insert into deleted_calls (call_id, account_id, agent_id, created, deleted, joined, ended, max_duration, recording_enabled, had_summary)
        select 'deleted ' || call_id, account_id, agent_id, created, now(), joined, ended, '1 hour', false, false from calls
        """;

    private const string FillAgents = $$$"""
        insert into agents select 'a0000000-0000-0000-0000-00000000000' || n, '{{{Large}}}', 'agent ' || n, now(), jsonb_build_object(
            'agentId', 'a', 'accountId', 'a', 'name', 'a', 'created', '2026-01-01T00:00:00Z', 'publishedRevisionId', '{{{Large}}}', 'callTemplate', '{}'::jsonb)
        from generate_series(0, 6) n
        """;

    /// <summary>Makes the tables as the server does, and fills them. Indexes are built afterwards, which is quicker.</summary>
    public static async Task FillAsync(NpgsqlDataSource database, long calls, CancellationToken cancellationToken)
    {
        foreach (var sql in Migrations()) await ExecuteAsync(database, sql, cancellationToken);
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        var indexes = new List<(string Name, string Sql)>();
        await using (var command = new NpgsqlCommand("select indexname, indexdef from pg_indexes where tablename in ('calls', 'deleted_calls') and indexname not like '%_pkey'", connection))
        await using (var row = await command.ExecuteReaderAsync(cancellationToken))
            while (await row.ReadAsync(cancellationToken)) indexes.Add((row.GetString(0), row.GetString(1)));

        await ExecuteAsync(database, "alter table calls disable trigger user; alter table deleted_calls disable trigger user;" + string.Concat(indexes.Select(index => $"drop index {index.Name};")), cancellationToken);
        await using (var fill = Command(connection, Fill))
        {
            fill.Parameters.Add(new() { Value = calls });
            fill.Parameters.Add(new() { Value = Document(), NpgsqlDbType = NpgsqlDbType.Jsonb });
            fill.Parameters.Add(new() { Value = Large });
            await fill.ExecuteNonQueryAsync(cancellationToken);
        }
        await ExecuteAsync(database, FillDeleted, cancellationToken);
        foreach (var (_, sql) in indexes) await ExecuteAsync(database, "set maintenance_work_mem = '512MB'; " + sql, cancellationToken);
        await ExecuteAsync(database, "alter table calls enable trigger user; alter table deleted_calls enable trigger user; call recount_calls();", cancellationToken);
        await ExecuteAsync(database, FillAgents, cancellationToken);
        await ExecuteAsync(database, "vacuum analyze", cancellationToken);
    }

    public static async Task<T> ScalarAsync<T>(NpgsqlDataSource database, string sql, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var command = Command(connection, sql);
        return (T)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    private static async Task ExecuteAsync(NpgsqlDataSource database, string sql, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var command = Command(connection, sql);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private static NpgsqlCommand Command(NpgsqlConnection connection, string sql) => new(sql, connection) { CommandTimeout = 1_800 };

    private static IEnumerable<string> Migrations()
    {
        var assembly = typeof(CallStore).Assembly;
        foreach (var name in assembly.GetManifestResourceNames().Where(name => name.EndsWith(".sql", StringComparison.Ordinal)).Order(StringComparer.Ordinal))
        {
            using var reader = new StreamReader(assembly.GetManifestResourceStream(name)!);
            yield return reader.ReadToEnd();
        }
    }

    private static string Document()
    {
        var stage = new StageSettings { CallStageId = "s1", Created = DateTimeOffset.UnixEpoch, Model = "ultravox-v0.7", SystemPrompt = string.Concat(Enumerable.Range(0, 20).Select(n => $"Rule {n * 7919 % 104_729}: be brief. ")) };
        var settings = new CallSettings
        {
            CallId = "", AccountId = Large, Created = DateTimeOffset.UnixEpoch, Medium = new CallMedium { ServerWebSocket = new WebSocketMedium { InputSampleRate = 16_000 } },
            FirstSpeaker = new FirstSpeakerSettings { Agent = new AgentGreeting() }, FirstStage = stage,
        };
        return JsonSerializer.Serialize(new CallSnapshot { Settings = settings, Stage = stage, EndReason = EndReason.Hangup }, WireJson.Options);
    }
}
