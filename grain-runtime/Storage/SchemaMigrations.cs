using System.Data;
using System.Globalization;
using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Logging;
using Npgsql;
using Orleans.Runtime;

namespace VoiceGrains.GrainRuntime.Storage;

/// <summary>An assembly with numbered SQL files, embedded as <c>Migrations/NNNN_name.sql</c>. Lower orders are applied first.</summary>
internal sealed record MigrationSource(Assembly Assembly, string Scope, int Order);

/// <summary>
/// Brings the database to the schema of this build. Files are applied in the order of their scope, then of their number, each in its own
/// transaction, under an advisory lock so that processes that start together take turns. An applied file must never change.
/// </summary>
public sealed partial class SchemaMigrations
{
    // "VGmigrat" as a number: any constant that no other user of the database locks.
    private const long LockKey = 0x5647_6D69_6772_6174;

    // A migration of a large table, or the wait for another process's.
    private const int CommandSeconds = 600;

    private readonly NpgsqlDataSource _database;
    private readonly MigrationSource[] _sources;
    private readonly ILogger<SchemaMigrations> _logger;

    internal SchemaMigrations(NpgsqlDataSource database, IEnumerable<MigrationSource> sources, ILogger<SchemaMigrations> logger)
    {
        _database = database;
        _sources = [.. sources.Distinct().OrderBy(source => source.Order).ThenBy(source => source.Scope, StringComparer.Ordinal)];
        _logger = logger;
    }

    /// <summary>Applies what is missing. Does nothing when nothing is.</summary>
    /// <exception cref="OrleansConfigurationException">An applied file has changed, two files have one number, or a name is malformed.</exception>
    public async Task ApplyAsync(CancellationToken cancellationToken)
    {
        await using var connection = await _database.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        await ExecuteAsync(connection, $"SELECT pg_advisory_lock({LockKey})", cancellationToken).ConfigureAwait(false);
        try
        {
            await ExecuteAsync(connection, """
                CREATE TABLE IF NOT EXISTS schema_migrations (
                    scope    text        NOT NULL,
                    number   integer     NOT NULL,
                    name     text        NOT NULL,
                    applied  timestamptz NOT NULL DEFAULT now(),
                    checksum text        NOT NULL,
                    PRIMARY KEY (scope, number)
                )
                """, cancellationToken).ConfigureAwait(false);
            var applied = await AppliedAsync(connection, cancellationToken).ConfigureAwait(false);
            foreach (var migration in _sources.SelectMany(Files))
            {
                if (!applied.TryGetValue((migration.Scope, migration.Number), out var checksum))
                    await ApplyAsync(connection, migration, cancellationToken).ConfigureAwait(false);
                else if (checksum != migration.Checksum)
                    throw new OrleansConfigurationException($"Migration {migration} was changed after it had been applied. Add a new one instead.");
            }
        }
        finally
        {
            // Not cancellable: a pooled connection must not keep the lock.
            await ExecuteAsync(connection, $"SELECT pg_advisory_unlock({LockKey})", CancellationToken.None).ConfigureAwait(false);
        }
    }

    private async Task ApplyAsync(NpgsqlConnection connection, Migration migration, CancellationToken cancellationToken)
    {
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await ExecuteAsync(connection, migration.Sql, cancellationToken).ConfigureAwait(false);
        }
        catch (PostgresException exception)
        {
            throw new OrleansConfigurationException($"Migration {migration} failed: {exception.MessageText}", exception);
        }
        await using var record = new NpgsqlCommand("INSERT INTO schema_migrations (scope, number, name, checksum) VALUES ($1, $2, $3, $4)", connection, transaction)
        {
            Parameters = { new() { Value = migration.Scope }, new() { Value = migration.Number }, new() { Value = migration.Name }, new() { Value = migration.Checksum } },
        };
        await record.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
        await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
        LogApplied(migration);
    }

    private static async Task<Dictionary<(string Scope, int Number), string>> AppliedAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var applied = new Dictionary<(string Scope, int Number), string>();
        await using var command = new NpgsqlCommand("SELECT scope, number, checksum FROM schema_migrations", connection);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
            applied.Add((reader.GetString(0), reader.GetInt32(1)), reader.GetString(2));
        return applied;
    }

    private static IEnumerable<Migration> Files(MigrationSource source)
    {
        var files = source.Assembly.GetManifestResourceNames().Where(name => name.EndsWith(".sql", StringComparison.Ordinal))
            .Select(name => (resource: name, match: FileName().Match(name))).Where(file => file.match.Success)
            .Select(file => Read(source, file.resource, file.match)).OrderBy(migration => migration.Number).ToList();
        if (files.GroupBy(migration => migration.Number).FirstOrDefault(group => group.Count() > 1) is { } clash)
            throw new OrleansConfigurationException($"Migrations {string.Join(" and ", clash)} have the same number.");
        return files;
    }

    private static Migration Read(MigrationSource source, string resource, Match match)
    {
        using var reader = new StreamReader(source.Assembly.GetManifestResourceStream(resource)!, Encoding.UTF8);
        var sql = reader.ReadToEnd().ReplaceLineEndings("\n");
        var checksum = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(sql)));
        return new(source.Scope, int.Parse(match.Groups["number"].ValueSpan, CultureInfo.InvariantCulture), match.Groups["name"].Value, sql, checksum);
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = CommandSeconds };
        await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
    }

    // Embedded resources are named by their folder with dots: "Any.Root.Migrations.0001_name.sql".
    [GeneratedRegex(@"(^|[./\\])Migrations[./\\](?<number>\d{4})_(?<name>\w+)\.sql$", RegexOptions.CultureInvariant)]
    private static partial Regex FileName();

    [LoggerMessage(1520, LogLevel.Information, "Applied migration {Migration}")]
    private partial void LogApplied(Migration migration);

    private sealed record Migration(string Scope, int Number, string Name, string Sql, string Checksum)
    {
        public override string ToString() => $"{Scope}/{Number:0000}_{Name}";
    }
}
