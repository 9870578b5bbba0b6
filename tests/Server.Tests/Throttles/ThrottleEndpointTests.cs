using System.Text.Json;
using VoiceGrains.Server.Tests.Contract;
using VoiceGrains.Server.Tests.Hosting;

namespace VoiceGrains.Server.Tests.Throttles;

public sealed class ThrottleEndpointTests(SiloFixture silo)
{
    private const string Path = "/api/call_throttles";

    [Fact]
    public async Task AThrottle_IsCreatedReadChangedAndDeleted_AsDescribed()
    {
        using var client = await silo.CreateClientAsync();
        var made = await client.PostAsync(Path, """{"name":"campaign","rules":[{"maxCalls":100,"windowSeconds":86400},{"maxCalls":1,"windowSeconds":1}]}""");
        Assert.Equal(201, made.Status);
        await OpenApiContract.AssertMatchesAsync("CallThrottle", made.Json);
        Assert.Equal(("campaign", """[{"maxCalls":100,"windowSeconds":86400},{"maxCalls":1,"windowSeconds":1}]"""), Parts(made));
        Assert.Equal(PathOf(made), made.Headers.Location!.ToString());
        Assert.Equal((200, made.Text), Of(await client.GetAsync(PathOf(made))));
        Assert.Equal((200, made.Text), Of(await client.PutAsync(PathOf(made), made.Text)));     // what was read can be sent back as it is
        Assert.Equal((200, made.Text), Of(await client.PatchAsync(PathOf(made), "{}")));

        Assert.Equal(("renamed", """[{"maxCalls":100,"windowSeconds":86400},{"maxCalls":1,"windowSeconds":1}]"""), Parts(await client.PatchAsync(PathOf(made), """{"name":"renamed"}""")));
        Assert.Equal(("renamed", "[]"), Parts(await client.PatchAsync(PathOf(made), """{"rules":[]}""")));
        Assert.Equal(("again", """[{"maxCalls":3,"windowSeconds":4}]"""), Parts(await client.PutAsync(PathOf(made), """{"name":"again","rules":[{"maxCalls":3,"windowSeconds":4}]}""")));

        Assert.Equal(204, (await client.DeleteAsync(PathOf(made))).Status);
        Assert.Equal((404, """{"detail":"No CallThrottle matches the given query.","code":"not_found"}"""), Of(await client.GetAsync(PathOf(made))));
        Assert.Equal((404, 404), ((await client.PatchAsync(PathOf(made), "{}")).Status, (await client.DeleteAsync(PathOf(made))).Status));
    }

    [Theory]
    [InlineData("{}", """{"name":["This field is required."],"rules":["This field is required."]}""")]
    [InlineData("""{"name":"","rules":[]}""", null, "name")]
    [InlineData("""{"name":"12345678901234567890123456789012345678901234567890123456789012345","rules":[]}""", null, "name")]
    [InlineData("""{"name":"n","rules":[{}]}""", """{"rules":[{"maxCalls":["This field is required."],"windowSeconds":["This field is required."]}]}""")]
    [InlineData("""{"name":"n","rules":[{"maxCalls":100,"windowSeconds":86400},{"maxCalls":101,"windowSeconds":86401}]}""", null, "rules", "[{},{\"maxCalls\":[")]
    [InlineData("""{"name":"n","rules":[{"maxCalls":0,"windowSeconds":0}]}""", null, "rules", "windowSeconds")]
    [InlineData("""{"name":"n","rules":[{"maxCalls":1.5,"windowSeconds":"1"}]}""", null, "rules")]
    [InlineData("""{"name":"n","rules":null}""", """{"rules":["This field may not be null."]}""")]
    [InlineData("""{"name":"n","rules":[],"maxCalls":1}""", null, "maxCalls")]
    public async Task WhatBreaksTheContract_400SaysWhere(string body, string? answer, string field = "", string words = "")
    {
        using var client = await silo.CreateClientAsync();
        var reply = await client.PostAsync(Path, body);
        Assert.Equal(400, reply.Status);
        if (answer is not null) Assert.Equal(answer, reply.Text);
        else Assert.Contains(words, reply.Json.GetProperty(field).GetRawText(), StringComparison.Ordinal);
        Assert.Equal(0, (await client.GetAsync(Path)).Json.GetProperty("total").GetInt32());
    }

    [Fact]
    public async Task Names_AreUniqueInAnAccount_AndOthersSeeNothing()
    {
        using var client = await silo.CreateClientAsync();
        using var stranger = await silo.CreateClientAsync();
        var first = await client.PostAsync(Path, """{"name":"a","rules":[]}""");
        var second = await client.PostAsync(Path, """{"name":"b","rules":[]}""");
        var taken = (400, """{"name":["Another call throttle of the account has this name."]}""");
        Assert.Equal(taken, Of(await client.PostAsync(Path, """{"name":"a","rules":[]}""")));
        Assert.Equal(taken, Of(await client.PatchAsync(PathOf(second), """{"name":"a"}""")));
        Assert.Equal(201, (await stranger.PostAsync(Path, """{"name":"a","rules":[]}""")).Status);

        foreach (var method in (HttpMethod[])[HttpMethod.Get, HttpMethod.Delete]) Assert.Equal(404, (await stranger.SendAsync(method, PathOf(first))).Status);
        Assert.Equal(404, (await stranger.PutAsync(PathOf(first), """{"name":"c","rules":[]}""")).Status);
        Assert.Equal(404, (await client.GetAsync(Path + "/not-a-uuid")).Status);
    }

    [Fact]
    public async Task Lists_ArePaged_NewestFirst()
    {
        using var client = await silo.CreateClientAsync();
        for (var i = 0; i < 3; i++) await client.PostAsync(Path, $$"""{"name":"t{{i}}","rules":[]}""");
        var page = await client.GetAsync(Path + "?pageSize=2");
        await OpenApiContract.AssertMatchesAsync("PaginatedCallThrottleList", page.Json);
        Assert.Equal(["t2", "t1"], Names(page));
        Assert.Equal(3, page.Json.GetProperty("total").GetInt32());
        var next = await client.GetAsync(new Uri(page.Json.GetProperty("next").GetString()!).PathAndQuery);
        Assert.Equal(["t0"], Names(next));
        Assert.Equal(JsonValueKind.Null, next.Json.GetProperty("next").ValueKind);
    }

    private static string[] Names(ApiReply page) => [.. page.Json.GetProperty("results").EnumerateArray().Select(t => t.GetProperty("name").GetString()!)];

    private static string PathOf(ApiReply made) => Path + "/" + made.Json.GetProperty("throttleId").GetString();

    private static (string?, string) Parts(ApiReply reply) => (reply.Json.GetProperty("name").GetString(), reply.Json.GetProperty("rules").GetRawText());

    private static (int, string) Of(ApiReply reply) => (reply.Status, reply.Text);
}
