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
    private const string Key = "grain_type = $1 AND grain_key = $2 AND state_name = $3";

    public async Task<StoredState<TState>?> ReadAsync<TState>(StateAddress address, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand($"SELECT state, etag FROM grain_state WHERE {Key}");
        AddKey(command, address);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        if (!await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
            return null;
        var state = JsonSerializer.Deserialize<TState>(reader.GetFieldValue<byte[]>(0), options.Value.StateSerializer)
            ?? throw new JsonException($"The stored state {address} is null.");
        return new(state, reader.GetInt32(1));
    }

    public Task<int> WriteAsync<TState>(StateAddress address, TState state, int? etag, GrainOwnership? ownership, CancellationToken cancellationToken)
    {
        var json = JsonSerializer.SerializeToUtf8Bytes(state, options.Value.StateSerializer);
        return ChangeAsync(address, state, etag, ownership, Save, cancellationToken);

        async Task<int?> Save(NpgsqlCommand command)
        {
            command.Parameters.Add(new() { Value = json, NpgsqlDbType = NpgsqlDbType.Jsonb });
            if (etag is { } expected)
                command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = expected });
            var (with, from) = Fence(command, ownership);
            command.CommandText = etag is null
                ? $"{with} INSERT INTO grain_state (grain_type, grain_key, state_name, state, etag) SELECT $1, $2, $3, $4, 1 {from} ON CONFLICT DO NOTHING RETURNING etag"
                : $"{with} UPDATE grain_state SET state = $4, etag = etag + 1, updated = now() {from} WHERE {Key} AND etag = $5 RETURNING etag";
            return (int?)await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    public Task ClearAsync<TState>(StateAddress address, int? etag, GrainOwnership? ownership, CancellationToken cancellationToken)
    {
        return ChangeAsync(address, default(TState), etag, ownership, Delete, cancellationToken);

        async Task<int?> Delete(NpgsqlCommand command)
        {
            if (etag is null)
            {
                command.CommandText = $"SELECT 1 FROM grain_state WHERE {Key}";
                return await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false) is null ? 0 : null;
            }
            command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = etag.Value });
            var (with, from) = Fence(command, ownership);
            command.CommandText = $"{with} DELETE FROM grain_state {from.Replace("FROM", "USING", StringComparison.Ordinal)} WHERE {Key} AND etag = $4";
            return await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false) == 1 ? 0 : null;
        }
    }

    // The lock lasts until the transaction ends: whoever takes the grain over reads what was written before. A writer that stops in the middle
    // must not hold it for long, so PostgreSQL ends the transaction of one that says nothing for two seconds.
    private static (string With, string From) Fence(NpgsqlCommand command, GrainOwnership? ownership)
    {
        if (ownership is not { } owned)
            return ("", "");
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = owned.Silo });
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = owned.Epoch });
        var (silo, epoch) = (command.Parameters.Count - 1, command.Parameters.Count);
        return (string.Create(CultureInfo.InvariantCulture,
            $"""
            WITH owner AS MATERIALIZED (
                SELECT set_config('idle_in_transaction_session_timeout', '2000', true) FROM grain_directory d
                WHERE d.grain_type = $1 AND d.grain_key = $2 AND d.silo = ${silo} AND d.epoch = ${epoch} FOR SHARE)
            """), "FROM owner");
    }

    private async Task<int> ChangeAsync<TState>(
        StateAddress address, TState? state, int? etag, GrainOwnership? ownership, Func<NpgsqlCommand, Task<int?>> change, CancellationToken cancellationToken)
    {
        var projections = services.GetServices<IStateProjection<TState>>();
        await using var connection = await database.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
        await using var command = new NpgsqlCommand(null, connection, transaction);
        AddKey(command, address);

        if (await change(command).ConfigureAwait(false) is not { } newEtag)
        {
            var stored = await StoredEtagAsync(connection, transaction, address, cancellationToken).ConfigureAwait(false);
            throw new InconsistentStateException(
                stored == etag && ownership is not null
                    ? $"State {address} was not written: silo {ownership.Value.Silo} no longer owns the grain."
                    : $"State {address} was changed by another writer.",
                Text(stored),
                Text(etag));
        }
        foreach (var projection in projections)
            await projection.ProjectAsync(connection, transaction, address.GrainKey, state, cancellationToken).ConfigureAwait(false);
        await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
        return newEtag;
    }

    private static async Task<int?> StoredEtagAsync(
        NpgsqlConnection connection, NpgsqlTransaction transaction, StateAddress address, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand($"SELECT etag FROM grain_state WHERE {Key}", connection, transaction);
        AddKey(command, address);
        return (int?)await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false);
    }

    private static void AddKey(NpgsqlCommand command, StateAddress address)
    {
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = address.GrainType });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = address.GrainKey });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = address.StateName });
    }

    private static string? Text(int? etag) => etag?.ToString(CultureInfo.InvariantCulture);
}
