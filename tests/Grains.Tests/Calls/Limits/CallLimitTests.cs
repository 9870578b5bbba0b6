using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using VoiceGrains.GrainInterfaces;
using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.Grains.Calls;
using VoiceGrains.Grains.Calls.Limits;
using VoiceGrains.Grains.Throttles;
using VoiceGrains.Tests.Shared;

namespace VoiceGrains.Grains.Tests.Calls.Limits;

/// <summary>Limits of creating calls, counted in PostgreSQL by several processes at once.</summary>
public sealed class CallLimitTests(TwoHosts hosts) : IClassFixture<TwoHosts>
{
    private const int Racers = 50;

    private readonly CallHost host = hosts.One;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>Each kind of limit has its turn; two hosts know nothing of each other but the database.</summary>
    [Fact]
    public async Task OfManyCreationsAtOnce_OnTwoHosts_ExactlyAsManyWinAsAreAllowed()
    {
        Assert.Equal((7, ErrorCode.ConcurrencyLimit), await RaceAsync("race-concurrent", new CallLimits { ConcurrentCalls = 7 }));
        Assert.Equal((11, ErrorCode.CallRateLimit), await RaceAsync("race-rate", new CallLimits { Rates = [new(20, 1), new(11, 600)] }));
        var throttle = await host.Services.GetRequiredService<CallThrottleStore>().CreateAsync("race-throttle", "slow", [new(5, 600), new(50, 3600)], Cancel);
        Assert.Equal((5, ErrorCode.CallThrottled), await RaceAsync("race-throttle", new CallLimits { ThrottleId = throttle.ThrottleId }));
        Assert.Equal((Racers, null), await RaceAsync("race-none", CallLimits.None));

        // Nothing is left of those that lost.
        Assert.Equal(7 + 11 + 5 + Racers, await CountAsync("select count(*) from calls where account_id like 'race-%'"));
        Assert.Equal(5, await CountAsync("select count(*) from call_throttle_uses join calls using (call_id) where account_id like 'race-%'"));
        Assert.Equal(0, await CountAsync("select count(*) from grain_state where grain_type = 'call' and grain_key not in (select call_id from calls)"));
        Assert.Equal(0, await CountAsync("select count(*) from grain_reminders where grain_key not in (select call_id from calls)"));
    }

    [Fact]
    public async Task WhateverBecomesOfCalls_TheCountIsThatOfANaiveList()
    {
        var clock = new ManualClock();
        await using var database = await PostgresServer.CreateDatabaseAsync(Cancel);
        await using var alone = await CallHost.StartAsync(database, configure: builder =>
        {
            builder.Services.Replace(ServiceDescriptor.Singleton<TimeProvider>(clock));
            builder.Services.RemoveAll<IHostedService>();       // nobody else touches the calls
        });
        await alone.Services.GetRequiredService<GrainRuntime.Storage.SchemaMigrations>().ApplyAsync(Cancel);
        for (var run = 0; run < 12; run++)
        {
            var seed = Random.Shared.Next();
            var random = new Random(seed);
            var limits = new CallLimits
            {
                ConcurrentCalls = run % 3 == 0 ? null : random.Next(0, 6),
                Rates = run % 3 == 1 ? [] : [new(random.Next(1, 4), random.Next(1, 10)), new(random.Next(4, 9), random.Next(20, 90))],
            };
            var calls = new LimitedCalls(alone, clock, limits, random);
            try
            {
                for (var step = 0; step < 40; step++) await calls.StepAsync();
            }
            catch (Exception failure)
            {
                throw new InvalidOperationException($"With seed {seed} in run {run}: {failure.Message}", failure);
            }
        }
    }

    /// <summary>A throttle's rules are looked at as they are when a call is created, and what it counted is kept no longer than they need.</summary>
    [Fact]
    public async Task AThrottle_CountsInASlidingWindow_AndForgetsWhatNoRuleLooksAt()
    {
        var throttles = host.Services.GetRequiredService<CallThrottleStore>();
        var throttle = await throttles.CreateAsync("account-1", "t", [new(2, 100)], Cancel);
        var limits = new CallLimits { ThrottleId = throttle.ThrottleId };
        var now = DateTimeOffset.UtcNow;
        await CreateAsync(host, "account-1", limits, now.AddSeconds(-70));
        await CreateAsync(host, "account-1", limits, now.AddSeconds(-40));
        var refused = await Assert.ThrowsAsync<PlatformException>(() => CreateAsync(host, "account-1", limits, now));
        Assert.Equal("The call throttle 't' allows the creation of 2 calls in 100 s.", refused.Message);
        Assert.InRange(refused.RetryAfter!.Value, TimeSpan.FromSeconds(15), TimeSpan.FromSeconds(30));

        await throttles.UpdateAsync("account-1", throttle.ThrottleId, null, [new(2, 60)], Cancel);
        await CreateAsync(host, "account-1", limits, now);
        Assert.Equal(2, await CountAsync($"select count(*) from call_throttle_uses where throttle_id = '{throttle.ThrottleId}'"));
        Assert.True(await throttles.DeleteAsync("account-1", throttle.ThrottleId, Cancel));
        await CreateAsync(host, "account-1", limits, now);      // it was there when the call was asked for
        Assert.Equal(0, await CountAsync($"select count(*) from call_throttle_uses where throttle_id = '{throttle.ThrottleId}'"));
    }

    [Fact]
    public async Task Capacity_KeepsPlacesForPriority_AndTellsWhoIsToBlame()
    {
        var clock = new ManualClock();
        var check = host.Services.GetRequiredService<CallLimitCheck>();
        var others = await check.CountActiveAsync(Cancel);
        using var capacity = new CallCapacity(check, Microsoft.Extensions.Options.Options.Create(new CallCapacityOptions { MaxCalls = others + 4, PriorityReserve = 1 }), clock);
        for (var i = 0; i < 2; i++) await CreateAsync(host, "plain", CallLimits.None, DateTimeOffset.UtcNow);
        await capacity.RequireRoomAsync("plain", 0, Cancel);
        Assert.Equal(ErrorCode.AtCapacity, (await Assert.ThrowsAsync<PlatformException>(() => capacity.RequireRoomAsync("plain", 0, Cancel))).Code);
        await capacity.RequireRoomAsync("scale", 100, Cancel);
        Assert.Equal(ErrorCode.PriorityUnavailable, (await Assert.ThrowsAsync<PlatformException>(() => capacity.RequireRoomAsync("scale", 100, Cancel))).Code);
        Assert.Equal(ErrorCode.AtCapacity, (await Assert.ThrowsAsync<PlatformException>(() => capacity.RequireRoomAsync("plain", 2, Cancel))).Code);    // above its priority

        clock.Advance(TimeSpan.FromSeconds(1));     // the two that were admitted here were never stored
        await capacity.RequireRoomAsync("plain", 0, Cancel);
    }

    private async Task<(int Created, ErrorCode? Refusal)> RaceAsync(string account, CallLimits limits)
    {
        var start = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var racers = Enumerable.Range(0, Racers).Select(async i =>
        {
            await start.Task;
            try
            {
                await CreateAsync(i % 2 == 0 ? hosts.One : hosts.Two, account, limits, DateTimeOffset.UtcNow);
                return null;
            }
            catch (PlatformException refused)
            {
                Assert.True(refused.RetryAfter > TimeSpan.Zero);
                return refused.Code;
            }
        }).ToList();
        start.SetResult();
        var outcomes = await Task.WhenAll(racers);
        return (outcomes.Count(code => code is null), outcomes.Where(code => code is not null).Distinct().SingleOrDefault());
    }

    private static Task<CallSnapshot> CreateAsync(CallHost host, string account, CallLimits limits, DateTimeOffset created)
    {
        var settings = CallSamples.Settings(Guid.NewGuid().ToString(), created) with { AccountId = account, JoinTimeout = TimeSpan.FromMinutes(10) };
        return host.Call(settings.CallId).CreateAsync(settings, limits);
    }

    private async Task<long> CountAsync(string sql)
    {
        await using var command = host.Database.CreateCommand(sql);
        return (long)(await command.ExecuteScalarAsync(Cancel))!;
    }
}

/// <summary>Two silos that know nothing of each other but their database.</summary>
public sealed class TwoHosts : IAsyncLifetime
{
    private TestDatabase _database = null!;

    internal CallHost One { get; private set; } = null!;
    internal CallHost Two { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        _database = await PostgresServer.CreateDatabaseAsync();
        One = await CallHost.StartAsync(_database);
        Two = await CallHost.StartAsync(_database);
    }

    public async ValueTask DisposeAsync()
    {
        await One.DisposeAsync();
        await Two.DisposeAsync();
        await _database.DisposeAsync();
    }
}
