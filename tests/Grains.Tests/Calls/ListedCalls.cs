using System.Globalization;
using System.Text.Json;
using Npgsql;
using NpgsqlTypes;
using VoiceGrains.GrainInterfaces;
using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.Grains.Calls;
using VoiceGrains.Grains.Secrets;
using VoiceGrains.Tests.Shared;

namespace VoiceGrains.Grains.Tests.Calls;

/// <summary>A call as a list sees it.</summary>
public sealed record ListedCall(
    string CallId, string? AgentId, DateTimeOffset Created, DateTimeOffset? Joined, DateTimeOffset? Ended, string? Voice, IReadOnlyDictionary<string, string> Metadata,
    string Words, bool HasWords)
{
    public TimeSpan? Duration => Ended - Joined;
}

/// <summary>Thousands of calls of one account, written once for all tests of a class.</summary>
public sealed class ListedCalls : IAsyncLifetime
{
    private static readonly string[] Vocabulary = ["refund", "Monday", "Ärger", "order", "42", "the", "ÜBER", "weather", "Straße", "café"];
    private static readonly DateTimeOffset Start = new(2026, 2, 27, 22, 0, 0, TimeSpan.Zero);
    private readonly List<ListedCall> all = Random(new Random(20260227), 4_000), deleted = Random(new Random(3), 1_000);
    private TestDatabase database = null!;

    public static string[] Agents { get; } = [.. Enumerable.Range(1, 4).Select(n => $"{n}1111111-1111-1111-1111-111111111111")];

    public string AccountId { get; } = Guid.NewGuid().ToString();

    public NpgsqlDataSource Database { get; private set; } = null!;

    internal CallStore Store => StoreWith(CallListQuery.Few);

    public IReadOnlyList<ListedCall> All => all;

    public IReadOnlyList<ListedCall> Deleted => deleted;

    public async ValueTask InitializeAsync()
    {
        database = await PostgresServer.CreateDatabaseAsync();
        Database = NpgsqlDataSource.Create(database.ConnectionString);
        await ExecuteAsync(CallTables.Sql);
        await InsertAsync(Database, AccountId, all, CancellationToken.None);
        await InsertDeletedAsync();
        // Without statistics the planner takes a table that just grew for an empty one.
        await ExecuteAsync("analyze");
    }

    public async ValueTask DisposeAsync()
    {
        await Database.DisposeAsync();
        await database.DisposeAsync();
    }

    /// <param name="few">See <see cref="CallListQuery"/>.</param>
    internal CallStore StoreWith(int few) => new(Database, new SealedJson(new SecretKey(new byte[32])), few);

    /// <summary>Many share their moments to the hour, so that ids decide between them.</summary>
    public static List<ListedCall> Random(Random random, int count, int agents = 4)
    {
        var calls = new List<ListedCall>(count);
        for (var i = 0; i < count; i++)
        {
            var created = Start + (random.Next(3) == 0 ? TimeSpan.FromHours(random.Next(96)) : TimeSpan.FromMicroseconds(random.NextInt64(96L * 3_600_000_000)));
            DateTimeOffset? joined = random.Next(5) > 0 ? created.AddSeconds(random.Next(20)) : null;
            DateTimeOffset? ended = random.Next(40) > 0 ? (joined ?? created) + (random.Next(2) == 0 ? TimeSpan.FromSeconds(5 * random.Next(400)) : TimeSpan.FromMilliseconds(random.Next(100_000_000))) : null;
            var metadata = new Dictionary<string, string>();
            if (random.Next(2) == 0) metadata["source"] = random.Next(2) == 0 ? "web" : "phone";
            if (random.Next(10) == 0) metadata["campaign"] = random.Next(5).ToString(CultureInfo.InvariantCulture);
            calls.Add(new(
                new Guid(Enumerable.Range(0, 16).Select(_ => (byte)random.Next(256)).ToArray()).ToString(), random.Next(agents + 1) is var agent && agent < agents ? Agents[agent] : null, created, joined, ended,
                random.Next(3) switch { 0 => "Mark", 1 => "tanya", _ => null }, metadata,
                string.Join(' ', Enumerable.Range(0, random.Next(4)).Select(_ => Vocabulary[random.Next(Vocabulary.Length)])), ended is not null && random.Next(100) > 0));
        }
        return calls;
    }

    private async Task InsertDeletedAsync()
    {
        await using var command = Database.CreateCommand("""
            insert into deleted_calls (call_id, account_id, agent_id, created, deleted, joined, ended, max_duration, recording_enabled, had_summary)
            select call_id, $1, agent_id, created, created + interval '9 days', joined, ended, '1 hour', false, false from unnest($2, $3, $4, $5, $6) c(call_id, agent_id, created, joined, ended)
            """);
        command.Parameters.Add(new() { Value = AccountId });
        AddColumns(command, deleted);
        await command.ExecuteNonQueryAsync();
    }

    private async Task ExecuteAsync(string sql)
    {
        await using var command = Database.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    internal static async Task InsertAsync(NpgsqlDataSource database, string accountId, IReadOnlyList<ListedCall> calls, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand("""
            with given as (
                insert into calls (call_id, account_id, agent_id, created, joined, ended, voice, metadata, summary_pending, document)
                select call_id, $1, agent_id, created, joined, ended, voice, metadata, false, document
                from unnest($2, $3, $4, $5, $6, $7, $8, $9) c(call_id, agent_id, created, joined, ended, voice, metadata, document)
            )
            insert into call_messages (call_id, stage_id, index, initial, document)
            select call_id, 's', index, index = 0, jsonb_build_object('role', (array['MESSAGE_ROLE_USER', 'MESSAGE_ROLE_AGENT', 'MESSAGE_ROLE_TOOL_RESULT'])[index + 1], 'text', case index when 1 then words else 'hidden' end)
            from unnest($2, $10) m(call_id, words), generate_series(0, 2) index
            """);
        command.Parameters.Add(new() { Value = accountId });
        AddColumns(command, calls);
        Add(command, NpgsqlDbType.Text, calls.Select(call => call.Voice));
        Add(command, NpgsqlDbType.Jsonb, calls.Select(call => JsonSerializer.Serialize(call.Metadata)));
        Add(command, NpgsqlDbType.Jsonb, calls.Select(Document));
        Add(command, NpgsqlDbType.Text, calls.Select(call => call.Words));
        await command.ExecuteNonQueryAsync(cancellationToken);

        await using var index = database.CreateCommand("update calls set words = call_words(call_id, document) where call_id = any($1)");
        index.Parameters.Add(new() { Value = calls.Where(call => call.HasWords).Select(call => call.CallId).ToArray() });
        await index.ExecuteNonQueryAsync(cancellationToken);
    }

    private static void AddColumns(NpgsqlCommand command, IReadOnlyList<ListedCall> calls)
    {
        Add(command, NpgsqlDbType.Text, calls.Select(call => call.CallId));
        Add(command, NpgsqlDbType.Text, calls.Select(call => call.AgentId));
        Add(command, NpgsqlDbType.TimestampTz, calls.Select(call => call.Created));
        Add(command, NpgsqlDbType.TimestampTz, calls.Select(call => call.Joined));
        Add(command, NpgsqlDbType.TimestampTz, calls.Select(call => call.Ended));
    }

    private static void Add<T>(NpgsqlCommand command, NpgsqlDbType type, IEnumerable<T> values) => command.Parameters.Add(new() { Value = values.ToArray(), NpgsqlDbType = NpgsqlDbType.Array | type });

    private static string Document(ListedCall call) => JsonSerializer.Serialize(
        new CallSnapshot
        {
            Settings = new CallSettings
            {
                CallId = call.CallId, AccountId = "", Created = call.Created, Medium = new CallMedium { ServerWebSocket = new WebSocketMedium { InputSampleRate = 16_000 } },
                FirstSpeaker = new FirstSpeakerSettings { Agent = new AgentGreeting() }, FirstStage = Stage(call),
            },
            Stage = Stage(call),
        },
        WireJson.Options);

    private static StageSettings Stage(ListedCall call) => new() { CallStageId = "s", Created = call.Created, Model = "m", SystemPrompt = "p" };
}
