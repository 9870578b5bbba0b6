using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using VoiceGrains.Grains;
using VoiceGrains.Grains.Accounts;
using VoiceGrains.Server.Tests.Hosting;

namespace VoiceGrains.Server.Tests.Limits;

/// <summary>The limits of creating calls as a client meets them.</summary>
public sealed class CallLimitApiTests(SiloFixture silo)
{
    [Fact]
    public async Task ThePlansCap_IsShown_AndRefusesWith429UntilACallIsGone()
    {
        using var client = await silo.CreateClientAsync("two_calls");
        var first = await client.PostAsync("/api/calls", """{"joinTimeout":"3s"}""");
        Assert.Equal((201, 201), (first.Status, (await client.PostAsync("/api/calls", "{}")).Status));
        var refused = await client.PostAsync("/api/calls", "{}");
        Assert.Equal((429, """{"detail":"The account may have 2 calls at once.","code":"concurrency_limit"}"""), (refused.Status, refused.Text));
        Assert.InRange(refused.Headers.RetryAfter!.Delta!.Value, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(3));     // then nobody can join the first any more

        var account = (await client.GetAsync("/api/accounts/me")).Json;
        Assert.Equal((2, 2, "two_calls"), (
            account.GetProperty("activeCalls").GetInt32(), account.GetProperty("allowedConcurrentCalls").GetInt32(), account.GetProperty("subscriptionTier").GetString()));
        Assert.Equal(204, (await client.DeleteAsync("/api/calls/" + first.Json.GetProperty("callId").GetString())).Status);
        Assert.Equal(201, (await client.PostAsync("/api/calls", "{}")).Status);
    }

    [Fact]
    public async Task ThePlansRate_CountsDeletedCallsToo_ButNotRequestsThatAreWrong()
    {
        using var client = await silo.CreateClientAsync("three_a_minute");
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal(400, (await client.PostAsync("/api/calls", """{"model":"none"}""")).Status);
            var made = await client.PostAsync("/api/calls", "{}");
            Assert.Equal(201, made.Status);
            Assert.Equal(204, (await client.DeleteAsync("/api/calls/" + made.Json.GetProperty("callId").GetString())).Status);
        }
        var refused = await client.PostAsync("/api/calls", "{}");
        Assert.Equal((429, """{"detail":"The account's plan allows the creation of 3 calls in 60 s.","code":"call_rate_limit"}"""), (refused.Status, refused.Text));
        Assert.InRange(refused.Headers.RetryAfter!.Delta!.Value, TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(60));
    }

    [Fact]
    public async Task APlanThatIsNotConfigured_HasNoLimit()
    {
        using var client = await silo.CreateClientAsync();
        Assert.Equal(System.Text.Json.JsonValueKind.Null, (await client.GetAsync("/api/accounts/me")).Json.GetProperty("allowedConcurrentCalls").ValueKind);
    }

    [Fact]
    public async Task ACallMayNameAThrottle_ByNameOrId_AndIsRefusedAboveItsRules()
    {
        using var client = await silo.CreateClientAsync();
        var throttle = await client.PostAsync("/api/call_throttles", """{"name":"night","rules":[{"maxCalls":2,"windowSeconds":3600},{"maxCalls":50,"windowSeconds":60}]}""");
        var id = throttle.Json.GetProperty("throttleId").GetString();
        var agentId = (await client.PostAsync("/api/agents", """{"name":"a","callTemplate":{}}""")).Json.GetProperty("agentId").GetString()!;

        Assert.Equal(201, (await client.PostAsync("/api/calls?throttle=night", "{}")).Status);
        Assert.Equal(201, (await client.PostAsync($"/api/agents/{agentId}/calls?throttle={id}", "{}")).Status);
        var refused = await client.PostAsync("/api/calls?throttle=night", "{}");
        Assert.Equal((429, """{"detail":"The call throttle 'night' allows the creation of 2 calls in 3600 s.","code":"call_throttled"}"""), (refused.Status, refused.Text));
        Assert.InRange(refused.Headers.RetryAfter!.Delta!.Value, TimeSpan.FromSeconds(3500), TimeSpan.FromSeconds(3600));
        Assert.Equal(429, (await client.PostAsync($"/api/agents/{agentId}/calls?throttle={id}", "{}")).Status);
        Assert.Equal(201, (await client.PostAsync("/api/calls", "{}")).Status);
        Assert.Equal((400, """{"throttle":["Unknown throttle 'day'."]}"""), Of(await client.PostAsync("/api/calls?throttle=day", "{}")));

        using var stranger = await silo.CreateClientAsync();
        Assert.Equal(400, (await stranger.PostAsync($"/api/calls?throttle={id}", "{}")).Status);
    }

    [Fact]
    public void Plans_AreChangedMemberByMember_AndMistakesAreReportedTogether()
    {
        var plans = Bind(("free:ConcurrentCalls", "9"), ("Gold:CallsPerSecond", "7"));
        Assert.Equal((9, 5, 30), (plans.Value.Plans["FREE"].ConcurrentCalls, plans.Value.Plans["free"].CallsPerSecond, plans.Value.Plans["free"].CallsPerMinute));
        Assert.Equal((7, 0), (plans.Value.Plans["gold"].CallsPerSecond, plans.Value.Plans["gold"].ConcurrentCalls));

        var wrong = Assert.Throws<OptionsValidationException>(() => Bind(
            ("free:ConcurrentCalls", "-1"), ("pro:CallsPerMinute", "2"), ("scale:ConcurrentCalls", "50"), ("gold:RequestsPerSecond", "-1")).Value);
        Assert.Equal(4, wrong.Failures.Count());
        Assert.Contains("Accounts:Plans:pro:CallsPerMinute must be at least CallsPerSecond.", wrong.Failures);
        Assert.Contains("Accounts:Plans:scale:PriorityCalls must be at most ConcurrentCalls.", wrong.Failures);
    }

    private static IOptions<AccountOptions> Bind(params (string Key, string Value)[] settings)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(settings.ToDictionary(s => "Accounts:Plans:" + s.Key, s => (string?)s.Value)).Build();
        var services = new ServiceCollection().AddSingleton<IConfiguration>(configuration).AddVoiceGrains();
        return services.BuildServiceProvider().GetRequiredService<IOptions<AccountOptions>>();
    }

    private static (int, string) Of(ApiReply reply) => (reply.Status, reply.Text);
}
