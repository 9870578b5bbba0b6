using System.Collections.Frozen;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Caching.Memory;
using Microsoft.Extensions.Logging;
using Npgsql;
using VoiceGrains.GrainInterfaces.Voices;
using VoiceGrains.Grains.Secrets;

namespace VoiceGrains.Grains.Accounts;

/// <summary>
/// Accounts' own keys for speech providers, encrypted at rest. What was read is kept for <see cref="CacheTime"/>, still sealed, so that a busy account costs a
/// query every few seconds; a change holds in this process at once and in others within that time.
/// </summary>
public sealed partial class ProviderKeyStore(NpgsqlDataSource database, SecretKey secret, TimeProvider clock, ILogger<ProviderKeyStore> logger) : IDisposable
{
    public static readonly TimeSpan CacheTime = TimeSpan.FromSeconds(3);

    private readonly SecretBox box = new(secret);
    private readonly MemoryCache cache = new(new MemoryCacheOptions { SizeLimit = 10_000 });
    private int changes;

    /// <summary>The first characters of each key that the account has.</summary>
    public async Task<IReadOnlyDictionary<TtsProvider, string>> ListPrefixesAsync(string accountId, CancellationToken cancellationToken)
        => (await ReadAsync(accountId, cancellationToken)).ToDictionary(stored => stored.Key, stored => stored.Value.Prefix);

    /// <summary>The account's key; null when it has none, or none that can be read: the server's secret key is another one now. A secret: never logged.</summary>
    public async Task<string?> FindAsync(string accountId, TtsProvider provider, CancellationToken cancellationToken)
    {
        if (!(await KnownAsync(accountId, cancellationToken)).TryGetValue(provider, out var stored)) return null;
        try
        {
            return Encoding.UTF8.GetString(box.Open(stored.Sealed, Place(accountId, provider)));
        }
        catch (CryptographicException)
        {
            LogUnreadable(provider.Id, accountId);
            return null;
        }
    }

    /// <summary>Whether the account has a key.</summary>
    public async Task<bool> HasAsync(string accountId, TtsProvider provider, CancellationToken cancellationToken)
        => await FindAsync(accountId, provider, cancellationToken) is not null;

    /// <summary>Sets or, with null, removes keys; others stay. All or nothing.</summary>
    public async Task ChangeAsync(string accountId, IReadOnlyDictionary<TtsProvider, string?> keys, CancellationToken cancellationToken)
    {
        await using var batch = database.CreateBatch();
        foreach (var (provider, key) in keys) batch.BatchCommands.Add(key is null ? Remove(accountId, provider) : Set(accountId, provider, key));
        if (batch.BatchCommands.Count == 0) return;
        await batch.ExecuteNonQueryAsync(cancellationToken);        // one implicit transaction
        Interlocked.Increment(ref changes);
        cache.Remove(accountId);
        foreach (var (provider, key) in keys) LogChanged(provider.Id, accountId, key is null ? "removed" : "set");
    }

    public void Dispose() => cache.Dispose();

    private async Task<FrozenDictionary<TtsProvider, StoredProviderKey>> KnownAsync(string accountId, CancellationToken cancellationToken)
    {
        if (cache.Get<Cached>(accountId) is not { } known || known.Until <= clock.GetUtcNow())
        {
            var before = Volatile.Read(ref changes);
            known = new Cached(await ReadAsync(accountId, cancellationToken), clock.GetUtcNow() + CacheTime);
            cache.Set(accountId, known, new MemoryCacheEntryOptions { Size = 1, AbsoluteExpirationRelativeToNow = CacheTime });
            if (Volatile.Read(ref changes) != before) cache.Remove(accountId);      // it may have changed since the database was asked
        }
        return known.Keys;
    }

    private async Task<FrozenDictionary<TtsProvider, StoredProviderKey>> ReadAsync(string accountId, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand("select provider, prefix, sealed from provider_keys where account_id = $1");
        command.Parameters.Add(new() { Value = accountId });
        await using var row = await command.ExecuteReaderAsync(cancellationToken);
        var found = new Dictionary<TtsProvider, StoredProviderKey>();
        while (await row.ReadAsync(cancellationToken))
        {
            var id = row.GetString(0);
            if (TtsProvider.All.FirstOrDefault(p => p.Id == id) is { } provider) found[provider] = new(row.GetString(1), row.GetString(2));
        }
        return found.ToFrozenDictionary();
    }

    private NpgsqlBatchCommand Set(string accountId, TtsProvider provider, string key)
    {
        var prefix = provider == TtsProvider.Google ? ServiceAccountKey.PrefixOf(key) : KeyPrefix.Of(key);
        var command = new NpgsqlBatchCommand(
            """
            insert into provider_keys (account_id, provider, prefix, sealed, updated) values ($1, $2, $3, $4, $5)
            on conflict (account_id, provider) do update set prefix = excluded.prefix, sealed = excluded.sealed, updated = excluded.updated
            """);
        foreach (var value in (object[])[accountId, provider.Id, prefix, box.Seal(Encoding.UTF8.GetBytes(key), Place(accountId, provider)), clock.GetUtcNow()])
            command.Parameters.Add(new() { Value = value });
        return command;
    }

    private static NpgsqlBatchCommand Remove(string accountId, TtsProvider provider)
        => new("delete from provider_keys where account_id = $1 and provider = $2") { Parameters = { new() { Value = accountId }, new() { Value = provider.Id } } };

    private static string Place(string accountId, TtsProvider provider) => $"provider_keys/{accountId}/{provider.Id}";

    /// <param name="Prefix">Public.</param>
    /// <param name="Sealed">The key's box.</param>
    private sealed record StoredProviderKey(string Prefix, string Sealed);

    /// <param name="Until">When the database is asked again.</param>
    private sealed record Cached(FrozenDictionary<TtsProvider, StoredProviderKey> Keys, DateTimeOffset Until);

    [LoggerMessage(1414, LogLevel.Information, "The {Provider} key of account {AccountId} was {Change}")]
    private partial void LogChanged(string provider, string accountId, string change);

    [LoggerMessage(1415, LogLevel.Error, "The {Provider} key of account {AccountId} cannot be read: it was sealed with another secret key of the server, or for another account")]
    private partial void LogUnreadable(string provider, string accountId);
}
