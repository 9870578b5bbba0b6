using System.Globalization;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Npgsql;
using NpgsqlTypes;
using Orleans.Storage;

namespace VoiceGrains.GrainRuntime.Storage;

/// <summary>
/// Grain state in the table <c>grain_state</c>: one row per state, JSON, with an integer version. In a cluster the statement that writes also
/// locks the writer's row of the directory, so that a new owner waits for the write and a former owner's fails.
/// </summary>
internal sealed class PostgresStateStore(NpgsqlDataSource database, IServiceProvider services, IOptions<GrainRuntimeOptions> options) : IGrainStateStore
{
    private const string PrimaryKey = "grain_state_pkey";
    private const string Key = "grain_type = $1 AND grain_key = $2 AND state_name = $3";

    public async Task<StoredState<TState>?> ReadAsync<TState>(StateAddress address, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        await using var command = new NpgsqlCommand($"SELECT state, etag FROM grain_state WHERE {Key}", connection);
        AddKey(command.Parameters, address);
        await command.PrepareAsync(cancellationToken).ConfigureAwait(false);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        if (!await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
            return null;
        var state = JsonSerializer.Deserialize<TState>(reader.GetFieldValue<byte[]>(0), options.Value.StateSerializer)
            ?? throw new JsonException($"The stored state {address} is null.");
        return new(state, reader.GetInt32(1));
    }

    public Task<int> WriteAsync<TState>(StateAddress address, TState state, int? etag, GrainOwnership? ownership, CancellationToken cancellationToken)
    {
        var change = new NpgsqlBatchCommand();
        AddKey(change.Parameters, address);
        change.Parameters.Add(new() { Value = JsonSerializer.SerializeToUtf8Bytes(state, options.Value.StateSerializer), NpgsqlDbType = NpgsqlDbType.Jsonb });
        if (etag is { } expected)
            change.Parameters.Add(new NpgsqlParameter<int> { TypedValue = expected });
        var (with, from) = Fence(change.Parameters, ownership);
        change.CommandText = etag is null
            ? $"{with} INSERT INTO grain_state (grain_type, grain_key, state_name, state, etag) SELECT $1, $2, $3, $4, 1 {from} RETURNING etag"
            : $"{with} UPDATE grain_state SET state = $4, etag = etag + 1, updated = now() {from} WHERE {Key} AND etag = $5 RETURNING etag";
        return ChangeAsync(address, state, etag, ownership, change, cancellationToken);
    }

    public Task ClearAsync<TState>(StateAddress address, int? etag, GrainOwnership? ownership, CancellationToken cancellationToken)
    {
        var change = new NpgsqlBatchCommand();
        AddKey(change.Parameters, address);
        if (etag is null)
        {
            change.CommandText = $"SELECT 0 WHERE NOT EXISTS (SELECT FROM grain_state WHERE {Key})";
        }
        else
        {
            change.Parameters.Add(new NpgsqlParameter<int> { TypedValue = etag.Value });
            var (with, from) = Fence(change.Parameters, ownership);
            change.CommandText = $"{with} DELETE FROM grain_state {from.Replace("FROM", "USING", StringComparison.Ordinal)} WHERE {Key} AND etag = $4 RETURNING 0";
        }
        return ChangeAsync(address, default(TState), etag, ownership, change, cancellationToken);
    }

    // The lock lasts until the transaction ends: whoever takes the grain over reads what was written before. A writer that stops in the middle
    // must not hold it for long, so PostgreSQL ends the transaction of one that says nothing for two seconds.
    private static (string With, string From) Fence(NpgsqlParameterCollection parameters, GrainOwnership? ownership)
    {
        if (ownership is not { } owned)
            return ("", "");
        parameters.Add(new NpgsqlParameter<string> { TypedValue = owned.Silo });
        parameters.Add(new NpgsqlParameter<long> { TypedValue = owned.Epoch });
        var (silo, epoch) = (parameters.Count - 1, parameters.Count);
        return (string.Create(CultureInfo.InvariantCulture,
            $"""
            WITH owner AS MATERIALIZED (
                SELECT set_config('idle_in_transaction_session_timeout', '2000', true) FROM grain_directory d
                WHERE d.grain_type = $1 AND d.grain_key = $2 AND d.silo = ${silo} AND d.epoch = ${epoch} FOR SHARE)
            """), "FROM owner");
    }

    /// <param name="change">Gives the new version as its only row; no row, or a duplicate key, when another version is stored.</param>
    private async Task<int> ChangeAsync<TState>(
        StateAddress address, TState? state, int? etag, GrainOwnership? ownership, NpgsqlBatchCommand change, CancellationToken cancellationToken)
    {
        IStateProjection<TState>[] projections = [.. services.GetServices<IStateProjection<TState>>()];
        await using var connection = await database.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        await using var batch = new NpgsqlBatch(connection) { BatchCommands = { change } };
        foreach (var statement in services.GetServices<IStateStatements<TState>>().SelectMany(statements => statements.Of(address.GrainKey, state)))
            batch.BatchCommands.Add(statement);
        // A new state of a process that is alone is there or is a duplicate: what follows then fails with it, and a batch is a transaction of its own.
        await using var transaction = etag is null && state is not null && ownership is null && projections.Length == 0
            ? null : await connection.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
        batch.Transaction = transaction;

        if (await TryChangeAsync(batch, cancellationToken).ConfigureAwait(false) is not { } newEtag)
        {
            if (transaction is not null)
                await transaction.RollbackAsync(cancellationToken).ConfigureAwait(false);
            var stored = await StoredEtagAsync(connection, address, cancellationToken).ConfigureAwait(false);
            throw new InconsistentStateException(
                stored == etag && ownership is not null
                    ? $"State {address} was not written: silo {ownership.Value.Silo} no longer owns the grain."
                    : $"State {address} was changed by another writer.",
                Text(stored),
                Text(etag));
        }
        foreach (var projection in projections)
            await projection.ProjectAsync(connection, transaction!, address.GrainKey, state, cancellationToken).ConfigureAwait(false);
        if (transaction is not null)
            await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
        return newEtag;
    }

    /// <summary>The new version; null when another one is stored, and what went with the change must not be committed.</summary>
    private static async Task<int?> TryChangeAsync(NpgsqlBatch batch, CancellationToken cancellationToken)
    {
        var isRefused = false;
        try
        {
            await batch.PrepareAsync(cancellationToken).ConfigureAwait(false);
            await using var reader = await batch.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
            isRefused = !await reader.ReadAsync(cancellationToken).ConfigureAwait(false);
            int? newEtag = isRefused ? null : reader.GetInt32(0);
            while (await reader.NextResultAsync(cancellationToken).ConfigureAwait(false))
            {
                // To the end: there it is told what is wrong with a later statement.
            }
            return newEtag;
        }
        catch (PostgresException failure) when (isRefused || failure is { SqlState: PostgresErrorCodes.UniqueViolation, ConstraintName: PrimaryKey })
        {
            return null;
        }
    }

    private static async Task<int?> StoredEtagAsync(NpgsqlConnection connection, StateAddress address, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand($"SELECT etag FROM grain_state WHERE {Key}", connection);
        AddKey(command.Parameters, address);
        return (int?)await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false);
    }

    private static void AddKey(NpgsqlParameterCollection parameters, StateAddress address)
    {
        parameters.Add(new NpgsqlParameter<string> { TypedValue = address.GrainType });
        parameters.Add(new NpgsqlParameter<string> { TypedValue = address.GrainKey });
        parameters.Add(new NpgsqlParameter<string> { TypedValue = address.StateName });
    }

    private static string? Text(int? etag) => etag?.ToString(CultureInfo.InvariantCulture);
}
