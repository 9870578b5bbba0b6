using Microsoft.Extensions.Options;
using VoiceGrains.GrainInterfaces;

namespace VoiceGrains.Grains.Calls.Limits;

/// <summary>
/// Whether the cluster as a whole has room for one more call. A guard against overload and no account's right, so it may be about right: the count is at most
/// a second old, and what other gateways create meanwhile comes on top.
/// </summary>
public sealed class CallCapacity(CallLimitCheck check, IOptions<CallCapacityOptions> options, TimeProvider clock) : IDisposable
{
    private static readonly TimeSpan MaxAge = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Retry = TimeSpan.FromSeconds(5);

    private readonly SemaphoreSlim _counting = new(1);
    private long? _counted;
    private int _calls;

    /// <summary>Counts one call more, until the next look at the database.</summary>
    /// <param name="accountId">Who asks.</param>
    /// <param name="priorityCalls">So many calls of the account have priority.</param>
    /// <param name="cancellationToken">Cancels the queries.</param>
    /// <exception cref="PlatformException">
    /// <see cref="ErrorCode.AtCapacity"/>, or <see cref="ErrorCode.PriorityUnavailable"/> for a call that has priority (docs: priority concurrency).
    /// </exception>
    public async Task RequireRoomAsync(string accountId, int priorityCalls, CancellationToken cancellationToken)
    {
        var (most, reserve) = (options.Value.MaxCalls, options.Value.PriorityReserve);
        if (most == 0) return;
        var calls = await CountAsync(cancellationToken);
        if (calls >= most - reserve)
        {
            var hasPriority = priorityCalls > 0 && await check.CountActiveAsync(accountId, cancellationToken) < priorityCalls;
            if (calls >= most || !hasPriority)
            {
                throw new PlatformException(hasPriority ? ErrorCode.PriorityUnavailable : ErrorCode.AtCapacity, "The server has as many calls as it can take.")
                {
                    RetryAfter = Retry,
                };
            }
        }
        Interlocked.Increment(ref _calls);
    }

    public void Dispose() => _counting.Dispose();

    private async Task<int> CountAsync(CancellationToken cancellationToken)
    {
        await _counting.WaitAsync(cancellationToken);
        try
        {
            if (_counted is { } last && clock.GetElapsedTime(last) < MaxAge) return Volatile.Read(ref _calls);
            Volatile.Write(ref _calls, await check.CountActiveAsync(cancellationToken));
            _counted = clock.GetTimestamp();
            return Volatile.Read(ref _calls);
        }
        finally
        {
            _counting.Release();
        }
    }
}
