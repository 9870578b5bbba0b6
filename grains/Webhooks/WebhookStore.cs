using System.Security.Cryptography;
using Microsoft.Extensions.Options;
using Npgsql;
using NpgsqlTypes;
using VoiceGrains.GrainInterfaces.Paging;
using VoiceGrains.GrainInterfaces.Validation;
using VoiceGrains.Grains.Paging;
using VoiceGrains.Grains.Secrets;
using VoiceGrains.Grains.Storage;

namespace VoiceGrains.Grains.Webhooks;

/// <summary>The accounts' webhooks. Everything is asked for in the name of an account, and of others' webhooks nothing is told.</summary>
public sealed class WebhookStore(NpgsqlDataSource database, SealedJson json, TimeProvider clock, IOptions<WebhookOptions> options)
{
    private const string Columns = "webhook_id, account_id, agent_id, created, url, secrets, events, status, last_status_change, recent_failures";

    /// <summary>Another address has failed at nothing yet.</summary>
    private const string Store = $"""
        update webhooks set agent_id = case when @agent_given then @agent else agent_id end, url = coalesce(@url, url),
            secrets = coalesce(@secrets, secrets), events = coalesce(@events, events),
            failures_in_row = case when url = coalesce(@url, url) then failures_in_row else 0 end,
            recent_failures = case when url = coalesce(@url, url) then recent_failures else '[]' end,
            last_status_change = case when url = coalesce(@url, url) or status = 'normal' then last_status_change else @now end,
            status = case when url = coalesce(@url, url) then status else 'normal' end
        where webhook_id = @id and account_id = @account returning {Columns}
        """;

    private static readonly SortColumn ByCreated = new("created", "created", "timestamptz");
    private static readonly KeysetQuery Webhooks = new("webhooks", Columns, new("id", "webhook_id", "uuid"));

    /// <summary>256 random bits, in letters and digits.</summary>
    public static string CreateSecret() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32));

    /// <param name="accountId">Whose it will be.</param>
    /// <param name="terms">All of what it is.</param>
    /// <param name="cancellationToken">Cancels the statement.</param>
    /// <exception cref="InvalidInputException">The account has as many as it may.</exception>
    public async Task<Webhook> CreateAsync(string accountId, WebhookChanges terms, CancellationToken cancellationToken)
    {
        const string create = $"""
            insert into webhooks (webhook_id, account_id, agent_id, created, url, secrets, events)
            select @id, @account, @agent, @now, @url, @secrets, @events where (select count(*) from webhooks where account_id = @account) < @limit
            returning {Columns}
            """;
        await using var command = Command(create, accountId, Guid.NewGuid(), terms);
        command.Parameters.Add(new("limit", options.Value.MaxPerAccount));
        return await ReadOneAsync(command, cancellationToken)
            ?? throw new InvalidInputException(InputErrors.NonField, $"An account may have no more than {options.Value.MaxPerAccount} webhooks.");
    }

    /// <summary>Oldest first.</summary>
    public Task<Page<Webhook>> ListAsync(string accountId, string? agentId, PageRequest page, CancellationToken cancellationToken)
    {
        var filter = new SqlFilter().Where("account_id = {0}", accountId);
        if (agentId is not null) filter.Where("agent_id = {0}", agentId);
        return Webhooks.ReadAsync(database, filter, page, ByCreated, descending: false, Read, cancellationToken);
    }

    /// <summary>Null when the account has none of this id.</summary>
    public async Task<Webhook?> FindAsync(string accountId, Guid webhookId, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand($"select {Columns} from webhooks where webhook_id = $1 and account_id = $2");
        command.Parameters.Add(new() { Value = webhookId });
        command.Parameters.Add(new() { Value = accountId });
        return await ReadOneAsync(command, cancellationToken);
    }

    /// <summary>Null when the account has none of this id. What is owed to it goes to its new address, signed with its new secrets.</summary>
    public async Task<Webhook?> UpdateAsync(string accountId, Guid webhookId, WebhookChanges changes, CancellationToken cancellationToken)
    {
        await using var command = Command(Store, accountId, webhookId, changes);
        return await ReadOneAsync(command, cancellationToken);
    }

    /// <summary>False when the account has none of this id. What is owed to it is dropped.</summary>
    public async Task<bool> DeleteAsync(string accountId, Guid webhookId, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand("delete from webhooks where webhook_id = $1 and account_id = $2");
        command.Parameters.Add(new() { Value = webhookId });
        command.Parameters.Add(new() { Value = accountId });
        return await command.ExecuteNonQueryAsync(cancellationToken) > 0;
    }

    private NpgsqlCommand Command(string sql, string accountId, Guid webhookId, WebhookChanges given)
    {
        var command = database.CreateCommand(sql);
        command.Parameters.Add(new("id", webhookId));
        command.Parameters.Add(new("account", accountId));
        command.Parameters.Add(new("agent_given", given.AgentGiven));
        command.Parameters.Add(new("now", clock.GetUtcNow()));
        Add("agent", NpgsqlDbType.Text, given.AgentId);
        Add("url", NpgsqlDbType.Text, given.Url);
        Add("secrets", NpgsqlDbType.Jsonb, given.Secrets is null ? null : json.Serialize(new WebhookSecrets(given.Secrets)));
        Add("events", NpgsqlDbType.Array | NpgsqlDbType.Text, given.Events?.Distinct().Order().Select(e => e.Name()).ToArray());
        return command;

        void Add(string name, NpgsqlDbType type, object? value) => command.Parameters.Add(new(name, type) { Value = value ?? DBNull.Value });
    }

    private async Task<Webhook?> ReadOneAsync(NpgsqlCommand command, CancellationToken cancellationToken)
    {
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        return await row.ReadAsync(cancellationToken) ? Read(row) : null;
    }

    private Webhook Read(NpgsqlDataReader row) => new()
    {
        WebhookId = row.GetGuid(0),
        AccountId = row.GetString(1),
        AgentId = row.IsDBNull(2) ? null : row.GetString(2),
        Created = row.GetFieldValue<DateTimeOffset>(3),
        Url = row.GetString(4),
        Secrets = json.Deserialize<WebhookSecrets>(row.GetFieldValue<byte[]>(5)).Secrets,
        Events = [.. row.GetFieldValue<string[]>(6).Select(WebhookEvents.Parse)],
        Status = row.GetString(7) == "normal" ? WebhookStatus.Normal : WebhookStatus.Unhealthy,
        LastStatusChange = row.InstantOrNull(8),
        RecentFailures = json.Deserialize<List<WebhookFailure>>(row.GetFieldValue<byte[]>(9)),
    };
}

/// <summary>What the account says of a webhook. Null is not said, but for the agent, where it means all agents if <paramref name="AgentGiven"/>.</summary>
public sealed record WebhookChanges(bool AgentGiven, string? AgentId, string? Url, IReadOnlyList<string>? Secrets, IReadOnlyList<WebhookEvent>? Events);
