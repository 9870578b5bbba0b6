using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using VoiceGrains.Grains.Accounts;
using VoiceGrains.Server.Tests.Contract;
using VoiceGrains.Server.Tests.Hosting;

namespace VoiceGrains.Server.Tests.Accounts;

public sealed class ApiKeyEndpointTests(SiloFixture silo)
{
    private const string Refused = """{"detail":"Invalid API key.","code":"authentication_failed"}""";
    private const string Last = """{"detail":"This is the account's last API key that works. Create another one first.","code":"last_api_key"}""";
    private const string NotFound = """{"detail":"No APIKey matches the given query.","code":"not_found"}""";

    [Fact]
    public async Task CreateApiKey_ShowsTheSecretOnce_AndTheKeyIsTheAccount()
    {
        using var client = await silo.CreateClientAsync();
        var made = await client.PostAsync("/api/api_keys", """{"name":"billing job","expiryDate":"2999-01-31T12:00:00+02:00"}""");
        Assert.Equal(201, made.Status);
        await OpenApiContract.AssertMatchesAsync("APIKeyCreate", made.Json);
        Assert.Equal(("billing job", "2999-01-31T10:00:00.000000Z", false, JsonValueKind.Null), (
            Text(made, "name"), Text(made, "expiryDate"), made.Json.GetProperty("revoked").GetBoolean(), made.Json.GetProperty("creator").ValueKind));
        Assert.Matches("^[a-zA-Z0-9]{8}\\.[a-zA-Z0-9]{32}$", Text(made, "secret"));
        Assert.StartsWith(Text(made, "prefix") + ".", Text(made, "secret"), StringComparison.Ordinal);
        Assert.Equal("no-store", made.Headers.CacheControl?.ToString());
        Assert.EndsWith(PathOf(made), made.Headers.Location!.ToString(), StringComparison.Ordinal);

        using var other = Holder(client, made);
        var account = await other.GetAsync("/api/accounts/me");
        Assert.Equal((200, client.Account.AccountId), (account.Status, account.Json.GetProperty("accountId").GetGuid()));

        var read = await other.GetAsync(PathOf(made));
        Assert.Equal(200, read.Status);
        await OpenApiContract.AssertMatchesAsync("APIKey", read.Json);   // which has no secret
        foreach (var field in (string[])["prefix", "created", "name", "expiryDate"]) Assert.Equal(Text(made, field), Text(read, field));
        var list = await client.GetAsync("/api/api_keys");
        Assert.DoesNotContain(Text(made, "secret")[9..], list.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Lists_ArePaged_NewestFirst()
    {
        using var client = await silo.CreateClientAsync();
        foreach (var name in (string[])["a", "b", "b"]) await client.PostAsync("/api/api_keys", new { name });
        var first = await client.GetAsync("/api/api_keys?pageSize=2");
        await OpenApiContract.AssertMatchesAsync("PaginatedAPIKeyList", first.Json);
        Assert.Equal(["b", "b"], Names(first));
        Assert.Equal(4, first.Json.GetProperty("total").GetInt32());
        var second = await client.GetAsync(Text(first, "next"));
        Assert.Equal(["a", "test"], Names(second));
        Assert.Equal(JsonValueKind.Null, second.Json.GetProperty("next").ValueKind);
        Assert.Equal(first.Json.GetProperty("results").GetRawText(), (await client.GetAsync(Text(second, "previous"))).Json.GetProperty("results").GetRawText());
    }

    [Theory]
    [InlineData("PUT")]
    [InlineData("PATCH")]
    public async Task ARevokedKey_IsRefused_AndStaysRevoked(string method)
    {
        using var client = await silo.CreateClientAsync();
        var made = await client.PostAsync("/api/api_keys", """{"name":"job"}""");
        using var holder = Holder(client, made);
        Assert.Equal(200, (await holder.GetAsync("/api/models")).Status);

        // What was read can be sent back, what is read-only is ignored, and nothing at all changes nothing.
        var read = await client.GetAsync(PathOf(made));
        foreach (var body in (string?[])[read.Text, """{"name":"other","expiryDate":null,"revoked":false}""", "{}", null])
            Assert.Equal((200, read.Text), Of(await client.SendAsync(new(method), PathOf(made), body)));

        var revoked = await client.SendAsync(new(method), PathOf(made), """{"revoked":true}""");
        Assert.Equal((200, read.Text.Replace("\"revoked\":false", "\"revoked\":true", StringComparison.Ordinal)), Of(revoked));
        await OpenApiContract.AssertMatchesAsync("APIKey", revoked.Json);
        Assert.Equal((403, Refused), Of(await holder.GetAsync("/api/models")));

        Assert.Equal((400, """{"revoked":["The API key has been revoked, which cannot be undone."]}"""), Of(await client.SendAsync(new(method), PathOf(made), """{"revoked":false}""")));
        Assert.Equal(Of(revoked), Of(await client.SendAsync(new(method), PathOf(made), """{"revoked":true}""")));
        Assert.Equal(Of(revoked), Of(await client.GetAsync(PathOf(made))));
        Assert.Equal((403, Refused), Of(await holder.GetAsync("/api/models")));
    }

    [Fact]
    public async Task ADeletedKey_IsRefused_AndGone()
    {
        using var client = await silo.CreateClientAsync();
        var made = await client.PostAsync("/api/api_keys", """{"name":"job"}""");
        using var holder = Holder(client, made);
        Assert.Equal(204, (await holder.DeleteAsync(PathOf(made))).Status);   // by itself, too
        Assert.Equal((403, Refused), Of(await holder.GetAsync("/api/api_keys")));
        Assert.Equal((404, NotFound), Of(await client.GetAsync(PathOf(made))));
        Assert.Equal((404, NotFound), Of(await client.DeleteAsync(PathOf(made))));
        Assert.Equal(["test"], Names(await client.GetAsync("/api/api_keys")));
    }

    [Fact]
    public async Task AnExpiredKey_IsRefused_ButListedAndDeletable()
    {
        using var client = await silo.CreateClientAsync();
        var made = await client.PostAsync("/api/api_keys", """{"name":"late","expiryDate":"2020-01-01T00:00:00Z"}""");
        Assert.Equal(201, made.Status);
        using var holder = Holder(client, made);
        Assert.Equal((403, Refused), Of(await holder.GetAsync("/api/models")));
        Assert.Equal(["late", "test"], Names(await client.GetAsync("/api/api_keys")));
        Assert.Equal(204, (await client.DeleteAsync(PathOf(made))).Status);
    }

    [Fact]
    public async Task TheLastKeyThatWorks_IsKept()
    {
        using var client = await silo.CreateClientAsync();
        var own = "/api/api_keys/" + client.Key[..8];
        await client.PostAsync("/api/api_keys", """{"name":"expired","expiryDate":"2020-01-01T00:00:00Z"}""");
        var revoked = await client.PostAsync("/api/api_keys", """{"name":"revoked"}""");
        await client.PatchAsync(PathOf(revoked), """{"revoked":true}""");
        Assert.Equal((409, Last), Of(await client.DeleteAsync(own)));
        Assert.Equal((409, Last), Of(await client.PatchAsync(own, """{"revoked":true}""")));
        Assert.Equal(200, (await client.GetAsync(own)).Status);

        // Two that leave at the same time do not leave the account without a key either.
        var second = await client.PostAsync("/api/api_keys", """{"name":"second"}""");
        using var holder = Holder(client, second);
        var replies = await Task.WhenAll(client.DeleteAsync(own), holder.PatchAsync(PathOf(second), """{"revoked":true}"""));
        Assert.Single(replies, r => r.Status == 409);
        Assert.Single(replies, r => r.Status is 204 or 200);
    }

    [Fact]
    public async Task AnotherAccount_SeesAndChangesNothing()
    {
        using var client = await silo.CreateClientAsync();
        using var stranger = await silo.CreateClientAsync();
        var made = await client.PostAsync("/api/api_keys", """{"name":"mine"}""");
        var read = await client.GetAsync(PathOf(made));
        Assert.Equal(["test"], Names(await stranger.GetAsync("/api/api_keys")));
        Assert.Equal((404, NotFound), Of(await stranger.GetAsync(PathOf(made))));
        Assert.Equal((404, NotFound), Of(await stranger.PutAsync(PathOf(made), """{"revoked":true}""")));
        Assert.Equal((404, NotFound), Of(await stranger.PatchAsync(PathOf(made), """{"revoked":true}""")));
        Assert.Equal((404, NotFound), Of(await stranger.DeleteAsync(PathOf(made))));
        Assert.Equal(Of(read), Of(await client.GetAsync(PathOf(made))));
        using var holder = Holder(client, made);
        Assert.Equal(200, (await holder.GetAsync("/api/models")).Status);
    }

    [Theory]
    [InlineData("{}", """{"name":["This field is required."]}""")]
    [InlineData("""{"name":null}""", """{"name":["This field may not be null."]}""")]
    [InlineData("""{"name":""}""", """{"name":["Ensure this field has between 1 and 50 characters."]}""")]
    [InlineData("""{"name":"123456789 123456789 123456789 123456789 123456789 1"}""", """{"name":["Ensure this field has between 1 and 50 characters."]}""")]
    [InlineData("""{"name":"a\u0000b"}""", """{"name":["Null characters are not allowed."]}""")]
    [InlineData("""{"name":7,"expiryDate":"tomorrow"}""", """{"name":["Not a valid string."],"expiryDate":["Datetime has wrong format. Use ISO 8601, such as \"2026-01-31T12:00:00Z\"."]}""")]
    [InlineData("""{"name":"n","scopes":[]}""", """{"scopes":["Unknown field."]}""")]
    public async Task BadInput_IsNamed(string body, string problem)
    {
        using var client = await silo.CreateClientAsync();
        Assert.Equal((400, problem), Of(await client.PostAsync("/api/api_keys", body)));
        Assert.Equal(["test"], Names(await client.GetAsync("/api/api_keys")));
    }

    [Theory]
    [InlineData("""{"name":"n","revoked":true,"secret":"mine","prefix":"mine"}""")]   // what only answers have is ignored
    [InlineData("""{"name":"123456789 123456789 123456789 123456789 123456789 ","expiryDate":"9999-12-31T23:59:59.9999999Z"}""")]
    [InlineData("""{"name":"🔑","expiryDate":"0001-01-01T00:00:00Z"}""")]
    [InlineData("""{"name":"n","expiryDate":null}""")]
    public async Task UnusualInput_IsTaken(string body)
    {
        using var client = await silo.CreateClientAsync();
        var made = await client.PostAsync("/api/api_keys", body);
        Assert.Equal((201, false), (made.Status, made.Json.GetProperty("revoked").GetBoolean()));
        var given = JsonDocument.Parse(body).RootElement;
        var read = await client.GetAsync(PathOf(made));
        Assert.Equal(given.GetProperty("name").GetString(), Text(read, "name"));
        Assert.Equal(Text(made, "expiryDate"), Text(read, "expiryDate"));
    }

    [Fact]
    public async Task TheLastUse_IsKept_ToAMinute()
    {
        using var client = await silo.CreateClientAsync();
        var prefix = client.Key[..8];
        Assert.Null(await LastUseAsync(prefix));
        Assert.Equal(200, (await client.GetAsync("/api/models")).Status);
        var deadline = DateTimeOffset.UtcNow.AddSeconds(20);
        while (await LastUseAsync(prefix) is null && DateTimeOffset.UtcNow < deadline) await Task.Delay(20, SiloFixture.Cancel);
        var used = await LastUseAsync(prefix);
        Assert.NotNull(used);
        await silo.Services.GetRequiredService<AccountStore>().TouchKeyAsync(prefix, SiloFixture.Cancel);
        Assert.Equal(used, await LastUseAsync(prefix));
    }

    private async Task<DateTime?> LastUseAsync(string prefix)
    {
        await using var command = silo.Services.GetRequiredService<NpgsqlDataSource>().CreateCommand("select last_used from api_keys where prefix = $1");
        command.Parameters.Add(new() { Value = prefix });
        return await command.ExecuteScalarAsync(SiloFixture.Cancel) as DateTime?;
    }

    private ApiClient Holder(ApiClient client, ApiReply made) => new(silo.Address, client.Account, Text(made, "secret"));

    private static string PathOf(ApiReply made) => "/api/api_keys/" + Text(made, "prefix");

    private static (int, string) Of(ApiReply reply) => (reply.Status, reply.Text);

    private static string Text(ApiReply reply, string field) => reply.Json.GetProperty(field).GetString()!;

    private static string[] Names(ApiReply list) => [.. list.Json.GetProperty("results").EnumerateArray().Select(key => key.GetProperty("name").GetString()!)];
}
