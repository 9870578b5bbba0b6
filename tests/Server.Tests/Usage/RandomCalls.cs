using System.Text.Json;
using Npgsql;
using NpgsqlTypes;
using VoiceGrains.Server.Tests.Hosting;

namespace VoiceGrains.Server.Tests.Usage;

/// <summary>A few hundred calls of one account as rows, and the same in memory for a naive count.</summary>
internal sealed class RandomCalls
{
    private static readonly string?[] Reasons = ["hangup", "agent_hangup", "timeout", "connection_error", "system_error"];
    /// <summary>Where those that have not ended seem to live, so that no one takes them for lost.</summary>
    private const string Host = "elsewhere";

    private static readonly string[] Colours = ["red", "blue"];

    private readonly Random random;

    /// <param name="seed">Tells these calls from others; say it when a test fails.</param>
    /// <param name="until">No call was created later.</param>
    public RandomCalls(int seed, DateTimeOffset until)
    {
        random = new Random(seed);
        Busy = until.AddDays(-5 - random.Next(20));
        for (var i = 0; i < 300; i++) All.Add(Create(i % 2 == 0 ? Busy.AddSeconds(15 * random.Next(4 * 60 * 8)) : until - TimeSpan.FromMicroseconds(random.NextInt64(30L * 86_400_000_000))));
    }

    public List<Row> All { get; } = [];

    public string[] Agents { get; } = [.. Enumerable.Range(0, 3).Select(_ => Guid.NewGuid().ToString())];

    /// <summary>Half of the calls are within two hours from here and begin at the same moments.</summary>
    public DateTimeOffset Busy { get; }

    public async Task InsertAsync(NpgsqlDataSource database, string accountId)
    {
        await using var batch = database.CreateBatch();
        batch.BatchCommands.Add(new($"insert into conversation_hosts (host, expires) values ('{Host}', now() + interval '1 day') on conflict (host) do nothing"));
        foreach (var row in All) batch.BatchCommands.Add(row.Deleted is null ? InsertCall(row, accountId) : InsertDeleted(row, accountId));
        await batch.ExecuteNonQueryAsync(SiloFixture.Cancel);
    }

    private Row Create(DateTimeOffset created)
    {
        DateTimeOffset? joined = random.Next(4) > 0 ? created.AddSeconds(15 * random.Next(8)) : null;
        DateTimeOffset? ended = (joined ?? created) + (random.Next(2) == 0 ? TimeSpan.FromSeconds(6 * random.Next(200)) : TimeSpan.FromMicroseconds(random.NextInt64(3_600_000_000)));
        if (random.Next(40) == 0) ended = null;
        var deleted = ended is not null && random.Next(5) == 0;
        return new Row(
            Guid.NewGuid().ToString(), random.Next(4) is var agent && agent < 3 ? Agents[agent] : null, created, joined, ended,
            ended is null ? null : joined is null ? "unjoined" : Reasons[random.Next(Reasons.Length)], deleted ? ended!.Value.AddHours(1) : null,
            Colours[random.Next(Colours.Length)]);
    }

    private static NpgsqlBatchCommand InsertCall(Row row, string accountId)
    {
        var document = JsonSerializer.Serialize(new { endReason = row.EndReason, settings = new { agentName = row.AgentId is null ? null : "Gone" } });
        return new("insert into calls (call_id, account_id, agent_id, created, joined, ended, metadata, summary_pending, document, host) values ($1, $2, $3, $4, $5, $6, $7, false, $8, $9)")
        {
            Parameters =
            {
                new() { Value = row.CallId }, new() { Value = accountId }, Text(row.AgentId), new() { Value = row.Created }, Instant(row.Joined), Instant(row.Ended),
                new() { Value = $$"""{"colour":"{{row.Colour}}"}""", NpgsqlDbType = NpgsqlDbType.Jsonb }, new() { Value = document, NpgsqlDbType = NpgsqlDbType.Jsonb },
                Text(row.Ended is null ? Host : null),
            },
        };
    }

    private static NpgsqlBatchCommand InsertDeleted(Row row, string accountId) => new("""
        insert into deleted_calls (call_id, account_id, agent_id, created, deleted, joined, ended, end_reason, max_duration, recording_enabled, had_summary)
        values ($1, $2, $3, $4, $5, $6, $7, $8, '1 hour', false, false)
        """)
    {
        Parameters =
        {
            new() { Value = row.CallId }, new() { Value = accountId }, Text(row.AgentId), new() { Value = row.Created }, Instant(row.Deleted), Instant(row.Joined),
            Instant(row.Ended), Text(row.EndReason),
        },
    };

    private static NpgsqlParameter Instant(DateTimeOffset? value) => new() { Value = value ?? (object)DBNull.Value, NpgsqlDbType = NpgsqlDbType.TimestampTz };

    private static NpgsqlParameter Text(string? value) => new() { Value = value ?? (object)DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text };

    internal sealed record Row(
        string CallId, string? AgentId, DateTimeOffset Created, DateTimeOffset? Joined, DateTimeOffset? Ended, string? EndReason, DateTimeOffset? Deleted, string Colour)
    {
        public DateOnly Day => DateOnly.FromDateTime(Created.UtcDateTime);

        public TimeSpan Duration => Ended - Joined ?? TimeSpan.Zero;

        public bool IsError => EndReason is "connection_error" or "system_error";

        /// <summary>In units of 6 s.</summary>
        public long BilledUnits => EndReason == "system_error" ? 0 : (long)Math.Ceiling((decimal)Duration.Ticks / TimeSpan.TicksPerSecond / 6);
    }
}
