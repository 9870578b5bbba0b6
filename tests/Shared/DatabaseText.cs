using System.Text;
using Npgsql;

namespace VoiceGrains.Tests.Shared;

/// <summary>Looks for words in everything that a database holds.</summary>
internal static class DatabaseText
{
    /// <summary>The tables that have the words in some column of some row: as text, in JSON, in a search vector or in bytes.</summary>
    public static async Task<IReadOnlyList<string>> TablesWithAsync(NpgsqlDataSource database, string words, CancellationToken cancellationToken)
    {
        var holders = new List<string>();
        var pattern = "%" + words.Replace("_", @"\_", StringComparison.Ordinal) + "%";
        foreach (var table in await TablesAsync(database, cancellationToken))
        {
            await using var command = database.CreateCommand($"select exists (select from {table} t where t::text ilike $1 or t::text like $2)");
            command.Parameters.Add(new() { Value = pattern });
            command.Parameters.Add(new() { Value = $"%{Convert.ToHexStringLower(Encoding.UTF8.GetBytes(words))}%" });      // as bytea shows itself
            if (await command.ExecuteScalarAsync(cancellationToken) is true) holders.Add(table);
        }
        return holders;
    }

    private static async Task<List<string>> TablesAsync(NpgsqlDataSource database, CancellationToken cancellationToken)
    {
        const string all = """
            select format('%I.%I', schemaname, tablename) from pg_tables where schemaname not in ('pg_catalog', 'information_schema') order by 1
            """;
        await using var command = database.CreateCommand(all);
        var tables = new List<string>();
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        while (await row.ReadAsync(cancellationToken)) tables.Add(row.GetString(0).Replace("public.", "", StringComparison.Ordinal));
        return tables;
    }
}
