using System.Diagnostics.Metrics;
using System.Text.Json;
using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using VoiceGrains.Gateway.Accounts;
using VoiceGrains.GrainInterfaces;

namespace VoiceGrains.Gateway.Limits;

/// <summary>
/// Tells operators who meets which limit: a metric for every refusal, a log line for the first of each minute, so that a client that never stops asking does
/// not fill the log. Meter <c>VoiceGrains.Limits</c>. Safe for concurrent use.
/// </summary>
internal sealed partial class LimitRefusals : IDisposable
{
    private const int MostRemembered = 10_000;
    private static readonly TimeSpan Silence = TimeSpan.FromMinutes(1);

    private readonly Meter _meter;
    private readonly Counter<long> _refusals;
    private readonly TimeProvider _clock;
    private readonly ILogger<LimitRefusals> _logger;
    private readonly Dictionary<(LimitName Limit, string Who), long> _logged = [];

    public LimitRefusals(IMeterFactory meters, TimeProvider clock, ILogger<LimitRefusals> logger)
    {
        _meter = meters.Create("VoiceGrains.Limits");
        _refusals = _meter.CreateCounter<long>("voicegrains.limits.refusals", "{request}", "Requests that were refused, by the limit that they met.");
        (_clock, _logger) = (clock, logger);
    }

    /// <summary>A request that a rate limiter refused.</summary>
    public void Count(HttpContext context, RateLimitLease refused)
    {
        var limit = refused.TryGetMetadata(TokenBucket.Limit, out var name) ? name : LimitName.AddressRequests;
        var caller = context.Features.Get<Caller>();
        Count(limit, limit switch
        {
            LimitName.KeyRequests => $"API key {caller?.KeyPrefix}",
            LimitName.AccountRequests => $"account {caller?.AccountId}",
            _ => $"{context.Connection.RemoteIpAddress}",
        });
    }

    /// <summary>A call that was not created. Other refusals than those of limits are not counted.</summary>
    public void Count(Caller caller, PlatformException refusal)
    {
        if (LimitOf(refusal.Code) is { } limit) Count(limit, $"account {caller.AccountId}");
    }

    public void Count(LimitName limit, string who)
    {
        _refusals.Add(1, new KeyValuePair<string, object?>("limit", JsonNamingPolicy.SnakeCaseLower.ConvertName(limit.ToString())));
        if (IsNews((limit, who))) LogRefused(limit, who);
    }

    public void Dispose() => _meter.Dispose();

    private static LimitName? LimitOf(ErrorCode code)
        => code == ErrorCode.ConcurrencyLimit ? LimitName.ConcurrentCalls
            : code == ErrorCode.CallRateLimit ? LimitName.CallRate
            : code == ErrorCode.CallThrottled ? LimitName.Throttle
            : code == ErrorCode.PlanSpent ? LimitName.IncludedMinutes
            : code == ErrorCode.AtCapacity || code == ErrorCode.PriorityUnavailable ? LimitName.Capacity
            : null;

    private bool IsNews((LimitName Limit, string Who) refusal)
    {
        lock (_logged)
        {
            if (_logged.TryGetValue(refusal, out var last) && _clock.GetElapsedTime(last) < Silence) return false;
            if (_logged.Count >= MostRemembered) _logged.Clear();
            _logged[refusal] = _clock.GetTimestamp();
            return true;
        }
    }

    [LoggerMessage(2021, LogLevel.Information, "{Limit}: a request of {Who} was refused; further ones within a minute are only counted")]
    private partial void LogRefused(LimitName limit, string who);
}
