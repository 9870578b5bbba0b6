using Npgsql;
using VoiceGrains.GrainRuntime.Activations;
using VoiceGrains.GrainRuntime.Storage;

namespace VoiceGrains.GrainRuntime.Directory;

/// <summary>The answer to a silo that wants to activate a grain: ownership, or who has it.</summary>
internal readonly record struct Claim(GrainOwnership? Ownership, string? Owner);

/// <summary>
/// Which silo owns which grain, in the table <c>grain_directory</c>. Every rule is one statement that PostgreSQL evaluates by its own clock,
/// so that neither a stopped process nor a wrong clock can make two owners.
/// </summary>
internal sealed class GrainDirectory(NpgsqlDataSource database)
{
    // A lease that is being renewed at this moment counts: FOR SHARE waits for the renewal and reads its outcome.
    private const string Acquire =
        """
        INSERT INTO grain_directory AS d (grain_type, grain_key, silo, epoch)
        SELECT $1, $2, $3, nextval('grain_epochs') WHERE EXISTS (SELECT 1 FROM silos WHERE id = $3 AND lease_until > clock_timestamp())
        ON CONFLICT (grain_type, grain_key) DO UPDATE SET silo = excluded.silo, epoch = nextval('grain_epochs')
        WHERE d.silo = excluded.silo
           OR NOT EXISTS (SELECT 1 FROM silos s WHERE s.id = d.silo AND s.lease_until > clock_timestamp() FOR SHARE)
        RETURNING epoch
        """;

    private const string FindOwner =
        """
        SELECT d.silo FROM grain_directory d JOIN silos s ON s.id = d.silo
        WHERE d.grain_type = $1 AND d.grain_key = $2 AND s.lease_until > clock_timestamp()
        """;

    /// <summary>Makes the silo the owner, unless another silo that is alive is, or the silo itself is no longer alive.</summary>
    public async Task<Claim> AcquireAsync(GrainId grain, string silo, CancellationToken cancellationToken)
    {
        await using var acquire = Command(Acquire, grain, silo);
        if (await acquire.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false) is long epoch)
            return new(new(silo, epoch), null);
        return new(null, await FindAsync(grain, cancellationToken).ConfigureAwait(false));
    }

    /// <summary>The silo that is alive and owns the grain; <see langword="null"/> when there is none.</summary>
    public async Task<string?> FindAsync(GrainId grain, CancellationToken cancellationToken)
    {
        await using var find = Command(FindOwner, grain);
        return (string?)await find.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Gives up an ownership. Does nothing when it has been lost already.</summary>
    public async Task ReleaseAsync(GrainId grain, GrainOwnership ownership, CancellationToken cancellationToken)
    {
        await using var release = Command(
            "DELETE FROM grain_directory WHERE grain_type = $1 AND grain_key = $2 AND silo = $3 AND epoch = $4", grain, ownership.Silo, ownership.Epoch);
        await release.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The recorded owners of some grains, alive or not.</summary>
    public async Task<Dictionary<GrainId, string>> OwnersAsync(IReadOnlyCollection<GrainId> grains, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(
            """
            SELECT d.grain_type, d.grain_key, d.silo FROM grain_directory d
            JOIN unnest($1::text[], $2::text[]) AS wanted (grain_type, grain_key) USING (grain_type, grain_key)
            """);
        command.Parameters.Add(new() { Value = grains.Select(grain => grain.Type).ToArray() });
        command.Parameters.Add(new() { Value = grains.Select(grain => grain.Key).ToArray() });
        var owners = new Dictionary<GrainId, string>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
            owners[new(reader.GetString(0), reader.GetString(1))] = reader.GetString(2);
        return owners;
    }

    /// <summary>Everything that a silo owns.</summary>
    public async Task<HashSet<GrainId>> OwnedByAsync(string silo, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand("SELECT grain_type, grain_key FROM grain_directory WHERE silo = $1");
        command.Parameters.Add(new() { Value = silo });
        var owned = new HashSet<GrainId>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
            owned.Add(new(reader.GetString(0), reader.GetString(1)));
        return owned;
    }

    private NpgsqlCommand Command(string sql, GrainId grain, params ReadOnlySpan<object> more)
    {
        var command = database.CreateCommand(sql);
        command.Parameters.Add(new() { Value = grain.Type });
        command.Parameters.Add(new() { Value = grain.Key });
        foreach (var value in more)
            command.Parameters.Add(new() { Value = value });
        return command;
    }
}
