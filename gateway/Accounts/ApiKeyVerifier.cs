using System.Net;
using System.Security.Cryptography;
using Microsoft.Extensions.Caching.Memory;
using Microsoft.Extensions.Logging;
using VoiceGrains.Gateway.Errors;
using VoiceGrains.Gateway.Limits;
using VoiceGrains.GrainInterfaces;
using VoiceGrains.Grains.Accounts;
using VoiceGrains.Grains.Storage;

namespace VoiceGrains.Gateway.Accounts;

/// <summary>
/// Tells whose key a key is. Answers are kept for a short while, so that a busy client costs one query every <see cref="CacheTime"/>;
/// a key that ends dies at once where <see cref="ApiKeyChanges"/> hears of it, and within that time otherwise. Wrong keys are not kept: nobody may fill the cache with guesses.
/// </summary>
internal sealed partial class ApiKeyVerifier(AccountStore accounts, DatabaseWatch database, StrangerLimit strangers, TimeProvider clock, ILogger<ApiKeyVerifier> logger) : IDisposable
{
    public static readonly TimeSpan CacheTime = TimeSpan.FromSeconds(20);

    /// <summary>How long a key that was right is looked up again even for an address from which too many wrong ones come.</summary>
    private static readonly TimeSpan TrustTime = TimeSpan.FromHours(1);

    private readonly MemoryCache cache = new(new MemoryCacheOptions { SizeLimit = 10_000 });
    private int timesForgotten;

    /// <summary>
    /// Null for a key that is malformed, unknown, revoked or expired: the client is not told which. Also the gate of the API: nothing behind it works without
    /// the database.
    /// </summary>
    /// <param name="text">The key as it came.</param>
    /// <param name="from">The client's address.</param>
    /// <param name="cancellationToken">Cancels the query.</param>
    /// <exception cref="PlatformException">
    /// <see cref="ErrorCode.DatabaseUnavailable"/>; <see cref="ErrorCode.AccountDisabled"/> for a right key; <see cref="HttpErrors.RateLimited"/>: too many wrong keys came from this address to look at another one.
    /// </exception>
    public async Task<Caller?> VerifyAsync(string text, IPAddress? from, CancellationToken cancellationToken)
    {
        if (ApiKey.Parse(text) is not { } key) return null;
        database.RequireDatabase();
        var hash = key.Hash();
        var known = cache.Get<Cached>(key.Prefix);
        var isKnown = known is not null && CryptographicOperations.FixedTimeEquals(known.Hash, hash);
        if (known?.Until > clock.GetUtcNow()) return isKnown ? known.Caller : null;
        if (!isKnown) strangers.RequireRoom(from);

        var before = Volatile.Read(ref timesForgotten);
        var stored = await accounts.FindKeyAsync(key.Prefix, cancellationToken);
        var now = clock.GetUtcNow();
        if (stored is null || !CryptographicOperations.FixedTimeEquals(stored.Hash, hash)) return null;
        if (stored.Revoked is not null || stored.Expires <= now) return null;
        if (stored.Account.Disabled is not null)
        {
            strangers.Take(from).Dispose();     // what is refused here is counted nowhere else, and each costs a query
            throw new PlatformException(ErrorCode.AccountDisabled, "This account is disabled.");
        }

        var until = now + CacheTime;
        var entry = new Cached(hash, new(stored.Account, key.Prefix), stored.Expires < until ? stored.Expires.Value : until);
        cache.Set(key.Prefix, entry, new MemoryCacheEntryOptions { Size = 1, AbsoluteExpirationRelativeToNow = TrustTime });
        if (Volatile.Read(ref timesForgotten) != before) cache.Remove(key.Prefix);   // it may have ended since the database was asked
        _ = TouchAsync(key.Prefix);   // nobody waits for it, and a lost one does no harm
        return entry.Caller;
    }

    /// <summary>Asks the database about this key when it comes next. To be called when it has ended there.</summary>
    public void Forget(string prefix)
    {
        Interlocked.Increment(ref timesForgotten);
        cache.Remove(prefix);
    }

    /// <summary>Asks the database about every key when it comes next.</summary>
    public void ForgetAll()
    {
        Interlocked.Increment(ref timesForgotten);
        cache.Clear();
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

    /// <param name="Hash">The cache holds no key either.</param>
    /// <param name="Caller">Whose key it is.</param>
    /// <param name="Until">When the database is asked again.</param>
    private sealed record Cached(byte[] Hash, Caller Caller, DateTimeOffset Until);

    [LoggerMessage(2011, LogLevel.Warning, "The last use of API key {Prefix} was not recorded")]
    private partial void LogTouchFailed(string prefix, Exception exception);
}
