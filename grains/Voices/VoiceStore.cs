using Microsoft.Extensions.Options;
using Npgsql;
using NpgsqlTypes;
using VoiceGrains.GrainInterfaces.Validation;
using VoiceGrains.Grains.Secrets;

namespace VoiceGrains.Grains.Voices;

/// <summary>Accounts' own voices. Of another account's voices nothing is told, not even that they are there.</summary>
public sealed class VoiceStore(NpgsqlDataSource database, SealedJson json, IOptions<OwnVoiceOptions> options)
{
    private const string Columns = "voice_id, name, description, primary_language, definition, sample, server_key, created";
    private const string NameTaken = "Another voice of your account has this name.";

    /// <summary>All of an account's own voices, in no order; their number is limited.</summary>
    public async Task<IReadOnlyList<OwnVoice>> ListAsync(string accountId, CancellationToken cancellationToken)
    {
        await using var command = Command(database.CreateCommand($"select {Columns} from voices where account_id = $1"), accountId);
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        var voices = new List<OwnVoice>();
        while (await row.ReadAsync(cancellationToken)) voices.Add(Read(row));
        return voices;
    }

    /// <summary>One of the account's own voices by its id or, without case, its name; null when there is none.</summary>
    public async Task<OwnVoice?> FindAsync(string accountId, string nameOrId, CancellationToken cancellationToken)
    {
        var id = Guid.TryParse(nameOrId, out var parsed) ? parsed : Guid.Empty;
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var command = Command(
            new($"select {Columns} from voices where account_id = $1 and (voice_id = $2 or name_key = $3) order by voice_id = $2 desc limit 1", connection),
            accountId, id, KeyOf(nameOrId));
        await command.PrepareAsync(cancellationToken);
        return await ReadOneAsync(command, cancellationToken);
    }

    /// <summary>Tells before a clone is paid for that it could not be stored.</summary>
    /// <exception cref="InvalidInputException">The name is taken, or there is no room.</exception>
    public async Task RequireRoomAsync(string accountId, string name, bool isClone, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await RequireRoomAsync(connection, accountId, isClone, cancellationToken);
        await using var taken = Command(new("select exists (select from voices where account_id = $1 and name_key = $2)", connection), accountId, KeyOf(name));
        if (await taken.ExecuteScalarAsync(cancellationToken) is true) throw new InvalidInputException("name", NameTaken);
    }

    /// <exception cref="InvalidInputException">The name is taken, the definition too large, or there is no room.</exception>
    public async Task CreateAsync(string accountId, OwnVoice voice, CancellationToken cancellationToken)
    {
        var definition = ToJson(voice);
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await using (var turn = Command(new("select pg_advisory_xact_lock(hashtextextended('voices of ' || $1, 0))", connection), accountId))
            await turn.ExecuteNonQueryAsync(cancellationToken);
        await RequireRoomAsync(connection, accountId, voice.Sample is not null, cancellationToken);
        await using var insert = Command(
            new("insert into voices (account_id, voice_id, name, name_key, description, primary_language, definition, sample, server_key, created) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) on conflict (account_id, name_key) do nothing", connection),
            accountId, voice.VoiceId, voice.Name, KeyOf(voice.Name), Text(voice.Description), Text(voice.PrimaryLanguage), Json(definition), Text(voice.Sample),
            voice.UsesServerKey, voice.Created);
        if (await insert.ExecuteNonQueryAsync(cancellationToken) == 0) throw new InvalidInputException("name", NameTaken);
        await transaction.CommitAsync(cancellationToken);
    }

    /// <summary>Changes name, description, language and definition; null when the account has no such voice.</summary>
    /// <exception cref="InvalidInputException">The name is taken, or the definition too large.</exception>
    public async Task<OwnVoice?> ReplaceAsync(string accountId, OwnVoice voice, CancellationToken cancellationToken)
    {
        await using var command = Command(
            database.CreateCommand($"update voices set name = $3, name_key = $4, description = $5, primary_language = $6, definition = $7 where account_id = $1 and voice_id = $2 returning {Columns}"),
            accountId, voice.VoiceId, voice.Name, KeyOf(voice.Name), Text(voice.Description), Text(voice.PrimaryLanguage), Json(ToJson(voice)));
        try
        {
            return await ReadOneAsync(command, cancellationToken);
        }
        catch (PostgresException taken) when (taken.SqlState == PostgresErrorCodes.UniqueViolation)
        {
            throw new InvalidInputException("name", NameTaken);
        }
    }

    /// <summary>What was deleted; null when the account has no such voice. Agents that name it keep the name, and their calls are refused.</summary>
    public async Task<OwnVoice?> DeleteAsync(string accountId, Guid voiceId, CancellationToken cancellationToken)
    {
        await using var command = Command(database.CreateCommand($"delete from voices where account_id = $1 and voice_id = $2 returning {Columns}"), accountId, voiceId);
        return await ReadOneAsync(command, cancellationToken);
    }

    private async Task RequireRoomAsync(NpgsqlConnection connection, string accountId, bool isClone, CancellationToken cancellationToken)
    {
        await using var count = Command(new("select count(*)::int, count(sample)::int from voices where account_id = $1", connection), accountId);
        await using var row = await count.ExecuteReaderAsync(cancellationToken);
        await row.ReadAsync(cancellationToken);
        var (most, mostClones) = (options.Value.MaxPerAccount, options.Value.MaxClonesPerAccount);
        if (row.GetInt32(0) >= most) throw new InvalidInputException(InputErrors.NonField, $"An account may have {most} voices of its own. Delete one that is no longer used.");
        if (isClone && row.GetInt32(1) >= mostClones) throw new InvalidInputException(InputErrors.NonField, $"An account may have {mostClones} cloned voices. Delete one that is no longer used.");
    }

    private string ToJson(OwnVoice voice)
    {
        var definition = json.Serialize(voice.Definition);
        if (definition.Length > options.Value.MaxDefinitionBytes)
            throw new InvalidInputException("definition", $"A definition may have {options.Value.MaxDefinitionBytes} bytes of JSON.");
        return System.Text.Encoding.UTF8.GetString(definition);
    }

    private async Task<OwnVoice?> ReadOneAsync(NpgsqlCommand command, CancellationToken cancellationToken)
    {
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        return await row.ReadAsync(cancellationToken) ? Read(row) : null;
    }

    private OwnVoice Read(NpgsqlDataReader row) => new()
    {
        VoiceId = row.GetGuid(0),
        Name = row.GetString(1),
        Description = row.IsDBNull(2) ? null : row.GetString(2),
        PrimaryLanguage = row.IsDBNull(3) ? null : row.GetString(3),
        Definition = json.Deserialize<GrainInterfaces.Voices.ExternalVoice>(row.GetString(4)),
        Sample = row.IsDBNull(5) ? null : row.GetString(5),
        UsesServerKey = row.GetBoolean(6),
        Created = row.GetFieldValue<DateTimeOffset>(7),
    };

    private static string KeyOf(string name) => name.ToUpperInvariant();

    private static NpgsqlParameter Text(string? text) => new() { Value = text ?? (object)DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text };

    private static NpgsqlParameter Json(string text) => new() { Value = text, NpgsqlDbType = NpgsqlDbType.Json };

    private static NpgsqlCommand Command(NpgsqlCommand command, params ReadOnlySpan<object> values)
    {
        foreach (var value in values) command.Parameters.Add(value as NpgsqlParameter ?? new() { Value = value });
        return command;
    }
}
