using System.Net;
using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.RateLimiting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using VoiceGrains.Gateway.Accounts;
using VoiceGrains.Gateway.Limits;
using VoiceGrains.GrainInterfaces.Accounts;
using VoiceGrains.Grains.Accounts;
using VoiceGrains.Server.Tests.Hosting;
using VoiceGrains.Tests.Shared;

namespace VoiceGrains.Server.Tests.Limits;

/// <summary>Request rates as a gateway counts them, with a clock that the test moves.</summary>
public sealed class RequestLimitsTests : IDisposable
{
    private readonly ManualClock _clock = new();
    private readonly Account _account = new() { AccountId = Guid.NewGuid(), Name = "a", Plan = "small" };
    private readonly StrangerLimit _strangers;
    private readonly PartitionedRateLimiter<HttpContext> _limiter;

    public RequestLimitsTests(SiloFixture silo)
    {
        var gateway = Options.Create(new GatewayOptions { RequestsPerSecondPerKey = 4, RequestsPerSecondPerAccount = 100, AnonymousRequestsPerSecond = 2 });
        var plans = new Plans(Options.Create(new AccountOptions { Plans = new() { ["small"] = new() { RequestsPerSecond = 10 }, ["free"] = new() { RequestsPerSecondPerKey = 0 } } }));
        var refusals = silo.Services.GetRequiredService<LimitRefusals>();
        _strangers = new StrangerLimit(gateway, refusals, _clock);
        var options = new RateLimiterOptions();
        new RequestLimits(gateway, plans, _strangers, refusals, _clock).Configure(options);
        _limiter = options.GlobalLimiter!;
    }

    public void Dispose()
    {
        _limiter.Dispose();
        _strangers.Dispose();
    }

    [Fact]
    public void AKey_MayAskAsOftenAsItsRate_AndIsToldWhenAgain()
    {
        for (var i = 0; i < 4; i++) Assert.Null(Ask("key1"));
        Assert.Equal((LimitName.KeyRequests, TimeSpan.FromMilliseconds(250)), Ask("key1"));
        _clock.Advance(TimeSpan.FromMilliseconds(249));
        Assert.Equal((LimitName.KeyRequests, TimeSpan.FromMilliseconds(1)), Ask("key1"));
        _clock.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Null(Ask("key1"));
        Assert.NotNull(Ask("key1"));

        _clock.Advance(TimeSpan.FromHours(1));      // no more than one second's worth is saved up
        for (var i = 0; i < 4; i++) Assert.Null(Ask("key1"));
        Assert.NotNull(Ask("key1"));
    }

    [Fact]
    public void AnAccountsKeys_ShareItsRate_AndWhatOneKeyIsRefusedCostsTheOthersNothing()
    {
        for (var i = 0; i < 50; i++) _ = Ask("key1");
        for (var i = 0; i < 4; i++) Assert.Null(Ask("key2"));
        for (var i = 0; i < 2; i++) Assert.Null(Ask("key3"));
        Assert.Equal((LimitName.AccountRequests, TimeSpan.FromMilliseconds(100)), Ask("key3"));
        Assert.Null(Ask("key1", new Account { AccountId = Guid.NewGuid(), Name = "b", Plan = "small" }, prefix: "other"));
        _clock.Advance(TimeSpan.FromMilliseconds(100));
        Assert.Null(Ask("key4"));
    }

    [Fact]
    public void APlan_MayLiftALimit_AndAnAccountThatChangesItsPlanHasTheNewOne()
    {
        for (var i = 0; i < 5; i++) _ = Ask("key1");
        Assert.NotNull(Ask("key1"));
        for (var i = 0; i < 100; i++) Assert.Null(Ask("key1", _account with { Plan = "free" }));      // the gateway's 100 for an account
        Assert.Equal(LimitName.AccountRequests, Ask("key1", _account with { Plan = "free" })?.Limit);
    }

    [Fact]
    public void Strangers_CountByAddress_AtTheApiOnly()
    {
        Assert.Null(AskUnknown("192.0.2.1", "/api/calls"));
        Assert.Null(AskUnknown("::ffff:192.0.2.1", "/api/calls"));
        Assert.Equal((LimitName.AddressRequests, TimeSpan.FromMilliseconds(500)), AskUnknown("192.0.2.1", "/api/agents"));
        Assert.Null(AskUnknown("192.0.2.2", "/api/agents"));
        Assert.Null(AskUnknown("192.0.2.1", "/health/live"));
        Assert.Null(Ask("key1"));
    }

    private (LimitName Limit, TimeSpan Wait)? Ask(string key, Account? account = null, string prefix = "")
    {
        var context = new DefaultHttpContext { Request = { Path = "/api/calls" } };
        context.Features.Set(new Caller(account ?? _account, prefix + key));
        return Ask(context);
    }

    private (LimitName Limit, TimeSpan Wait)? AskUnknown(string address, string path)
        => Ask(new DefaultHttpContext { Request = { Path = path }, Connection = { RemoteIpAddress = IPAddress.Parse(address) } });

    private (LimitName Limit, TimeSpan Wait)? Ask(HttpContext context)
    {
        using var lease = _limiter.AttemptAcquire(context);
        if (lease.IsAcquired) return null;
        Assert.True(lease.TryGetMetadata(TokenBucket.Limit, out var limit));
        return (limit, RequestLimits.WaitOf(lease));
    }
}
