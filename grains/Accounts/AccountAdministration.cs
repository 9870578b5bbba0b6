using Npgsql;
using NpgsqlTypes;
using VoiceGrains.GrainInterfaces;
using VoiceGrains.GrainInterfaces.Accounts;
using VoiceGrains.GrainInterfaces.Paging;
using VoiceGrains.Grains.Paging;
using VoiceGrains.Grains.Storage;

namespace VoiceGrains.Grains.Accounts;

/// <summary>What those who run the server do with accounts and their keys. Nothing here asks in whose name.</summary>
public sealed class AccountAdministration(NpgsqlDataSource database, AccountStore accounts, TimeProvider clock)
{
    private const string KeyColumns = $"{ApiKeyStore.Columns}, last_used, account_id";

    private const string Counts = """
        (select count(*)::integer from api_keys k where k.account_id = a.account_id and k.revoked is null and (k.expires is null or k.expires > now())),
        (select count(*)::integer from agents g where g.account_id = a.account_id::text),
        (select count(*)::integer from calls c where c.account_id = a.account_id::text and c.ended is null),
        (select count(*) from calls c where c.account_id = a.account_id::text)
        """;

    private static readonly SortColumn AccountCreated = new("created", "a.created", "timestamptz");
    private static readonly SortColumn KeyCreated = new("created", "created", "timestamptz");
    private static readonly KeysetQuery Accounts = new("accounts a", $"{AccountStore.Columns}, {Counts}", new("accountId", "a.account_id", "uuid"));
    private static readonly KeysetQuery Keys = new("api_keys", KeyColumns, new("prefix", "prefix", "text"));

    /// <summary>An account and its first key, both or none.</summary>
    /// <param name="account">All of it but the plan has a default.</param>
    /// <param name="keyName">Of the key.</param>
    /// <param name="cancellationToken">Cancels the transaction.</param>
    public async Task<(Account Account, NewApiKey Key)> CreateAsync(AccountChanges account, string keyName, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        var made = await accounts.InsertAsync(connection, account.Name ?? "", account.Plan ?? AccountSetup.SelfHostedPlan, cancellationToken);
        var key = await accounts.InsertKeyAsync(connection, made.AccountId, keyName, expires: null, cancellationToken);
        await UpdateAsync(connection, made.AccountId, account, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        made = made with { AllowedConcurrentCalls = account.ConcurrentCalls?.Number, RetentionDays = account.RetentionDays?.Number };
        return (made, new(new(key.Prefix, keyName, made.Created, null, null), key));
    }

    /// <summary>Newest first.</summary>
    /// <param name="search">A part of the name, or the whole id; null for all.</param>
    /// <param name="page">Which part.</param>
    /// <param name="cancellationToken">Cancels the queries.</param>
    public Task<Page<AccountOverview>> ListAsync(string? search, PageRequest page, CancellationToken cancellationToken)
    {
        var rows = new SqlFilter();
        if (search is not null) rows.Where("a.name ilike {0} or a.account_id::text = {1}", SqlFilter.Contains(search), search.ToLowerInvariant());
        return Accounts.ReadAsync(database, rows, page, AccountCreated, descending: true, ReadOverview, cancellationToken);
    }

    /// <exception cref="PlatformException"><see cref="ErrorCode.NotFound"/>.</exception>
    public async Task<AccountOverview> GetAsync(Guid accountId, CancellationToken cancellationToken)
    {
        var rows = new SqlFilter().Where("a.account_id = {0}", accountId);
        return await Accounts.FindAsync(database, rows, ReadOverview, cancellationToken) ?? throw NoAccount();
    }

    /// <exception cref="PlatformException"><see cref="ErrorCode.NotFound"/>.</exception>
    public async Task UpdateAsync(Guid accountId, AccountChanges changes, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await UpdateAsync(connection, accountId, changes, cancellationToken);
    }

    /// <summary>From the commit on no gateway takes its keys. One that is disabled already stays so from when it was.</summary>
    /// <exception cref="PlatformException"><see cref="ErrorCode.NotFound"/>.</exception>
    public Task DisableAsync(Guid accountId, CancellationToken cancellationToken)
        => ChangeAsync("update accounts set disabled = coalesce(disabled, $2) where account_id = $1", accountId, cancellationToken, new NpgsqlParameter { Value = clock.GetUtcNow() });

    /// <exception cref="PlatformException"><see cref="ErrorCode.NotFound"/>.</exception>
    public Task EnableAsync(Guid accountId, CancellationToken cancellationToken)
        => ChangeAsync("update accounts set disabled = null where account_id = $1", accountId, cancellationToken);

    /// <summary>Calls that wait for their client or talk.</summary>
    public async Task<IReadOnlyList<string>> ListUnendedCallsAsync(Guid accountId, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand("select call_id from calls where account_id = $1 and ended is null");
        command.Parameters.Add(new() { Value = accountId.ToString() });
        var callIds = new List<string>();
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        while (await row.ReadAsync(cancellationToken)) callIds.Add(row.GetString(0));
        return callIds;
    }

    /// <summary>Makes a key, however many the account has.</summary>
    /// <exception cref="PlatformException"><see cref="ErrorCode.NotFound"/>.</exception>
    public async Task<NewApiKey> CreateKeyAsync(Guid accountId, string name, DateTimeOffset? expires, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        try
        {
            var key = await accounts.InsertKeyAsync(connection, accountId, name, expires, cancellationToken);
            return new(new(key.Prefix, name, clock.GetUtcNow(), expires, null), key);
        }
        catch (PostgresException refused) when (refused.SqlState == PostgresErrorCodes.ForeignKeyViolation)
        {
            throw NoAccount();
        }
    }

    /// <summary>Newest first; revoked and expired ones too.</summary>
    public Task<Page<AdministeredKey>> ListKeysAsync(Guid accountId, PageRequest page, CancellationToken cancellationToken)
        => Keys.ReadAsync(database, new SqlFilter().Where("account_id = {0}", accountId), page, KeyCreated, descending: true, ReadKey, cancellationToken);

    /// <summary>Ends a key for good, also an account's last.</summary>
    /// <exception cref="PlatformException"><see cref="ErrorCode.NotFound"/>.</exception>
    public async Task<AdministeredKey> RevokeKeyAsync(string prefix, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand($"update api_keys set revoked = coalesce(revoked, $2) where prefix = $1 returning {KeyColumns}");
        command.Parameters.Add(new() { Value = prefix });
        command.Parameters.Add(new() { Value = clock.GetUtcNow() });
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        return await row.ReadAsync(cancellationToken) ? ReadKey(row) : throw new PlatformException(ErrorCode.NotFound, "No API key has this prefix.");
    }

    private static async Task UpdateAsync(NpgsqlConnection connection, Guid accountId, AccountChanges changes, CancellationToken cancellationToken)
    {
        const string update = """
            update accounts set name = coalesce($2, name), plan = coalesce($3, plan),
                allowed_concurrent_calls = case when $4 then $5 else allowed_concurrent_calls end, retention_days = case when $6 then $7 else retention_days end
            where account_id = $1
            """;
        await using var command = new NpgsqlCommand(update, connection);
        command.Parameters.Add(new() { Value = accountId });
        command.Parameters.Add(Text(changes.Name));
        command.Parameters.Add(Text(changes.Plan));
        foreach (var setting in (ReadOnlySpan<AccountChanges.Setting?>)[changes.ConcurrentCalls, changes.RetentionDays])
        {
            command.Parameters.Add(new() { Value = setting is not null });
            command.Parameters.Add(new() { Value = setting?.Number ?? (object)DBNull.Value, NpgsqlDbType = NpgsqlDbType.Integer });
        }
        if (await command.ExecuteNonQueryAsync(cancellationToken) == 0) throw NoAccount();
    }

    private async Task ChangeAsync(string sql, Guid accountId, CancellationToken cancellationToken, params NpgsqlParameter[] values)
    {
        await using var command = database.CreateCommand(sql);
        command.Parameters.Add(new() { Value = accountId });
        foreach (var value in values) command.Parameters.Add(value);
        if (await command.ExecuteNonQueryAsync(cancellationToken) == 0) throw NoAccount();
    }

    private static NpgsqlParameter Text(string? text) => new() { Value = text ?? (object)DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text };

    private static PlatformException NoAccount() => new(ErrorCode.NotFound, "No account has this id.");

    private static AccountOverview ReadOverview(NpgsqlDataReader row) => new(
        AccountStore.ReadAccount(row), row.GetInt32(AccountStore.ColumnCount), row.GetInt32(AccountStore.ColumnCount + 1),
        row.GetInt32(AccountStore.ColumnCount + 2), row.GetInt64(AccountStore.ColumnCount + 3));

    private static AdministeredKey ReadKey(NpgsqlDataReader row)
        => new(ApiKeyStore.Read(row), row.InstantOrNull(ApiKeyStore.ColumnCount), row.GetGuid(ApiKeyStore.ColumnCount + 1));
}

/// <param name="ApiKeys">Those that work.</param>
/// <param name="ActiveCalls">Calls that wait for their client or talk.</param>
/// <param name="Calls">All that are kept.</param>
public sealed record AccountOverview(Account Account, int ApiKeys, int Agents, int ActiveCalls, long Calls);

/// <param name="LastUsed">To a minute; null for never.</param>
public sealed record AdministeredKey(ApiKeyDetails Details, DateTimeOffset? LastUsed, Guid AccountId);
