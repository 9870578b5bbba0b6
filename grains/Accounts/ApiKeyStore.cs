using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;
using VoiceGrains.GrainInterfaces;
using VoiceGrains.GrainInterfaces.Paging;
using VoiceGrains.GrainInterfaces.Validation;
using VoiceGrains.Grains.Paging;
using VoiceGrains.Grains.Storage;

namespace VoiceGrains.Grains.Accounts;

/// <summary>The keys that accounts keep. Everything is asked for in the name of an account, and of others' keys nothing is told.</summary>
public sealed partial class ApiKeyStore(
    NpgsqlDataSource database, AccountStore accounts, TimeProvider clock, IOptions<AccountOptions> options, ILogger<ApiKeyStore> logger)
{
    /// <summary>Of <c>api_keys</c>, for <see cref="Read"/>.</summary>
    internal const string Columns = "prefix, name, created, expires, revoked";
    internal const int ColumnCount = 5;

    private static readonly SortColumn ByCreated = new("created", "created", "timestamptz");
    private static readonly KeysetQuery Keys = new("api_keys", Columns, new("prefix", "prefix", "text"));

    /// <summary>Makes a key and returns it with its secret for the only time.</summary>
    /// <param name="accountId">Whose it will be.</param>
    /// <param name="name">At most 50 characters.</param>
    /// <param name="expires">Null for never. A key that is made expired is refused from the start.</param>
    /// <param name="cancellationToken">Cancels the transaction.</param>
    /// <exception cref="InvalidInputException">The account has as many as it may.</exception>
    public async Task<NewApiKey> CreateAsync(Guid accountId, string name, DateTimeOffset? expires, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await LockAsync(connection, accountId, cancellationToken);
        await RequireRoomAsync(connection, accountId, cancellationToken);
        var key = await accounts.InsertKeyAsync(connection, accountId, name, expires, cancellationToken);
        var details = await FindAsync(connection, accountId, key.Prefix, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        LogCreated(key.Prefix, accountId);
        return new(details!, key);
    }

    /// <summary>Newest first; revoked and expired ones too.</summary>
    public Task<Page<ApiKeyDetails>> ListAsync(Guid accountId, PageRequest page, CancellationToken cancellationToken)
        => Keys.ReadAsync(database, new SqlFilter().Where("account_id = {0}", accountId), page, ByCreated, descending: true, Read, cancellationToken);

    /// <summary>Null when the account has none of this prefix.</summary>
    public async Task<ApiKeyDetails?> FindAsync(Guid accountId, string prefix, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        return await FindAsync(connection, accountId, prefix, cancellationToken);
    }

    /// <summary>Ends a key for good and keeps it in the list. Null when the account has none of this prefix; one that is revoked stays as it is.</summary>
    /// <exception cref="PlatformException"><see cref="ErrorCode.LastApiKey"/>: nobody could use the account any more.</exception>
    public async Task<ApiKeyDetails?> RevokeAsync(Guid accountId, string prefix, CancellationToken cancellationToken)
    {
        const string revoke = $"update api_keys set revoked = coalesce(revoked, $3) where account_id = $1 and prefix = $2 returning {Columns}";
        var revoked = await EndAsync(accountId, prefix, revoke, [accountId, prefix, clock.GetUtcNow()], cancellationToken);
        if (revoked is not null) LogRevoked(prefix, accountId);
        return revoked;
    }

    /// <summary>False when the account has none of this prefix.</summary>
    /// <exception cref="PlatformException"><see cref="ErrorCode.LastApiKey"/>: nobody could use the account any more.</exception>
    public async Task<bool> DeleteAsync(Guid accountId, string prefix, CancellationToken cancellationToken)
    {
        const string delete = $"delete from api_keys where account_id = $1 and prefix = $2 returning {Columns}";
        var deleted = await EndAsync(accountId, prefix, delete, [accountId, prefix], cancellationToken);
        if (deleted is not null) LogDeleted(prefix, accountId);
        return deleted is not null;
    }

    private async Task<ApiKeyDetails?> EndAsync(Guid accountId, string prefix, string sql, object[] values, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await LockAsync(connection, accountId, cancellationToken);
        await RequireAnotherAsync(connection, accountId, prefix, cancellationToken);
        await using var command = Command(connection, sql, values);
        var ended = await ReadOneAsync(command, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return ended;
    }

    /// <summary>Changes to one account's keys wait for each other, so that its limits hold. A statement of its own: what follows must see what others committed.</summary>
    private static async Task LockAsync(NpgsqlConnection connection, Guid accountId, CancellationToken cancellationToken)
    {
        await using var command = Command(connection, "select 1 from accounts where account_id = $1 for no key update", accountId);
        await command.ExecuteScalarAsync(cancellationToken);
    }

    private async Task RequireRoomAsync(NpgsqlConnection connection, Guid accountId, CancellationToken cancellationToken)
    {
        var most = options.Value.MaxApiKeys;
        await using var command = Command(connection, "select count(*) from api_keys where account_id = $1", accountId);
        if ((long)(await command.ExecuteScalarAsync(cancellationToken))! >= most)
            throw new InvalidInputException(InputErrors.NonField, $"An account may have no more than {most} API keys. Delete one that is no longer used.");
    }

    /// <summary>There is no other way in than a key, so an account's last door stays open.</summary>
    private async Task RequireAnotherAsync(NpgsqlConnection connection, Guid accountId, string prefix, CancellationToken cancellationToken)
    {
        const string isLast = """
            select count(*) = 1 and bool_or(prefix = $2) from api_keys
            where account_id = $1 and revoked is null and (expires is null or expires > $3)
            """;
        await using var command = Command(connection, isLast, accountId, prefix, clock.GetUtcNow());
        if (await command.ExecuteScalarAsync(cancellationToken) is true)
            throw new PlatformException(ErrorCode.LastApiKey, "This is the account's last API key that works. Create another one first.");
    }

    private static async Task<ApiKeyDetails?> FindAsync(NpgsqlConnection connection, Guid accountId, string prefix, CancellationToken cancellationToken)
    {
        await using var command = Command(connection, $"select {Columns} from api_keys where account_id = $1 and prefix = $2", accountId, prefix);
        return await ReadOneAsync(command, cancellationToken);
    }

    private static async Task<ApiKeyDetails?> ReadOneAsync(NpgsqlCommand command, CancellationToken cancellationToken)
    {
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        return await row.ReadAsync(cancellationToken) ? Read(row) : null;
    }

    private static NpgsqlCommand Command(NpgsqlConnection connection, string sql, params ReadOnlySpan<object> values)
    {
        var command = new NpgsqlCommand(sql, connection);
        foreach (var value in values) command.Parameters.Add(new() { Value = value });
        return command;
    }

    internal static ApiKeyDetails Read(NpgsqlDataReader row)
        => new(row.GetString(0), row.GetString(1), row.GetFieldValue<DateTimeOffset>(2), row.InstantOrNull(3), row.InstantOrNull(4));

    [LoggerMessage(1411, LogLevel.Information, "API key {Prefix} of account {AccountId} was created")]
    private partial void LogCreated(string prefix, Guid accountId);

    [LoggerMessage(1412, LogLevel.Information, "API key {Prefix} of account {AccountId} was revoked")]
    private partial void LogRevoked(string prefix, Guid accountId);

    [LoggerMessage(1413, LogLevel.Information, "API key {Prefix} of account {AccountId} was deleted")]
    private partial void LogDeleted(string prefix, Guid accountId);
}
