using System.Net.Http.Headers;
using System.Text;
using VoiceGrains.Gateway.Talk;
using VoiceGrains.Server.Tests.Hosting;

namespace VoiceGrains.Server.Tests.Talk;

/// <summary>The talk page's files, and who may start calls from it. What the page does in a browser is tested in one.</summary>
public sealed class TalkEndpointTests(SiloFixture silo)
{
    [Fact]
    public async Task APage_KnowsNothingOfTheServer_AndMayOnlyLoadItself()
    {
        Assert.SkipUnless(TalkPage.IsBuilt, "The talk page is not built: it needs Node.");
        using var http = new HttpClient { BaseAddress = silo.Address };
        using var answer = await http.GetAsync($"/talk/{Guid.NewGuid()}", SiloFixture.Cancel);      // whatever the agent
        Assert.Equal((200, "text/html"), ((int)answer.StatusCode, answer.Content.Headers.ContentType!.MediaType));
        var policy = string.Join("", answer.Headers.GetValues("Content-Security-Policy"));
        Assert.StartsWith("default-src 'none'; script-src 'self'; style-src 'self';", policy, StringComparison.Ordinal);
        Assert.Contains("frame-ancestors 'none'", policy, StringComparison.Ordinal);
        var page = await answer.Content.ReadAsStringAsync(SiloFixture.Cancel);
        Assert.DoesNotContain("//", page.Replace("<!--", "", StringComparison.Ordinal), StringComparison.Ordinal);      // nothing of another server

        var script = System.Text.RegularExpressions.Regex.Match(page, "src=\"(/talk/assets/[^\"]+\\.js)\"").Groups[1].Value;
        using var asset = await http.GetAsync(script, SiloFixture.Cancel);
        Assert.Equal((200, "text/javascript"), ((int)asset.StatusCode, asset.Content.Headers.ContentType!.MediaType));
        Assert.Contains(asset.Headers.CacheControl!.Extensions, extension => extension.Name == "immutable");

        using var again = new HttpRequestMessage(HttpMethod.Get, script);
        again.Headers.IfNoneMatch.Add(asset.Headers.ETag!);
        Assert.Equal(304, (int)(await http.SendAsync(again, SiloFixture.Cancel)).StatusCode);
        using var packed = new HttpRequestMessage(HttpMethod.Get, script);
        packed.Headers.AcceptEncoding.ParseAdd("gzip");
        using var small = await http.SendAsync(packed, SiloFixture.Cancel);
        Assert.Equal("gzip", small.Content.Headers.ContentEncoding.Single());
        Assert.True(small.Content.Headers.ContentLength < asset.Content.Headers.ContentLength / 2);
        using var head = await http.SendAsync(new HttpRequestMessage(HttpMethod.Head, script), SiloFixture.Cancel);
        Assert.Equal(asset.Content.Headers.ContentLength, head.Content.Headers.ContentLength);
    }

    [Theory]
    [InlineData("/talk")]
    [InlineData("/talk/nonsense")]
    [InlineData("/talk/assets/nothing.js")]
    [InlineData("/talk/assets/..%2Findex.html")]
    public async Task WhatThePageDoesNotHave_IsNotFound(string path)
    {
        using var http = new HttpClient { BaseAddress = silo.Address };
        Assert.Equal(404, (int)(await http.GetAsync(path, SiloFixture.Cancel)).StatusCode);
    }

    [Fact]
    public async Task ALink_StartsCallsOfItsAgent_AndNothingElse()
    {
        using var api = await silo.CreateClientAsync();
        var (agentId, other) = (await AgentAsync(api, "Anna"), await AgentAsync(api, "Otto"));
        var link = await api.PostAsync($"/talk/{agentId}/links", """{"lifetime":"3600s"}""");
        Assert.Equal(201, link.Status);
        var url = new Uri(link.Json.GetProperty("url").GetString()!);
        Assert.Equal($"{silo.Address.GetLeftPart(UriPartial.Authority)}/talk/{agentId}", url.GetLeftPart(UriPartial.Path));
        Assert.InRange(link.Json.GetProperty("expires").GetDateTimeOffset(), DateTimeOffset.UtcNow.AddMinutes(59), DateTimeOffset.UtcNow.AddMinutes(61));
        var token = url.Fragment["#token=".Length..];

        var call = await PostAsync($"/talk/{agentId}/calls", token);
        Assert.Equal((201, "Anna"), (call.Status, call.Json.GetProperty("agentName").GetString()));
        var callId = call.Json.GetProperty("callId").GetString()!;
        Assert.StartsWith($"ws://{silo.Address.Authority}/calls/{callId}/join/", call.Json.GetProperty("joinUrl").GetString(), StringComparison.Ordinal);

        var endToken = call.Json.GetProperty("endToken").GetString()!;
        Assert.Equal((401, 401), ((await PostAsync($"/talk/{other}/calls", token)).Status, (await PostAsync($"/talk/{agentId}/calls", endToken)).Status));
        Assert.Equal((401, 401), ((await PostAsync($"/talk/{agentId}/calls", null)).Status, (await PostAsync($"/talk/{agentId}/links", token)).Status));
        Assert.Equal(401, (await PostAsync("/api/v1/connection/connection-details", token)).Status);

        Assert.Equal((200, """{"ended":false,"endReason":null}"""), await FindAsync(agentId, callId, endToken));
        Assert.Equal(401, (await FindAsync(agentId, callId, token)).Status);
        Assert.Equal(200, (await PostAsync($"/api/v1/calls/{callId}/end", endToken)).Status);
        Assert.Equal((200, """{"ended":true,"endReason":"unjoined"}"""), await FindAsync(agentId, callId, endToken));
    }

    [Fact]
    public async Task LinksThatWereTakenBack_StartNothing_AndNewOnesDo()
    {
        using var api = await silo.CreateClientAsync();
        using var stranger = await silo.CreateClientAsync();
        var (agentId, other) = (await AgentAsync(api, "Anna"), await AgentAsync(api, "Otto"));
        var (first, second, others) = (await LinkAsync(agentId), await LinkAsync(agentId), await LinkAsync(other));
        Assert.Equal((401, 401, 404, 404), (
            (await SendAsync(HttpMethod.Delete, $"/talk/{agentId}/links", first)).Status, (await SendAsync(HttpMethod.Delete, $"/talk/{agentId}/links", null)).Status,
            (await stranger.DeleteAsync($"/talk/{agentId}/links")).Status, (await api.DeleteAsync($"/talk/{Guid.NewGuid()}/links")).Status));
        Assert.Equal(201, (await PostAsync($"/talk/{agentId}/calls", first)).Status);

        Assert.Equal(204, (await api.DeleteAsync($"/talk/{agentId}/links")).Status);
        foreach (var gone in (string[])[first, second]) Assert.Equal(401, (await PostAsync($"/talk/{agentId}/calls", gone)).Status);
        var next = await LinkAsync(agentId);
        Assert.Equal((201, 201), ((await PostAsync($"/talk/{agentId}/calls", next)).Status, (await PostAsync($"/talk/{other}/calls", others)).Status));
        Assert.Equal(200, (await api.PatchAsync($"/api/agents/{agentId}", """{"name":"Anna B."}""")).Status);     // a change of the agent is no business of its links
        Assert.Equal(201, (await PostAsync($"/talk/{agentId}/calls", next)).Status);
        Assert.Equal((204, 401), ((await api.DeleteAsync($"/talk/{agentId}/links")).Status, (await PostAsync($"/talk/{agentId}/calls", next)).Status));

        async Task<string> LinkAsync(string agent)
            => new Uri((await api.PostAsync($"/talk/{agent}/links", "{}")).Json.GetProperty("url").GetString()!).Fragment["#token=".Length..];
    }

    [Fact]
    public async Task AKey_StartsCallsToo_ButNotOfAnotherAccountsAgent_NorMakesLinksToIt()
    {
        using var api = await silo.CreateClientAsync("two_calls");
        using var stranger = await silo.CreateClientAsync();
        var agentId = await AgentAsync(api, "Anna");
        Assert.Equal((404, 404), ((await stranger.PostAsync($"/talk/{agentId}/calls", "{}")).Status, (await stranger.PostAsync($"/talk/{agentId}/links", "{}")).Status));
        Assert.Equal(400, (await api.PostAsync($"/talk/{agentId}/links", """{"lifetime":"1s"}""")).Status);
        Assert.Equal((201, 201), ((await api.PostAsync($"/talk/{agentId}/calls", "{}")).Status, (await api.PostAsync($"/talk/{agentId}/calls", "{}")).Status));
        Assert.Equal(429, (await api.PostAsync($"/talk/{agentId}/calls", "{}")).Status);     // the account's limits hold
    }

    private static async Task<string> AgentAsync(ApiClient api, string name)
        => (await api.PostAsync("/api/agents", $$"""{"name":"{{name}}","callTemplate":{} }""")).Json.GetProperty("agentId").GetString()!;

    private async Task<ApiReply> PostAsync(string path, string? bearer) => await SendAsync(HttpMethod.Post, path, bearer);

    private async Task<(int Status, string Text)> FindAsync(string agentId, string callId, string bearer)
    {
        var found = await SendAsync(HttpMethod.Get, $"/talk/{agentId}/calls/{callId}", bearer);
        return (found.Status, found.Text);
    }

    private async Task<ApiReply> SendAsync(HttpMethod method, string path, string? bearer)
    {
        using var http = new HttpClient { BaseAddress = silo.Address };
        using var request = new HttpRequestMessage(method, path);
        if (method == HttpMethod.Post) request.Content = new StringContent("{}", Encoding.UTF8, "application/json");
        if (bearer is not null) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", bearer);
        using var answer = await http.SendAsync(request, SiloFixture.Cancel);
        return await ApiReply.ReadAsync(answer);
    }
}
