using Npgsql;
using VoiceGrains.GrainInterfaces.Accounts;
using VoiceGrains.Grains.Storage;

namespace VoiceGrains.Grains.Accounts;

/// <summary>Accounts and the keys that speak for them. Plain rows: nothing here needs one owner at a time.</summary>
public sealed class AccountStore(NpgsqlDataSource database, TimeProvider clock)
{
    /// <summary>Of <c>accounts a</c>, for <see cref="ReadAccount"/>.</summary>
    internal const string Columns = "a.account_id, a.name, a.plan, a.allowed_concurrent_calls, a.created, a.disabled, a.retention_days";
    internal const int ColumnCount = 7;

    /// <summary>Null for an unknown account.</summary>
    public async Task<Account?> FindAsync(Guid accountId, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(
            $"select {Columns} from accounts a where account_id = $1");
        command.Parameters.Add(new() { Value = accountId });
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        return await row.ReadAsync(cancellationToken) ? ReadAccount(row) : null;
    }

    /// <summary>A key as stored, with its account; null for an unknown prefix. The caller compares the hash.</summary>
    public async Task<StoredKey?> FindKeyAsync(string prefix, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(
            $"""
            select {Columns}, k.key_hash, k.expires, k.revoked
            from api_keys k join accounts a on a.account_id = k.account_id where k.prefix = $1
            """);
        command.Parameters.Add(new() { Value = prefix });
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        if (!await row.ReadAsync(cancellationToken)) return null;
        return new(ReadAccount(row), prefix, row.GetFieldValue<byte[]>(ColumnCount), row.InstantOrNull(ColumnCount + 1), row.InstantOrNull(ColumnCount + 2));
    }

    /// <summary>Remembers roughly when a key was used: at most one write a minute for a key, and none that waits for another.</summary>
    public async Task TouchKeyAsync(string prefix, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(
            """
            update api_keys set last_used = $2
            where prefix = (select prefix from api_keys where prefix = $1 and (last_used is null or last_used < $3) for update skip locked)
            """);
        command.Parameters.Add(new() { Value = prefix });
        command.Parameters.Add(new() { Value = clock.GetUtcNow() });
        command.Parameters.Add(new() { Value = clock.GetUtcNow().AddMinutes(-1) });
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Makes an account. Nothing but its plan's limits holds it back.</summary>
    public async Task<Account> CreateAsync(string name, string plan, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        return await InsertAsync(connection, name, plan, cancellationToken);
    }

    /// <summary>Makes a key and returns it for the only time. For those who run the server: unlike <see cref="ApiKeyStore"/> it sets no limit.</summary>
    /// <param name="expires">Null for never.</param>
    public async Task<ApiKey> CreateKeyAsync(Guid accountId, string name, DateTimeOffset? expires, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        return await InsertKeyAsync(connection, accountId, name, expires, cancellationToken);
    }

    /// <summary>On a connection of the caller's, whose transaction it joins.</summary>
    internal async Task<Account> InsertAsync(NpgsqlConnection connection, string name, string plan, CancellationToken cancellationToken)
    {
        var account = new Account { AccountId = Guid.NewGuid(), Name = name, Plan = plan, Created = clock.GetUtcNow() };
        await using var command = new NpgsqlCommand("insert into accounts (account_id, name, plan, created) values ($1, $2, $3, $4)", connection)
        {
            Parameters = { new() { Value = account.AccountId }, new() { Value = name }, new() { Value = plan }, new() { Value = account.Created } },
        };
        await command.ExecuteNonQueryAsync(cancellationToken);
        return account;
    }

    internal async Task<ApiKey> InsertKeyAsync(NpgsqlConnection connection, Guid accountId, string name, DateTimeOffset? expires, CancellationToken cancellationToken)
    {
        var key = ApiKey.Create();
        await using var command = new NpgsqlCommand(
            "insert into api_keys (prefix, account_id, name, key_hash, created, expires) values ($1, $2, $3, $4, $5, $6)", connection)
        {
            Parameters =
            {
                new() { Value = key.Prefix }, new() { Value = accountId }, new() { Value = name }, new() { Value = key.Hash() },
                new() { Value = clock.GetUtcNow() }, new() { Value = expires?.ToUniversalTime() ?? (object)DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.TimestampTz },
            },
        };
        await command.ExecuteNonQueryAsync(cancellationToken);
        return key;
    }

    internal static Account ReadAccount(NpgsqlDataReader row) => new()
    {
        AccountId = row.GetGuid(0),
        Name = row.GetString(1),
        Plan = row.GetString(2),
        AllowedConcurrentCalls = row.IsDBNull(3) ? null : row.GetInt32(3),
        Created = row.GetFieldValue<DateTimeOffset>(4),
        Disabled = row.InstantOrNull(5),
        RetentionDays = row.IsDBNull(6) ? null : row.GetInt32(6),
    };
}

/// <summary>An API key as stored: its hash, and until when it holds.</summary>
public sealed record StoredKey(Account Account, string Prefix, byte[] Hash, DateTimeOffset? Expires, DateTimeOffset? Revoked);
