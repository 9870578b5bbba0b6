using System.Text.Json;
using Npgsql;
using NpgsqlTypes;

namespace VoiceGrains.GrainRuntime.Cluster;

/// <summary>A row of the table <c>silos</c>, with what PostgreSQL's clock says about its lease.</summary>
internal sealed record SiloRow(SiloInfo Silo, bool IsAlive);

/// <summary>The table <c>silos</c>: a lapsed lease is not renewed in passing, since others may have taken grains meanwhile.</summary>
internal sealed class SiloTable(NpgsqlDataSource database)
{
    // Rows of the lapsed are kept this long: PostgreSQL may have been away, and then their silos are still there.
    private const string Forgotten = "interval '15 minutes'";

    private const string List =
        """
        SELECT id, name, version, address, roles, labels, grain_types, activations, max_activations, draining, started, lease_until > clock_timestamp()
        FROM silos WHERE lease_until > clock_timestamp() - interval '1 minute' ORDER BY started, id
        """;

    /// <summary>Enters a new silo and returns the database's time.</summary>
    public async Task<DateTimeOffset> InsertAsync(SiloInfo silo, TimeSpan lease, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(
            """
            INSERT INTO silos (id, name, version, address, roles, labels, grain_types, max_activations, draining, lease_until)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, clock_timestamp() + $10) RETURNING clock_timestamp()
            """);
        command.Parameters.Add(new() { Value = silo.Id });
        command.Parameters.Add(new() { Value = silo.Name });
        command.Parameters.Add(new() { Value = silo.Version });
        command.Parameters.Add(new() { Value = (object?)silo.Address ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text });
        command.Parameters.Add(new() { Value = silo.Roles.ToArray() });
        command.Parameters.Add(new() { Value = JsonSerializer.Serialize(silo.Labels), NpgsqlDbType = NpgsqlDbType.Jsonb });
        command.Parameters.Add(new() { Value = silo.GrainTypes.ToArray() });
        command.Parameters.Add(new() { Value = silo.MaxActivations });
        command.Parameters.Add(new() { Value = silo.Draining });
        command.Parameters.Add(new() { Value = lease });
        return (await TimeAsync(command, cancellationToken).ConfigureAwait(false))!.Value;
    }

    /// <summary>Renews a lease, reports the load and returns the database's time; <see langword="null"/> when the lease has lapsed.</summary>
    public async Task<DateTimeOffset?> RenewAsync(string id, TimeSpan lease, int activations, bool draining, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(
            """
            UPDATE silos SET lease_until = clock_timestamp() + $2, activations = $3, draining = $4
            WHERE id = $1 AND lease_until > clock_timestamp() RETURNING clock_timestamp()
            """);
        command.Parameters.Add(new() { Value = id });
        command.Parameters.Add(new() { Value = lease });
        command.Parameters.Add(new() { Value = activations });
        command.Parameters.Add(new() { Value = draining });
        return await TimeAsync(command, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Gives a lapsed silo a new lease and returns the database's time; <see langword="null"/> when the silo is forgotten. What others have
    /// taken since stays theirs.
    /// </summary>
    public async Task<DateTimeOffset?> ReviveAsync(string id, TimeSpan lease, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(
            "UPDATE silos SET lease_until = clock_timestamp() + $2 WHERE id = $1 RETURNING clock_timestamp()");
        command.Parameters.Add(new() { Value = id });
        command.Parameters.Add(new() { Value = lease });
        return await TimeAsync(command, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Ends a silo's life: whatever it still owns may be taken at once.</summary>
    public async Task DeleteAsync(string id, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand("DELETE FROM silos WHERE id = $1");
        command.Parameters.Add(new() { Value = id });
        await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Forgets those long dead and what they owned.</summary>
    public async Task CleanUpAsync(CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(
            $"""
            WITH alive AS (SELECT id FROM silos WHERE lease_until > clock_timestamp() - {Forgotten}),
                 dead AS (DELETE FROM silos WHERE lease_until <= clock_timestamp() - {Forgotten})
            DELETE FROM grain_directory d WHERE d.ctid = ANY (ARRAY(
                SELECT o.ctid FROM grain_directory o WHERE NOT EXISTS (SELECT 1 FROM alive WHERE alive.id = o.silo)
                LIMIT 1000 FOR UPDATE SKIP LOCKED))
            """);
        await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The silos that are alive, and those that were until a short while ago.</summary>
    public async Task<IReadOnlyList<SiloRow>> ListAsync(CancellationToken cancellationToken)
    {
        var rows = new List<SiloRow>();
        await using var command = database.CreateCommand(List);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
            rows.Add(new(Read(reader), reader.GetBoolean(11)));
        return rows;
    }

    private static async Task<DateTimeOffset?> TimeAsync(NpgsqlCommand command, CancellationToken cancellationToken) =>
        await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false) is DateTime time ? new(time, TimeSpan.Zero) : null;

    private static SiloInfo Read(NpgsqlDataReader row) => new(
        row.GetString(0), row.GetString(1), row.GetString(2), row.IsDBNull(3) ? null : row.GetString(3), row.GetFieldValue<string[]>(4),
        JsonSerializer.Deserialize<Dictionary<string, string>>(row.GetString(5))!, row.GetFieldValue<string[]>(6),
        row.GetInt32(7), row.GetInt32(8), row.GetBoolean(9), row.GetFieldValue<DateTimeOffset>(10));
}
