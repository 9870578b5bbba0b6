using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using VoiceGrains.Server.Tests.Contract;
using VoiceGrains.Server.Tests.Hosting;

namespace VoiceGrains.Server.Tests.Webhooks;

public sealed class WebhookEndpointTests(SiloFixture silo)
{
    private const string Url = "https://hooks.example.com/calls";

    [Fact]
    public async Task CreateWebhook_AnswersAsDescribed_AndMakesASecretWhereNoneIsGiven()
    {
        using var client = await silo.CreateClientAsync();
        var made = await client.PostAsync("/api/webhooks", $$"""{"url":"{{Url}}","events":["call.ended","call.started","call.ended"]}""");
        Assert.Equal(201, made.Status);
        await OpenApiContract.AssertMatchesAsync("Webhook", made.Json);
        Assert.Equal(64, Assert.Single(made.Json.GetProperty("secrets").EnumerateArray()).GetString()!.Length);
        Assert.Equal("""["call.started","call.ended"]""", made.Json.GetProperty("events").GetRawText());
        Assert.Equal(("normal", JsonValueKind.Null, 0), (
            made.Json.GetProperty("status").GetString(), made.Json.GetProperty("lastStatusChange").ValueKind, made.Json.GetProperty("recentFailures").GetArrayLength()));
        Assert.EndsWith(PathOf(made), made.Headers.Location!.ToString(), StringComparison.Ordinal);

        Assert.Equal((200, made.Text), await ReadAsync(client, PathOf(made)));
        var unsigned = await client.PostAsync("/api/webhooks", $$"""{"url":"{{Url}}","events":[],"secrets":[]}""");
        Assert.Equal("[]", unsigned.Json.GetProperty("secrets").GetRawText());
        var other = await client.PostAsync("/api/webhooks", $$"""{"url":"{{Url}}","events":[]}""");
        Assert.NotEqual(made.Json.GetProperty("secrets")[0].GetString(), other.Json.GetProperty("secrets")[0].GetString());
    }

    [Fact]
    public async Task Put_SetsWhatIsGiven_AndPatchNeedsNothing()
    {
        using var client = await silo.CreateClientAsync();
        var agentId = (await client.PostAsync("/api/agents", """{"name":"a","callTemplate":{}}""")).Json.GetProperty("agentId").GetString()!;
        var made = await client.PostAsync("/api/webhooks", $$"""{"url":"{{Url}}","events":["call.ended"],"secrets":["one"],"agentId":"{{agentId}}"}""");
        Assert.Equal(201, made.Status);

        // What was read can be sent back as it is.
        Assert.Equal((200, made.Text), Of(await client.SendAsync(HttpMethod.Put, PathOf(made), made.Text)));
        Assert.Equal((200, made.Text), Of(await client.PatchAsync(PathOf(made), "{}")));

        var put = await client.SendAsync(HttpMethod.Put, PathOf(made), $$"""{"url":"{{Url}}/2","events":["call.billed"]}""");
        Assert.Equal(200, put.Status);
        await OpenApiContract.AssertMatchesAsync("Webhook", put.Json);
        Assert.Equal((Url + "/2", "[\"call.billed\"]", "[\"one\"]", agentId), Parts(put));
        var patched = await client.PatchAsync(PathOf(made), """{"secrets":["two","one"],"agentId":null}""");
        await OpenApiContract.AssertMatchesAsync("Webhook", patched.Json);
        Assert.Equal((Url + "/2", "[\"call.billed\"]", "[\"two\",\"one\"]", null), Parts(patched));
        Assert.Equal((400, """{"url":["This field is required."],"events":["This field is required."]}"""), Of(await client.SendAsync(HttpMethod.Put, PathOf(made), "{}")));

        Assert.Equal(204, (await client.DeleteAsync(PathOf(made))).Status);
        foreach (var method in (HttpMethod[])[HttpMethod.Get, HttpMethod.Delete]) Assert.Equal(404, (await client.SendAsync(method, PathOf(made))).Status);
        Assert.Equal(404, (await client.PatchAsync(PathOf(made), "{}")).Status);
    }

    [Fact]
    public async Task Lists_ArePaged_AndFilteredByAgent()
    {
        using var client = await silo.CreateClientAsync();
        var agentId = (await client.PostAsync("/api/agents", """{"name":"a","callTemplate":{}}""")).Json.GetProperty("agentId").GetString()!;
        for (var i = 0; i < 3; i++) await client.PostAsync("/api/webhooks", $$"""{"url":"{{Url}}/{{i}}","events":["call.ended"]{{(i == 1 ? $",\"agentId\":\"{agentId}\"" : "")}}}""");
        var first = await client.GetAsync("/api/webhooks?pageSize=2");
        await OpenApiContract.AssertMatchesAsync("PaginatedWebhookList", first.Json);
        Assert.Equal([Url + "/0", Url + "/1"], Urls(first));
        Assert.Equal(3, first.Json.GetProperty("total").GetInt32());
        var second = await client.GetAsync(new Uri(first.Json.GetProperty("next").GetString()!).PathAndQuery);
        Assert.Equal([Url + "/2"], Urls(second));
        Assert.Equal([Url + "/1"], Urls(await client.GetAsync("/api/webhooks?agentId=" + agentId)));
        Assert.Equal((400, """{"agentId":["Must be a valid UUID."]}"""), Of(await client.GetAsync("/api/webhooks?agentId=x")));
    }

    [Fact]
    public async Task AnotherAccount_SeesAndChangesNothing()
    {
        using var client = await silo.CreateClientAsync();
        using var stranger = await silo.CreateClientAsync();
        var agentId = (await client.PostAsync("/api/agents", """{"name":"a","callTemplate":{}}""")).Json.GetProperty("agentId").GetString()!;
        var made = await client.PostAsync("/api/webhooks", $$"""{"url":"{{Url}}","events":["call.ended"]}""");
        Assert.Equal(0, (await stranger.GetAsync("/api/webhooks")).Json.GetProperty("total").GetInt32());
        Assert.Equal(404, (await stranger.GetAsync(PathOf(made))).Status);
        Assert.Equal(404, (await stranger.PatchAsync(PathOf(made), """{"url":"https://evil.example/"}""")).Status);
        Assert.Equal(404, (await stranger.SendAsync(HttpMethod.Put, PathOf(made), $$"""{"url":"{{Url}}","events":[]}""")).Status);
        Assert.Equal(404, (await stranger.DeleteAsync(PathOf(made))).Status);
        var foreign = await stranger.PostAsync("/api/webhooks", $$"""{"url":"{{Url}}","events":[],"agentId":"{{agentId}}"}""");
        Assert.Equal((400, $$"""{"agentId":["Invalid pk \"{{agentId}}\" - object does not exist."]}"""), Of(foreign));
        Assert.Equal((200, made.Text), await ReadAsync(client, PathOf(made)));
    }

    [Theory]
    [InlineData("""{"events":["call.ended"]}""", """{"url":["This field is required."]}""")]
    [InlineData("""{"url":"https://h.example/","events":["call.paused"]}""", """{"events":{"0":["\"call.paused\" is not a valid choice."]}}""")]
    [InlineData("""{"url":"ftp://h.example/","events":[]}""", """{"url":["Enter a valid URL (https or http)."]}""")]
    [InlineData("""{"url":"{{url}}","events":[]}""", """{"url":["Enter a valid URL (https or http)."]}""")]
    [InlineData("""{"url":"http://169.254.169.254/latest","events":[]}""", """{"url":["Host '169.254.169.254' leads to a link-local address: only public addresses and those of the setting Outbound:AllowedNetworks are allowed."]}""")]
    [InlineData("""{"url":"https://h.example/","events":[],"secrets":["","ok"]}""", """{"secrets":{"0":["This field may not be blank."]}}""")]
    [InlineData("""{"url":"https://h.example/","events":[],"other":1}""", """{"other":["Unknown field."]}""")]
    [InlineData("""{"url":"https://user:word@h.example/","events":[]}""", """{"url":["Enter a valid URL (https or http)."]}""")]
    public async Task BadInput_IsNamed(string body, string problem)
    {
        using var client = await silo.CreateClientAsync();
        Assert.Equal((400, problem), Of(await client.PostAsync("/api/webhooks", body)));
        Assert.Equal(0, (await client.GetAsync("/api/webhooks")).Json.GetProperty("total").GetInt32());
    }

    [Fact]
    public async Task ACallbackThatLeadsInside_IsRefused_AndNoCallIsMade()
    {
        using var client = await silo.CreateClientAsync();
        var refused = await client.PostAsync("/api/calls", """{"callbacks":{"joined":{"url":"https://h.example/"},"ended":{"url":"http://[::1]/"}}}""");
        Assert.Equal((400, """{"callbacks":{"ended":{"url":["Host '[::1]' leads to a loopback address: only public addresses and those of the setting Outbound:AllowedNetworks are allowed."]}}}"""), Of(refused));
        Assert.Equal(0, (await client.GetAsync("/api/calls")).Json.GetProperty("total").GetInt32());
    }

    [Fact]
    public async Task LongValuesAndTooMany_AreRefused()
    {
        using var client = await silo.CreateClientAsync();
        var longUrl = "https://h.example/" + new string('a', 183);
        var refused = await client.PostAsync("/api/webhooks", new { url = longUrl, events = Array.Empty<string>(), secrets = new[] { new string('s', 121) } });
        Assert.Equal((400, """{"url":["Ensure this field has no more than 200 characters."]}"""), Of(refused));
        var secret = await client.PostAsync("/api/webhooks", new { url = longUrl[..200], events = Array.Empty<string>(), secrets = new[] { new string('s', 121) } });
        Assert.Equal((400, """{"secrets":{"0":["Ensure this field has no more than 120 characters."]}}"""), Of(secret));
        for (var i = 0; i < 100; i++) Assert.Equal(201, (await client.PostAsync("/api/webhooks", $$"""{"url":"{{Url}}","events":[]}""")).Status);
        Assert.Equal((400, """{"non_field_errors":["An account may have no more than 100 webhooks."]}"""), Of(await client.PostAsync("/api/webhooks", $$"""{"url":"{{Url}}","events":[]}""")));
    }

    [Fact]
    public async Task Secrets_AreSealedWhereTheyAreStored()
    {
        using var client = await silo.CreateClientAsync();
        var made = await client.PostAsync("/api/webhooks", $$"""{"url":"{{Url}}","events":["call.started"],"secrets":["visible-t0-nobody"]}""");
        await using var command = silo.Services.GetRequiredService<NpgsqlDataSource>().CreateCommand("select secrets::text from webhooks where webhook_id = $1");
        command.Parameters.Add(new NpgsqlParameter { Value = made.Json.GetProperty("webhookId").GetGuid() });
        Assert.DoesNotContain("visible", (string)(await command.ExecuteScalarAsync(SiloFixture.Cancel))!, StringComparison.Ordinal);
    }

    private static string PathOf(ApiReply made) => "/api/webhooks/" + made.Json.GetProperty("webhookId").GetString();

    private static (int, string) Of(ApiReply reply) => (reply.Status, reply.Text);

    private static async Task<(int, string)> ReadAsync(ApiClient client, string path) => Of(await client.GetAsync(path));

    private static (string?, string, string, string?) Parts(ApiReply reply) => (
        reply.Json.GetProperty("url").GetString(), reply.Json.GetProperty("events").GetRawText(), reply.Json.GetProperty("secrets").GetRawText(),
        reply.Json.GetProperty("agentId").GetString());

    private static List<string> Urls(ApiReply list) => [.. list.Json.GetProperty("results").EnumerateArray().Select(webhook => webhook.GetProperty("url").GetString()!)];
}
