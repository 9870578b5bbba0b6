using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Options;
using Npgsql;
using NpgsqlTypes;
using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.Grains.Secrets;

namespace VoiceGrains.Grains.Webhooks;

/// <summary>
/// The outbox as a queue for the processes that deliver. A claim moves a row's time of being due past the lease, so that no transaction is open while a
/// receiver is waited for, and a process that dies holds nothing.
/// </summary>
internal sealed class DeliveryQueue(NpgsqlDataSource database, SealedJson json, TimeProvider clock, IOptions<WebhookOptions> options)
{
    /// <summary>
    /// Goes from lane to lane by the index, so that a receiver with many rows costs no more than one with few. Events of a call wait for earlier ones until
    /// these were tried once; then they wait no more, since a receiver may refuse one kind of event for ever. (Asked for by a subquery and not by "not exists",
    /// which would be answered for all rows of the table before the first is taken.)
    /// </summary>
    private const string Claim = """
        with recursive lanes as (
            (select lane from webhook_outbox where outcome is null order by lane limit 1)
            union all
            select (select o.lane from webhook_outbox o where o.outcome is null and o.lane > l.lane order by o.lane limit 1) from lanes l where l.lane is not null
        ), claimed as (
            select found.id from lanes l left join unnest(@busy, @allowed) as b(lane, allowed) on b.lane = l.lane
            cross join lateral (
                select o.id, o.due from webhook_outbox o
                where o.lane = l.lane and o.outcome is null and o.due <= @now and (
                    select e.id from webhook_outbox e where e.call_id = o.call_id and e.webhook_id is not distinct from o.webhook_id
                        and e.position < o.position and e.outcome is null and e.failures = 0 limit 1) is null
                order by o.due, o.id limit coalesce(b.allowed, @each)
                for update of o skip locked) found
            where l.lane is not null
            order by found.due, found.id limit @most
        )
        update webhook_outbox o set due = @until, lease = @lease, held = false from claimed where o.id = claimed.id
        returning o.id, o.call_id, o.event, o.lane, o.failures, o.webhook_id, o.document, o.callback,
            (select w.url from webhooks w where w.webhook_id = o.webhook_id), (select w.secrets from webhooks w where w.webhook_id = o.webhook_id)
        """;

    private const string Delivered = """
        with done as (
            update webhook_outbox set outcome = 'delivered', settled = @now, document = null, callback = null where id = @id and lease = @lease returning webhook_id)
        update webhooks w set failures_in_row = 0, status = 'normal', last_status_change = case w.status when 'normal' then w.last_status_change else @now end
        from done where w.webhook_id = done.webhook_id and (w.failures_in_row > 0 or w.status <> 'normal')
        """;

    private const string Failed = """
        with failed as (
            update webhook_outbox set failures = failures + 1, due = coalesce(@again, due),
                document = case when @again is not null then document end, callback = case when @again is not null then callback end,
                outcome = case when @again is null then 'given_up' end, settled = case when @again is null then @now end
            where id = @id and lease = @lease returning webhook_id)
        update webhooks w set failures_in_row = w.failures_in_row + 1,
            recent_failures = jsonb_path_query_array(jsonb_build_array(@failure) || w.recent_failures, '$[0 to 9]'),
            status = case when @again is null or w.failures_in_row + 1 >= @limit then 'unhealthy' else w.status end,
            last_status_change = case when w.status = 'normal' and (@again is null or w.failures_in_row + 1 >= @limit) then @now else w.last_status_change end
        from failed where w.webhook_id = failed.webhook_id
        """;

    private const string Release = "update webhook_outbox set due = @now where id = @id and lease = @lease and outcome is null";

    private const string Forget = """
        delete from webhook_outbox where id in (select id from webhook_outbox where outcome is not null and settled < @before limit 1000)
        """;

    private const string Depth = "select count(*), coalesce(min(created), @now) from webhook_outbox where outcome is null and not held";

    /// <summary>Takes what is due, the longest due first.</summary>
    /// <param name="most">At most so many.</param>
    /// <param name="allowed">Lanes to which fewer than usual may go now.</param>
    /// <param name="cancellationToken">Cancels the query.</param>
    public async Task<IReadOnlyList<Delivery>> ClaimAsync(int most, IReadOnlyDictionary<string, int> allowed, CancellationToken cancellationToken)
    {
        var lease = Guid.NewGuid();
        await using var command = database.CreateCommand(Claim);
        Add(command, "busy", allowed.Keys.ToArray(), NpgsqlDbType.Array | NpgsqlDbType.Text);
        Add(command, "allowed", allowed.Values.ToArray(), NpgsqlDbType.Array | NpgsqlDbType.Integer);
        Add(command, "now", clock.GetUtcNow(), NpgsqlDbType.TimestampTz);
        Add(command, "until", clock.GetUtcNow() + options.Value.Lease, NpgsqlDbType.TimestampTz);
        Add(command, "each", options.Value.ConcurrencyPerReceiver, NpgsqlDbType.Integer);
        Add(command, "most", most, NpgsqlDbType.Integer);
        Add(command, "lease", lease, NpgsqlDbType.Uuid);
        var claimed = new List<Delivery>();
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        while (await row.ReadAsync(cancellationToken)) claimed.Add(Read(row, lease));
        return claimed;
    }

    public Task SettleDeliveredAsync(Delivery delivery, CancellationToken cancellationToken) => SettleAsync(Delivered, delivery, cancellationToken);

    /// <param name="delivery">What was tried.</param>
    /// <param name="again">When it is tried next; null when it is given up.</param>
    /// <param name="failure">Why, in words for the tenant.</param>
    /// <param name="cancellationToken">Cancels the statement.</param>
    public Task SettleFailedAsync(Delivery delivery, DateTimeOffset? again, string failure, CancellationToken cancellationToken)
        => SettleAsync(Failed, delivery, cancellationToken, command =>
        {
            Add(command, "again", (object?)again ?? DBNull.Value, NpgsqlDbType.TimestampTz);
            Add(command, "limit", options.Value.UnhealthyAfter, NpgsqlDbType.Integer);
            Add(command, "failure", json.Serialize(new WebhookFailure(clock.GetUtcNow(), failure)), NpgsqlDbType.Jsonb);
        });

    /// <summary>It was not tried to the end: whoever comes next may.</summary>
    public Task ReleaseAsync(Delivery delivery, CancellationToken cancellationToken) => SettleAsync(Release, delivery, cancellationToken);

    /// <summary>Deletes some of what was settled longer ago than it is kept.</summary>
    public async Task<int> ForgetAsync(CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(Forget);
        Add(command, "before", clock.GetUtcNow() - options.Value.Retention, NpgsqlDbType.TimestampTz);
        return await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>How many deliveries are owed, and for how long the oldest of them is.</summary>
    public async Task<(long Owed, TimeSpan Oldest)> DepthAsync(CancellationToken cancellationToken)
    {
        var now = clock.GetUtcNow();
        await using var command = database.CreateCommand(Depth);
        Add(command, "now", now, NpgsqlDbType.TimestampTz);
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        await row.ReadAsync(cancellationToken);
        return (row.GetInt64(0), now - row.GetFieldValue<DateTimeOffset>(1));
    }

    /// <summary>Which conversation of the call is the last; null when the call is deleted.</summary>
    public async Task<int?> GenerationAsync(string callId, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand("select generation from calls where call_id = @call");
        Add(command, "call", callId, NpgsqlDbType.Text);
        return (int?)await command.ExecuteScalarAsync(cancellationToken);
    }

    private async Task SettleAsync(string sql, Delivery delivery, CancellationToken cancellationToken, Action<NpgsqlCommand>? more = null)
    {
        await using var command = database.CreateCommand(sql);
        Add(command, "id", delivery.Id, NpgsqlDbType.Bigint);
        Add(command, "lease", delivery.Lease, NpgsqlDbType.Uuid);
        Add(command, "now", clock.GetUtcNow(), NpgsqlDbType.TimestampTz);
        more?.Invoke(command);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private Delivery Read(NpgsqlDataReader row, Guid lease)
    {
        var webhookId = row.IsDBNull(5) ? (Guid?)null : row.GetGuid(5);
        var claimed = new Delivery(row.GetInt64(0), lease, row.GetString(1), row.GetString(2), row.GetString(3), row.GetInt32(4), webhookId, null, "", []);
        try
        {
            var (url, secrets) = webhookId is null
                ? Receiver(json.Deserialize<OwedCallback>(row.GetFieldValue<byte[]>(7)).Receiver)
                : (row.GetString(8), json.Deserialize<WebhookSecrets>(row.GetFieldValue<byte[]>(9)).Secrets);
            return claimed with { Call = json.Deserialize<CallSnapshot>(row.GetFieldValue<byte[]>(6)), Url = url, Secrets = secrets };
        }
        catch (Exception damage) when (damage is JsonException or CryptographicException or InvalidOperationException)
        {
            return claimed;     // it fails alone, and does not keep the others of its claim
        }
    }

    private static (string Url, IReadOnlyList<string> Secrets) Receiver(JsonObject? callback)
        => (callback?["url"]?.GetValue<string>() ?? "", [.. (callback?["secrets"] as JsonArray ?? []).OfType<JsonValue>().Select(secret => secret.GetValue<string>())]);

    private static void Add(NpgsqlCommand command, string name, object value, NpgsqlDbType type)
        => command.Parameters.Add(new NpgsqlParameter(name, type) { Value = value });
}
