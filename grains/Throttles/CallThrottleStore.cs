using System.Text.Json;
using Microsoft.Extensions.Options;
using Npgsql;
using NpgsqlTypes;
using VoiceGrains.GrainInterfaces;
using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.GrainInterfaces.Paging;
using VoiceGrains.GrainInterfaces.Validation;
using VoiceGrains.Grains.Accounts;
using VoiceGrains.Grains.Paging;

namespace VoiceGrains.Grains.Throttles;

/// <summary>The accounts' call throttles. Everything is asked for in the name of an account, and of others' throttles nothing is told.</summary>
public sealed class CallThrottleStore(NpgsqlDataSource database, TimeProvider clock, IOptions<AccountOptions> options)
{
    private const string Columns = "throttle_id, name, created, rules";

    private static readonly SortColumn ByCreated = new("created", "created", "timestamptz");
    private static readonly KeysetQuery Throttles = new("call_throttles", Columns, new("id", "throttle_id", "uuid"));

    /// <exception cref="InvalidInputException">The name is taken, or the account has as many as it may.</exception>
    public async Task<CallThrottle> CreateAsync(string accountId, string name, IReadOnlyList<CallRate> rules, CancellationToken cancellationToken)
    {
        const string create = $"""
            insert into call_throttles (throttle_id, account_id, created, name, rules)
            select $2, $1, $3, $4, $5 where (select count(*) from call_throttles where account_id = $1) < $6
            returning {Columns}
            """;
        await using var command = Command(create, accountId, Guid.NewGuid(), clock.GetUtcNow(), name, Json(rules), options.Value.MaxCallThrottles);
        return await StoreAsync(command, cancellationToken)
            ?? throw new InvalidInputException(InputErrors.NonField, $"An account may have no more than {options.Value.MaxCallThrottles} call throttles.");
    }

    /// <summary>Newest first.</summary>
    public Task<Page<CallThrottle>> ListAsync(string accountId, PageRequest page, CancellationToken cancellationToken)
        => Throttles.ReadAsync(database, new SqlFilter().Where("account_id = {0}", accountId), page, ByCreated, descending: true, Read, cancellationToken);

    /// <summary>Null when the account has none of this id.</summary>
    public async Task<CallThrottle?> FindAsync(string accountId, Guid throttleId, CancellationToken cancellationToken)
    {
        await using var command = Command($"select {Columns} from call_throttles where account_id = $1 and throttle_id = $2", accountId, throttleId);
        return await ReadOneAsync(command, cancellationToken);
    }

    /// <summary>By id or by name; an id goes before a name that looks like it. Null when the account has no such throttle.</summary>
    public async Task<CallThrottle?> FindAsync(string accountId, string nameOrId, CancellationToken cancellationToken)
    {
        if (Guid.TryParse(nameOrId, out var id) && await FindAsync(accountId, id, cancellationToken) is { } byId) return byId;
        await using var command = Command($"select {Columns} from call_throttles where account_id = $1 and name = $2", accountId, nameOrId);
        return await ReadOneAsync(command, cancellationToken);
    }

    /// <summary>Null when the account has none of this id. Changed rules count the calls that were created under the old ones too.</summary>
    /// <param name="name">Null leaves it as it is, as with <paramref name="rules"/>.</param>
    /// <exception cref="InvalidInputException">The name is taken.</exception>
    public async Task<CallThrottle?> UpdateAsync(string accountId, Guid throttleId, string? name, IReadOnlyList<CallRate>? rules, CancellationToken cancellationToken)
    {
        const string update = $"""
            update call_throttles set name = coalesce($3::text, name), rules = coalesce($4::jsonb, rules)
            where account_id = $1 and throttle_id = $2 returning {Columns}
            """;
        await using var command = Command(update, accountId, throttleId, (object?)name ?? DBNull.Value, rules is null ? DBNull.Value : Json(rules));
        return await StoreAsync(command, cancellationToken);
    }

    /// <summary>False when the account has none of this id.</summary>
    public async Task<bool> DeleteAsync(string accountId, Guid throttleId, CancellationToken cancellationToken)
    {
        await using var command = Command("delete from call_throttles where account_id = $1 and throttle_id = $2", accountId, throttleId);
        return await command.ExecuteNonQueryAsync(cancellationToken) > 0;
    }

    private static async Task<CallThrottle?> StoreAsync(NpgsqlCommand command, CancellationToken cancellationToken)
    {
        try
        {
            return await ReadOneAsync(command, cancellationToken);
        }
        catch (PostgresException taken) when (taken.SqlState == PostgresErrorCodes.UniqueViolation)
        {
            throw new InvalidInputException("name", "Another call throttle of the account has this name.");
        }
    }

    private NpgsqlCommand Command(string sql, params ReadOnlySpan<object> values)
    {
        var command = database.CreateCommand(sql);
        foreach (var value in values) command.Parameters.Add(value as NpgsqlParameter ?? new() { Value = value });
        return command;
    }

    private static NpgsqlParameter Json(IReadOnlyList<CallRate> rules)
        => new() { Value = JsonSerializer.SerializeToUtf8Bytes(rules, WireJson.Options), NpgsqlDbType = NpgsqlDbType.Jsonb };

    private static async Task<CallThrottle?> ReadOneAsync(NpgsqlCommand command, CancellationToken cancellationToken)
    {
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        return await row.ReadAsync(cancellationToken) ? Read(row) : null;
    }

    private static CallThrottle Read(NpgsqlDataReader row) => new(
        row.GetGuid(0), row.GetString(1), row.GetFieldValue<DateTimeOffset>(2), JsonSerializer.Deserialize<List<CallRate>>(row.GetString(3), WireJson.Options)!);
}
