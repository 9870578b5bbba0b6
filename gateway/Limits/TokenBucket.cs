using System.Threading.RateLimiting;

namespace VoiceGrains.Gateway.Limits;

/// <summary>
/// A token bucket that holds one second's worth. It fills by the clock when it is asked, so it needs no timer, and what it says of the wait is true to the
/// tick: the library's own limiters know neither <see cref="TimeProvider"/> nor, for a window, when it ends.
/// </summary>
internal sealed class TokenBucket(int perSecond, LimitName limit, TimeProvider clock) : RateLimiter
{
    /// <summary>Which limit refused.</summary>
    public static readonly MetadataName<LimitName> Limit = MetadataName.Create<LimitName>("LIMIT");

    private static readonly Granted Grant = new();

    private readonly Lock _gate = new();
    private double _tokens = perSecond;
    private long _filled = clock.GetTimestamp();
    private long _granted, _refused;

    /// <summary>Since the bucket is full again; null while it is not. One that has been idle is forgotten by its partition.</summary>
    public override TimeSpan? IdleDuration
    {
        get
        {
            lock (_gate)
            {
                var since = clock.GetElapsedTime(_filled);
                var missing = TimeSpan.FromSeconds((perSecond - _tokens) / perSecond);
                return since >= missing ? since - missing : null;
            }
        }
    }

    public override RateLimiterStatistics GetStatistics()
    {
        lock (_gate)
        {
            Fill();
            return new() { CurrentAvailablePermits = (long)_tokens, TotalSuccessfulLeases = _granted, TotalFailedLeases = _refused };
        }
    }

    /// <param name="permitCount">0 asks whether there is a token, and takes none.</param>
    protected override RateLimitLease AttemptAcquireCore(int permitCount)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(permitCount, perSecond);
        lock (_gate)
        {
            Fill();
            var missing = Math.Max(permitCount, 1) - _tokens;
            if (missing > 0)
            {
                _refused++;
                return new Refused(limit, TimeSpan.FromSeconds(missing / perSecond));
            }
            _tokens -= permitCount;
            _granted++;
            return Grant;
        }
    }

    /// <summary>Nobody waits here: a client is told when to come back.</summary>
    protected override ValueTask<RateLimitLease> AcquireAsyncCore(int permitCount, CancellationToken cancellationToken) => new(AttemptAcquireCore(permitCount));

    private void Fill()
    {
        var now = clock.GetTimestamp();
        _tokens = Math.Min(perSecond, _tokens + (clock.GetElapsedTime(_filled, now).TotalSeconds * perSecond));
        _filled = now;
    }

    private sealed class Granted : RateLimitLease
    {
        public override bool IsAcquired => true;
        public override IEnumerable<string> MetadataNames => [];

        public override bool TryGetMetadata(string metadataName, out object? metadata)
        {
            metadata = null;
            return false;
        }
    }

    private sealed class Refused(LimitName limit, TimeSpan wait) : RateLimitLease
    {
        public override bool IsAcquired => false;
        public override IEnumerable<string> MetadataNames => [MetadataName.RetryAfter.Name, Limit.Name];

        public override bool TryGetMetadata(string metadataName, out object? metadata)
        {
            metadata = metadataName == MetadataName.RetryAfter.Name ? wait : metadataName == Limit.Name ? limit : null;
            return metadata is not null;
        }
    }
}
