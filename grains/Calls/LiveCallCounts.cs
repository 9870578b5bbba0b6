using Npgsql;

namespace VoiceGrains.Grains.Calls;

/// <summary>How many calls have a client right now, over all accounts: for operators.</summary>
public sealed class LiveCallCounts(NpgsqlDataSource database)
{
    /// <summary>By the id of the silo; under the empty string those of a process without a cluster.</summary>
    public async Task<IReadOnlyDictionary<string, int>> BySiloAsync(CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(
            """
            select coalesce(d.silo, ''), count(*)::integer
            from calls c left join grain_directory d on d.grain_type = 'call' and d.grain_key = c.call_id
            where c.joined is not null and c.ended is null group by 1
            """);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var counts = new Dictionary<string, int>(StringComparer.Ordinal);
        while (await reader.ReadAsync(cancellationToken)) counts.Add(reader.GetString(0), reader.GetInt32(1));
        return counts;
    }
}
