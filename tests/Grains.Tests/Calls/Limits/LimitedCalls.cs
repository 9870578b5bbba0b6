using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using VoiceGrains.GrainInterfaces;
using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.GrainRuntime.Storage;
using VoiceGrains.Grains.Calls;
using VoiceGrains.Grains.Calls.Limits;
using VoiceGrains.Tests.Shared;

namespace VoiceGrains.Grains.Tests.Calls.Limits;

/// <summary>
/// Calls of one account in PostgreSQL, stored by the grain's own state, rules, store and projections but without the grain, so that a test says when things
/// happen; and the same calls in a list, which a naive count is made of.
/// </summary>
internal sealed class LimitedCalls(CallHost host, ManualClock clock, CallLimits limits, Random random)
{
    private static readonly TimeSpan JoinTimeout = TimeSpan.FromSeconds(30);

    private readonly IGrainStateStore _store = host.Services.GetRequiredService<IGrainStateStore>();
    private readonly CallLimitCheck _check = host.Services.GetRequiredService<CallLimitCheck>();
    private readonly string _account = Guid.NewGuid().ToString();
    private readonly List<DateTimeOffset> _created = [];
    private readonly List<Known> _calls = [];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async Task StepAsync()
    {
        switch (random.Next(10))
        {
            case < 4: await CreateAsync(isKilled: false); break;
            case 4: await CreateAsync(isKilled: true); break;
            case 5: await ChangeAsync((call, state) => call.Joined |= state.TryJoin(call.Token, null, "host", clock.GetUtcNow()) == JoinResult.Joined); break;
            case 6: await ChangeAsync((call, state) => call.Ended |= state.TryEnd(new CallOutcome(EndReason.Hangup), clock.GetUtcNow())); break;
            case 7: await ChangeAsync((_, state) => state.TryInterrupt(clock.GetUtcNow())); break;      // its process is lost; it may go on
            case 8: await DeleteAsync(); break;
            default: clock.Advance(TimeSpan.FromMilliseconds(random.Next(1, 12_000))); break;
        }
        Assert.Equal(Active, await _check.CountActiveAsync(_account, Cancel));
    }

    private int Active => _calls.Count(call => !call.Ended && (call.Joined || call.Deadline > clock.GetUtcNow()));

    private async Task CreateAsync(bool isKilled)
    {
        var settings = CallSamples.Settings(Guid.NewGuid().ToString(), clock.GetUtcNow()) with { AccountId = _account, JoinTimeout = JoinTimeout };
        var call = new Known(settings.CallId, JoinToken.Create(), settings.Created + JoinTimeout);
        var state = new CallState { Limits = limits };
        state.Create(settings, JoinToken.Hash(call.Token));
        var (expected, wait) = Expected();
        if (isKilled)
        {
            await CreateAndDieAsync(state, settings.CallId);
            return;
        }
        var early = await Record.ExceptionAsync(() => _check.RequireRoomAsync(_account, limits, Cancel));
        var failure = await Record.ExceptionAsync(async () => call.Etag = await _store.WriteAsync(Address(call), state, null, null, Cancel));
        Assert.Equal((expected, wait), ((failure as PlatformException)?.Code, (failure as PlatformException)?.RetryAfter));
        Assert.Equal((expected, wait), ((early as PlatformException)?.Code, (early as PlatformException)?.RetryAfter));
        if (failure is not null) return;
        _created.Add(settings.Created);
        _calls.Add(call);
    }

    /// <summary>The connection breaks after the check and the writes, before the commit: what a killed process leaves.</summary>
    private async Task CreateAndDieAsync(CallState state, string callId)
    {
        var connection = new NpgsqlConnection(host.Database.ConnectionString + ";Pooling=false");
        await connection.OpenAsync(Cancel);
        var transaction = await connection.BeginTransactionAsync(Cancel);
        try
        {
            foreach (var projection in host.Services.GetServices<IStateProjection<CallState>>()) await projection.ProjectAsync(connection, transaction, callId, state, Cancel);
        }
        catch (PlatformException)
        {
            // At its limit it would have created nothing anyway.
        }
        await using var kill = host.Database.CreateCommand($"select pg_terminate_backend({connection.ProcessID})");
        await kill.ExecuteNonQueryAsync(Cancel);
        await Record.ExceptionAsync(async () => await connection.DisposeAsync());
    }

    private async Task ChangeAsync(Action<Known, CallState> change)
    {
        if (_calls.Count == 0) return;
        var call = _calls[random.Next(_calls.Count)];
        // Whatever process held the call in memory, this one reads it from the database.
        var stored = (await _store.ReadAsync<CallState>(Address(call), Cancel))!.Value;
        change(call, stored.State);
        call.Etag = await _store.WriteAsync(Address(call), stored.State, stored.Etag, null, Cancel);
    }

    private async Task DeleteAsync()
    {
        if (_calls.Count == 0) return;
        var call = _calls[random.Next(_calls.Count)];
        await _store.ClearAsync<CallState>(Address(call), call.Etag, null, Cancel);
        _calls.Remove(call);        // the creations stay counted
    }

    /// <summary>What the rules say, by counting one by one.</summary>
    private (ErrorCode? Code, TimeSpan? Wait) Expected()
    {
        var now = clock.GetUtcNow();
        if (Active >= limits.ConcurrentCalls)
        {
            var waiting = _calls.Where(call => !call.Ended && !call.Joined && call.Deadline > now).Select(call => call.Deadline - now).ToList();
            return (ErrorCode.ConcurrencyLimit, waiting.Append(TimeSpan.FromSeconds(5)).Min());
        }
        TimeSpan? wait = null;
        foreach (var rate in limits.Rates)
        {
            var recent = _created.Where(created => created > now.AddSeconds(-rate.WindowSeconds)).Order().ToList();
            if (recent.Count < rate.MaxCalls) continue;
            var free = recent[^rate.MaxCalls].AddSeconds(rate.WindowSeconds) - now;
            if (wait is null || free > wait) wait = free;
        }
        return wait is null ? (null, null) : (ErrorCode.CallRateLimit, wait);
    }

    private static StateAddress Address(Known call) => new("call", call.CallId, "call");

    private sealed class Known(string callId, string token, DateTimeOffset deadline)
    {
        public string CallId => callId;
        public string Token => token;
        public DateTimeOffset Deadline => deadline;
        public bool Joined { get; set; }
        public bool Ended { get; set; }
        public int Etag { get; set; }
    }
}
