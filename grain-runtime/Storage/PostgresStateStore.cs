using System.Globalization;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Npgsql;
using NpgsqlTypes;
using Orleans.Storage;

namespace VoiceGrains.GrainRuntime.Storage;

/// <summary>Grain state in the table <c>grain_state</c>: one row per state, JSON, with an integer version.</summary>
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

    public Task<int> WriteAsync<TState>(StateAddress address, TState state, int? etag, CancellationToken cancellationToken)
    {
        var json = JsonSerializer.SerializeToUtf8Bytes(state, options.Value.StateSerializer);
        return ChangeAsync(address, state, etag, Save, cancellationToken);

        async Task<int?> Save(NpgsqlCommand command)
        {
            command.CommandText = etag is null
                ? "INSERT INTO grain_state (grain_type, grain_key, state_name, state, etag) VALUES ($1, $2, $3, $4, 1) ON CONFLICT DO NOTHING RETURNING etag"
                : $"UPDATE grain_state SET state = $4, etag = etag + 1, updated = now() WHERE {Key} AND etag = $5 RETURNING etag";
            command.Parameters.Add(new() { Value = json, NpgsqlDbType = NpgsqlDbType.Jsonb });
            if (etag is { } expected)
                command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = expected });
            return (int?)await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    public Task ClearAsync<TState>(StateAddress address, int? etag, CancellationToken cancellationToken)
    {
        return ChangeAsync(address, default(TState), etag, Delete, cancellationToken);

        async Task<int?> Delete(NpgsqlCommand command)
        {
            if (etag is null)
            {
                command.CommandText = $"SELECT 1 FROM grain_state WHERE {Key}";
                return await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false) is null ? 0 : null;
            }
            command.CommandText = $"DELETE FROM grain_state WHERE {Key} AND etag = $4";
            command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = etag.Value });
            return await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false) == 1 ? 0 : null;
        }
    }

    private async Task<int> ChangeAsync<TState>(
        StateAddress address, TState? state, int? etag, Func<NpgsqlCommand, Task<int?>> change, CancellationToken cancellationToken)
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
                $"State {address} was changed by another writer.", Text(stored), Text(etag));
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
