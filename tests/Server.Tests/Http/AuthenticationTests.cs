using System.Net.Http.Headers;
using Microsoft.Extensions.DependencyInjection;
using VoiceGrains.Grains.Accounts;
using VoiceGrains.Server.Tests.Hosting;
using VoiceGrains.Tests.Shared;

namespace VoiceGrains.Server.Tests.Http;

public sealed class AuthenticationTests(SiloFixture silo)
{
    private const string Refused = """{"detail":"Invalid API key.","code":"authentication_failed"}""";

    private AccountStore Accounts => silo.Services.GetRequiredService<AccountStore>();

    [Fact]
    public async Task WithoutAKey_401SaysSo()
    {
        var reply = await SendAsync(HttpMethod.Get, []);
        Assert.Equal((401, """{"detail":"Authentication credentials were not provided.","code":"not_authenticated"}"""), (reply.Status, reply.Text));
        Assert.Equal("ApiKey", Assert.Single(reply.Headers.WwwAuthenticate).Scheme);
    }

    [Theory]
    [InlineData("")]
    [InlineData("x")]
    [InlineData("aBCDef.123456")]
    [InlineData("Zk9Ht7Lm.wX7pN9fM3kLj6tRq2bGhA8yE5cZvD4sT")]   // well formed, but nobody's
    [InlineData("Zk9Ht7Lm-wX7pN9fM3kLj6tRq2bGhA8yE5cZvD4sT")]
    public async Task WithAKeyThatIsNone_403(string key)
    {
        var reply = await SendAsync(HttpMethod.Get, [("X-API-Key", key)]);
        Assert.Equal((403, Refused), (reply.Status, reply.Text));
    }

    [Fact]
    public async Task WithTheRightPrefixAndAWrongSecret_403()
    {
        using var client = await silo.CreateClientAsync();
        var wrong = client.Key[..^1] + (client.Key[^1] == 'a' ? 'b' : 'a');
        Assert.Equal(403, (await SendAsync(HttpMethod.Get, [("X-API-Key", wrong)])).Status);
        Assert.Equal(200, (await SendAsync(HttpMethod.Get, [("X-API-Key", client.Key)])).Status);
        Assert.Equal(403, (await SendAsync(HttpMethod.Get, [("X-API-Key", wrong)])).Status);   // a cached right answer does not help a wrong key
    }

    [Theory]
    [InlineData("X-API-Key")]
    [InlineData("x-api-key")]
    [InlineData("X-Unsafe-API-Key")]
    public async Task EitherHeader_IsTheAccount(string header)
    {
        using var client = await silo.CreateClientAsync();
        var reply = await SendAsync(HttpMethod.Get, [(header, client.Key)]);
        Assert.Equal((200, client.Account.AccountId), (reply.Status, reply.Json.GetProperty("accountId").GetGuid()));
    }

    [Fact]
    public async Task RevokedAndExpiredKeys_403()
    {
        using var client = await silo.CreateClientAsync();
        var revoked = await Accounts.CreateKeyAsync(client.Account.AccountId, "revoked", null, SiloFixture.Cancel);
        await silo.Services.GetRequiredService<ApiKeyStore>().RevokeAsync(client.Account.AccountId, revoked.Prefix, SiloFixture.Cancel);
        var expired = await Accounts.CreateKeyAsync(client.Account.AccountId, "expired", DateTimeOffset.UtcNow.AddSeconds(-1), SiloFixture.Cancel);
        var later = await Accounts.CreateKeyAsync(client.Account.AccountId, "later", DateTimeOffset.UtcNow.AddHours(1), SiloFixture.Cancel);
        Assert.Equal(403, (await SendAsync(HttpMethod.Get, [("X-API-Key", revoked.Text)])).Status);
        Assert.Equal(403, (await SendAsync(HttpMethod.Get, [("X-API-Key", expired.Text)])).Status);
        Assert.Equal(200, (await SendAsync(HttpMethod.Get, [("X-API-Key", later.Text)])).Status);
    }

    [Theory]
    [InlineData("x-unsafe-api-key", true)]
    [InlineData("x-api-key", false)]
    public async Task Preflight_AllowsTheUnsafeHeaderOnly(string header, bool allowed)
    {
        var reply = await SendAsync(HttpMethod.Options,
            [("Origin", "https://page.example"), ("Access-Control-Request-Method", "POST"), ("Access-Control-Request-Headers", header)]);
        Assert.Equal(204, reply.Status);
        var names = reply.Headers.TryGetValues("Access-Control-Allow-Headers", out var values) ? string.Join(",", values).ToLowerInvariant() : "";
        Assert.Equal(allowed, names.Split(',').Contains(header));
    }

    [Fact]
    public async Task TheFirstAccount_IsMadeOnce()
    {
        await using var database = await PostgresServer.CreateDatabaseAsync(SiloFixture.Cancel);
        await using var app = await SiloFixture.StartAsync(database);
        var setup = app.Services.GetRequiredService<AccountSetup>();
        var made = await Task.WhenAll(setup.EnsureFirstAccountAsync(SiloFixture.Cancel), setup.EnsureFirstAccountAsync(SiloFixture.Cancel));
        var first = Assert.Single(made, m => m is not null)!;
        Assert.Matches("^[a-zA-Z0-9]{8}\\.[a-zA-Z0-9]{32}$", first.ApiKey);
        Assert.Null(await setup.EnsureFirstAccountAsync(SiloFixture.Cancel));

        using var client = new ApiClient(SiloFixture.AddressOf(app), first.Account, first.ApiKey);
        Assert.Equal(first.Account.AccountId, (await client.GetAsync("/api/accounts/me")).Json.GetProperty("accountId").GetGuid());
        await app.StopAsync(SiloFixture.Cancel);
    }

    [Fact]
    public async Task TooManyRequests_429TellsWhenToRetry()
    {
        await using var database = await PostgresServer.CreateDatabaseAsync(SiloFixture.Cancel);
        await using var app = await SiloFixture.StartAsync(database, ("Gateway:RequestsPerSecondPerKey", "3"), ("Gateway:RequestsPerSecondPerAccount", "1000"),
            ("Gateway:AnonymousRequestsPerSecond", "2"), ("Gateway:TrustedProxies:0", "127.0.0.0/8"), ("Gateway:TrustedProxies:1", "10.0.0.0/8"));
        var first = (await app.Services.GetRequiredService<AccountSetup>().EnsureFirstAccountAsync(SiloFixture.Cancel))!;
        using var client = new ApiClient(SiloFixture.AddressOf(app), first.Account, first.ApiKey);
        var replies = await Task.WhenAll(Enumerable.Range(0, 40).Select(_ => client.GetAsync("/api/accounts/me")));
        Assert.Contains(replies, r => r.Status == 200);
        var limited = replies.First(r => r.Status == 429);
        Assert.Equal("""{"detail":"Request was throttled.","code":"throttled"}""", limited.Text);
        Assert.InRange(limited.Headers.RetryAfter?.Delta ?? default, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2));
        Assert.All(replies, r => Assert.Contains(r.Status, new[] { 200, 429 }));

        // Who guesses keys is slowed down by address, which a trusted proxy tells; what the client itself claims before it is not believed.
        using var guesser = new ApiClient(SiloFixture.AddressOf(app), first.Account, ApiKey.Create().Text);
        guesser.Http.DefaultRequestHeaders.Add("X-Forwarded-For", "192.0.2.1, 203.0.113.1, 10.1.1.1");
        var guesses = await Task.WhenAll(Enumerable.Range(0, 40).Select(_ => guesser.GetAsync("/api/accounts/me")));
        Assert.Contains(guesses, r => r.Status == 403);
        limited = guesses.First(r => r.Status == 429);
        Assert.Equal("""{"detail":"Request was throttled.","code":"throttled"}""", limited.Text);
        Assert.Equal(TimeSpan.FromSeconds(1), limited.Headers.RetryAfter?.Delta);
        foreach (var other in (string[])["203.0.113.2, 10.1.1.1", "203.0.113.3"])
        {
            using var elsewhere = new ApiClient(SiloFixture.AddressOf(app), first.Account, ApiKey.Create().Text);
            elsewhere.Http.DefaultRequestHeaders.Add("X-Forwarded-For", other);
            Assert.Equal(403, (await elsewhere.GetAsync("/api/accounts/me")).Status);
        }
        await app.StopAsync(SiloFixture.Cancel);
    }

    private async Task<ApiReply> SendAsync(HttpMethod method, (string Name, string Value)[] headers)
    {
        using var http = new HttpClient { BaseAddress = silo.Address };
        using var request = new HttpRequestMessage(method, "/api/accounts/me");
        foreach (var (name, value) in headers) request.Headers.TryAddWithoutValidation(name, value);
        using var reply = await http.SendAsync(request, SiloFixture.Cancel);
        return await ApiReply.ReadAsync(reply);
    }
}
