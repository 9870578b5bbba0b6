using Npgsql;
using NpgsqlTypes;
using VoiceGrains.GrainInterfaces.Accounts;
using VoiceGrains.Grains.Secrets;

namespace VoiceGrains.Grains.Accounts;

/// <summary>What accounts have told of their telephony providers; secrets are sealed.</summary>
public sealed class TelephonyConfigStore(NpgsqlDataSource database, SealedJson json, TimeProvider clock)
{
    /// <summary>Null when the account has none.</summary>
    public async Task<T?> FindAsync<T>(string accountId, CancellationToken cancellationToken) where T : TelephonyConfig
    {
        await using var command = Command("select config from telephony_configs where account_id = $1 and provider = $2", accountId, ProviderOf<T>());
        return await command.ExecuteScalarAsync(cancellationToken) is string config ? json.Deserialize<T>(config) : null;
    }

    /// <summary>False, and nothing changes, when the account has one already.</summary>
    public Task<bool> AddAsync<T>(string accountId, T config, CancellationToken cancellationToken) where T : TelephonyConfig
        => WriteAsync("insert into telephony_configs (account_id, provider, config, updated) values ($1, $2, $3, $4) on conflict do nothing", accountId, config, cancellationToken);

    /// <summary>False when the account has none.</summary>
    public Task<bool> ReplaceAsync<T>(string accountId, T config, CancellationToken cancellationToken) where T : TelephonyConfig
        => WriteAsync("update telephony_configs set config = $3, updated = $4 where account_id = $1 and provider = $2", accountId, config, cancellationToken);

    /// <summary>False when the account has none.</summary>
    public async Task<bool> DeleteAsync<T>(string accountId, CancellationToken cancellationToken) where T : TelephonyConfig
    {
        await using var command = Command("delete from telephony_configs where account_id = $1 and provider = $2", accountId, ProviderOf<T>());
        return await command.ExecuteNonQueryAsync(cancellationToken) > 0;
    }

    private async Task<bool> WriteAsync<T>(string sql, string accountId, T config, CancellationToken cancellationToken) where T : TelephonyConfig
    {
        await using var command = Command(sql, accountId, ProviderOf<T>());
        command.Parameters.Add(new() { Value = System.Text.Encoding.UTF8.GetString(json.Serialize(config)), NpgsqlDbType = NpgsqlDbType.Json });
        command.Parameters.Add(new() { Value = clock.GetUtcNow() });
        return await command.ExecuteNonQueryAsync(cancellationToken) > 0;
    }

    private NpgsqlCommand Command(string sql, string accountId, string provider)
    {
        var command = database.CreateCommand(sql);
        command.Parameters.Add(new() { Value = accountId });
        command.Parameters.Add(new() { Value = provider });
        return command;
    }

    private static string ProviderOf<T>() where T : TelephonyConfig => typeof(T) switch
    {
        var t when t == typeof(TwilioConfig) => "twilio",
        var t when t == typeof(TelnyxConfig) => "telnyx",
        var t when t == typeof(PlivoConfig) => "plivo",
        var t => throw new NotSupportedException(t.Name),
    };
}
