using VoiceGrains.Server.Tests.Hosting;
using VoiceGrains.Tests.Shared;

namespace VoiceGrains.Server.Tests.Browsers;

/// <summary>CORS as browsers ask for it: preflights by hand, and the headers on real answers.</summary>
public sealed class BrowserAccessTests(SiloFixture silo)
{
    private const string Page = "https://page.example";

    [Theory]
    [InlineData("GET", "/api/calls", "x-unsafe-api-key")]
    [InlineData("POST", "/api/calls", "content-type,x-unsafe-api-key")]
    [InlineData("PATCH", "/api/agents/11111111-2222-3333-4444-555555555555", "content-type,if-match,x-unsafe-api-key")]
    [InlineData("DELETE", "/api/corpora/11111111-2222-3333-4444-555555555555", "x-unsafe-api-key")]
    public async Task APreflight_NeedsNoKey_AndAllowsTheUnsafeHeader(string method, string path, string headers)
    {
        using var answer = await PreflightAsync(silo.Address, path, method, headers);
        Assert.Equal((204, "*"), ((int)answer.StatusCode, One(answer, "Access-Control-Allow-Origin")));
        Assert.Contains(method, One(answer, "Access-Control-Allow-Methods")!.Split(','));
        var allowed = One(answer, "Access-Control-Allow-Headers")!.ToLowerInvariant().Split(',');
        Assert.All(headers.Split(','), header => Assert.Contains(header, allowed));
        Assert.Equal("600", One(answer, "Access-Control-Max-Age"));
        Assert.Null(One(answer, "Access-Control-Allow-Credentials"));
    }

    [Theory]
    [InlineData("x-api-key")]
    [InlineData("content-type,x-api-key")]
    [InlineData("authorization")]
    [InlineData("x-other")]
    public async Task APreflight_DoesNotAllowTheHeaderOfServers(string headers)
    {
        using var answer = await PreflightAsync(silo.Address, "/api/calls", "GET", headers);
        var allowed = One(answer, "Access-Control-Allow-Headers")?.ToLowerInvariant().Split(',') ?? [];
        Assert.DoesNotContain(headers.Split(',')[^1], allowed);
    }

    [Theory]
    [InlineData("/api/accounts/me", 200)]
    [InlineData("/api/accounts/me?key=none", 403)]
    [InlineData("/api/calls?pageSize=x", 400)]
    [InlineData("/api/nothing", 404)]
    public async Task Answers_AndRefusalsToo_MayBeReadByPages_WithTheHeadersThatMatter(string path, int status)
    {
        using var client = await silo.CreateClientAsync();
        using var answer = await GetAsync(silo.Address, path, path.EndsWith("none", StringComparison.Ordinal) ? "none" : client.Key);
        Assert.Equal((status, "*"), ((int)answer.StatusCode, One(answer, "Access-Control-Allow-Origin")));
        var exposed = One(answer, "Access-Control-Expose-Headers")!.Split(',');
        Assert.All(["Retry-After", "ETag", "Location", "Content-Range"], header => Assert.Contains(header, exposed));
    }

    [Theory]
    [InlineData("/health/live")]
    [InlineData("/metrics")]
    public async Task WhatIsNotOfTheApi_IsNothingForPages(string path)
    {
        using var answer = await GetAsync(silo.Address, path, key: null);
        Assert.Null(One(answer, "Access-Control-Allow-Origin"));
    }

    [Fact]
    public async Task WhereOriginsAreNamed_OnlyTheyMay()
    {
        await using var database = await PostgresServer.CreateDatabaseAsync(SiloFixture.Cancel);
        await using var app = await SiloFixture.StartAsync(database, ("Gateway:AllowedOrigins:0", Page), ("Gateway:AllowedOrigins:1", "http://localhost:5173"));
        using var client = await SiloFixture.CreateClientAsync(app);
        var address = SiloFixture.AddressOf(app);
        foreach (var (origin, allowed) in new[] { (Page, Page), ("http://localhost:5173", "http://localhost:5173"), ("https://evil.example", null), ("http://page.example", null), ("null", null) })
        {
            using var preflight = await PreflightAsync(address, "/api/calls", "GET", "x-unsafe-api-key", origin);
            using var answer = await GetAsync(address, "/api/accounts/me", client.Key, origin);
            Assert.Equal((allowed, allowed), (One(preflight, "Access-Control-Allow-Origin"), One(answer, "Access-Control-Allow-Origin")));
            if (allowed is not null) Assert.Equal("Origin", One(answer, "Vary"));      // a cache must not give one page the other's answer
        }
        await app.StopAsync(SiloFixture.Cancel);
    }

    private static Task<HttpResponseMessage> PreflightAsync(Uri server, string path, string method, string headers, string origin = Page)
        => SendAsync(server, HttpMethod.Options, path, ("Origin", origin), ("Access-Control-Request-Method", method), ("Access-Control-Request-Headers", headers));

    private static Task<HttpResponseMessage> GetAsync(Uri server, string path, string? key, string origin = Page)
        => SendAsync(server, HttpMethod.Get, path, key is null ? [("Origin", origin)] : [("Origin", origin), ("X-Unsafe-API-Key", key)]);

    private static async Task<HttpResponseMessage> SendAsync(Uri server, HttpMethod method, string path, params (string Name, string Value)[] headers)
    {
        using var http = new HttpClient { BaseAddress = server };
        using var request = new HttpRequestMessage(method, path);
        foreach (var (name, value) in headers) request.Headers.TryAddWithoutValidation(name, value);
        return await http.SendAsync(request, SiloFixture.Cancel);
    }

    private static string? One(HttpResponseMessage answer, string header) => answer.Headers.TryGetValues(header, out var values) ? string.Join(",", values) : null;
}
