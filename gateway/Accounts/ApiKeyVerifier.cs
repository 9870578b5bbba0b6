using System.Security.Cryptography;
using Microsoft.Extensions.Caching.Memory;
using Microsoft.Extensions.Logging;
using VoiceGrains.GrainInterfaces;
using VoiceGrains.Grains.Accounts;
using VoiceGrains.Grains.Storage;

namespace VoiceGrains.Gateway.Accounts;

/// <summary>
/// Tells whose key a key is. Answers are kept for a short while, so that a busy client costs one query every <see cref="CacheTime"/>;
/// a revoked key dies within that time. Wrong keys are not kept: nobody may fill the cache with guesses.
/// </summary>
internal sealed partial class ApiKeyVerifier(AccountStore accounts, DatabaseWatch database, TimeProvider clock, ILogger<ApiKeyVerifier> logger) : IDisposable
{
    public static readonly TimeSpan CacheTime = TimeSpan.FromSeconds(20);

    private readonly MemoryCache cache = new(new MemoryCacheOptions { SizeLimit = 10_000 });

    /// <summary>
    /// Null for a key that is malformed, unknown, revoked or expired: the client is not told which. Also the gate of the API: nothing behind it works without
    /// the database.
    /// </summary>
    /// <exception cref="PlatformException"><see cref="ErrorCode.DatabaseUnavailable"/>.</exception>
    public async Task<Caller?> VerifyAsync(string text, CancellationToken cancellationToken)
    {
        if (ApiKey.Parse(text) is not { } key) return null;
        database.RequireDatabase();
        var hash = key.Hash();
        var name = Convert.ToBase64String(hash);   // the cache holds no key either
        if (cache.Get<Cached>(name) is { } known && known.Until > clock.GetUtcNow()) return known.Caller;

        var stored = await accounts.FindKeyAsync(key.Prefix, cancellationToken);
        var now = clock.GetUtcNow();
        if (stored is null || !CryptographicOperations.FixedTimeEquals(stored.Hash, hash)) return null;
        if (stored.Revoked is not null || stored.Expires <= now) return null;

        var until = now + CacheTime;
        var entry = new Cached(new(stored.Account, key.Prefix), stored.Expires < until ? stored.Expires.Value : until);
        cache.Set(name, entry, new MemoryCacheEntryOptions { Size = 1, AbsoluteExpirationRelativeToNow = CacheTime });
        _ = TouchAsync(key.Prefix);   // nobody waits for it, and a lost one does no harm
        return entry.Caller;
    }

    private async Task TouchAsync(string prefix)
    {
        try
        {
            using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(5), clock);
            await accounts.TouchKeyAsync(prefix, timeout.Token);
        }
        catch (Exception e)
        {
            LogTouchFailed(prefix, e);
        }
    }

    public void Dispose() => cache.Dispose();

    private sealed record Cached(Caller Caller, DateTimeOffset Until);

    [LoggerMessage(2011, LogLevel.Warning, "The last use of API key {Prefix} was not recorded")]
    private partial void LogTouchFailed(string prefix, Exception exception);
}
