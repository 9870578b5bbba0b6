using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using VoiceGrains.Server.Tests.Contract;
using VoiceGrains.Server.Tests.Hosting;

namespace VoiceGrains.Server.Tests.Accounts;

/// <summary>What an account tells of its telephony providers: kept whole, shown without secrets.</summary>
public sealed class TelephonyConfigTests(SiloFixture silo)
{
    private const string Secret = "hush-telephony-0123456789";
    private const string All = "/api/accounts/me/telephony_config";

    public static TheoryData<string, string, string, string> Providers => new()
    {
        { "twilio", "TwilioConfig", $$"""{"accountSid":"AC1","authToken":"{{Secret}}"}""", "authTokenPrefix" },
        { "telnyx", "TelnyxConfig", $$"""{"accountSid":"T1","apiKey":"{{Secret}}","publicKey":"{{Secret}}","applicationSid":"app"}""", "publicKeyPrefix" },
        { "plivo", "PlivoConfig", $$"""{"authId":"MA1","authToken":"{{Secret}}"}""", "authTokenPrefix" },
    };

    [Theory]
    [MemberData(nameof(Providers))]
    public async Task AConfiguration_IsMadeReadChangedAndDeleted_WithoutShowingItsSecrets(string provider, string schema, string config, string prefix)
    {
        using var client = await silo.CreateClientAsync();
        using var stranger = await silo.CreateClientAsync();
        var path = $"/api/telephony_configs/{provider}";
        Assert.Equal(404, (await client.GetAsync(path)).Status);
        Assert.Equal(404, (await client.PatchAsync(path, "{}")).Status);
        Assert.Equal(404, (await client.DeleteAsync(path)).Status);

        var made = await client.PostAsync(path, config);
        Assert.Equal(201, made.Status);
        await OpenApiContract.AssertMatchesAsync(schema, made.Json);
        Assert.DoesNotContain(Secret, made.Text, StringComparison.Ordinal);
        Assert.Equal("hush-t", made.Json.GetProperty(prefix).GetProperty("prefix").GetString());
        Assert.Equal((200, made.Text), Of(await client.GetAsync(path)));
        Assert.Equal(400, (await client.PostAsync(path, config)).Status);

        var changed = await client.PatchAsync(path, """{"callCreationAllowAllAgents":true,"requestContextMapping":{"from":"caller.number"}}""");
        Assert.Equal((200, made.Text.Replace("\"callCreationAllowAllAgents\":false", "\"callCreationAllowAllAgents\":true", StringComparison.Ordinal)
            .Replace("\"requestContextMapping\":{}", "\"requestContextMapping\":{\"from\":\"caller.number\"}", StringComparison.Ordinal)), Of(changed));
        Assert.Equal((200, $$"""{"{{provider}}":{{changed.Text}}}"""), Of(await WithoutNullsAsync(client)));

        Assert.Equal(404, (await stranger.GetAsync(path)).Status);
        Assert.Equal((200, """{"twilio":null,"telnyx":null,"plivo":null}"""), Of(await stranger.GetAsync(All)));
        Assert.Equal(0L, await CountAsync($"select count(*) from telephony_configs where config::text like '%{Secret}%'"));

        Assert.Equal(204, (await client.DeleteAsync(path)).Status);
        Assert.Equal(404, (await client.GetAsync(path)).Status);
    }

    [Fact]
    public async Task TheWholeConfiguration_SetsAndRemovesProviders()
    {
        using var client = await silo.CreateClientAsync();
        var set = await client.PatchAsync(All, """{"twilio":{"accountSid":"AC1","authToken":"SECRET"},"plivo":{"authId":"M","authToken":"SECRET"}}""".Replace("SECRET", Secret, StringComparison.Ordinal));
        Assert.Equal(200, set.Status);
        await OpenApiContract.AssertMatchesAsync("AccountTelephonyConfig", set.Json);
        var changed = await client.PatchAsync(All, """{"twilio":null,"plivo":{"authId":"N","authToken":"SECRET"}}""".Replace("SECRET", Secret, StringComparison.Ordinal));
        Assert.Equal("null", changed.Json.GetProperty("twilio").GetRawText());
        Assert.Equal("N", changed.Json.GetProperty("plivo").GetProperty("authId").GetString());
        Assert.Equal((200, changed.Text), Of(await client.GetAsync(All)));
    }

    [Theory]
    [InlineData("POST", "twilio", """{"accountSid":"AC1"}""", """{"authToken":["This field is required."]}""")]
    [InlineData("POST", "plivo", """{"authId":"a","authToken":"b","callCreationAllowAllAgents":true,"callCreationAllowedAgentIds":["6f1c9b1e-2f7e-4a8e-9d1e-0c6f7f1f0a11"]}""",
        """{"callCreationAllowedAgentIds":["May not be set if 'callCreationAllowAllAgents' is true."]}""")]
    [InlineData("POST", "telnyx", """{"accountSid":"a","apiKey":"b","publicKey":"c","applicationSid":"d","callCreationAllowedAgentIds":["x"]}""",
        """{"callCreationAllowedAgentIds":{"0":["Must be a valid UUID."]}}""")]
    [InlineData("PATCH", "twilio", """{"authToken":null}""", """{"authToken":["This field may not be null."]}""")]
    [InlineData("PATCH", "twilio", "[]", """{"non_field_errors":["Invalid data. Expected a dictionary, but got list."]}""")]
    [InlineData("PATCH", "twilio", """{"sid":1}""", """{"sid":["Unknown field."]}""")]
    [InlineData("PATCH", "twilio", """{"accountSid":"\ud800"}""", """{"accountSid":["Not a valid string."]}""")]
    public async Task WrongConfigurations_400(string method, string provider, string body, string problems)
    {
        using var client = await silo.CreateClientAsync();
        if (method == "PATCH") await client.PostAsync("/api/telephony_configs/twilio", """{"accountSid":"AC1","authToken":"token"}""");
        Assert.Equal((400, problems), Of(await client.SendAsync(new(method), $"/api/telephony_configs/{provider}", body)));
    }

    private static async Task<ApiReply> WithoutNullsAsync(ApiClient client)
    {
        var reply = await client.GetAsync(All);
        var node = System.Text.Json.Nodes.JsonObject.Create(reply.Json)!;
        foreach (var name in node.Where(p => p.Value is null).Select(p => p.Key).ToList()) node.Remove(name);
        return reply with { Json = System.Text.Json.JsonSerializer.SerializeToElement(node) };
    }

    private async Task<long> CountAsync(string sql)
    {
        await using var command = silo.Services.GetRequiredService<NpgsqlDataSource>().CreateCommand(sql);
        return (long)(await command.ExecuteScalarAsync(SiloFixture.Cancel))!;
    }

    private static (int, string) Of(ApiReply reply) => (reply.Status, reply.Text);
}
