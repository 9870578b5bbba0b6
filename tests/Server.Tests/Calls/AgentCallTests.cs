using System.Text.Json;
using VoiceGrains.Server.Tests.Contract;
using VoiceGrains.Server.Tests.Hosting;

namespace VoiceGrains.Server.Tests.Calls;

/// <summary>Calls from an agent's template.</summary>
public sealed class AgentCallTests(SiloFixture silo)
{
    private const string Agent = """
        {"name":"Anna","callTemplate":{"systemPrompt":"You talk to {{customer.name}}.","voice":"Jessica","temperature":0.4,"joinTimeout":"45s",
         "medium":{"serverWebSocket":{"inputSampleRate":16000}},"firstSpeakerSettings":{"agent":{"text":"Hello {{customer.name}}"}},
         "selectedTools":[{"toolName":"hangUp"},{"temporaryTool":{"modelToolName":"look","description":"For {{customer.name}}.","client":{}}}],
         "contextSchema":{"type":"object","properties":{"customer":{"type":"object","properties":{"name":{"type":"string"}},"required":["name"]}},"required":["customer"]}}}
        """;

    [Fact]
    public async Task ACall_TakesTheTemplateFilled()
    {
        using var client = await silo.CreateClientAsync();
        var agentId = await CreateAgentAsync(client);
        var created = await client.PostAsync($"/api/agents/{agentId}/calls", """{"templateContext":{"customer":{"name":"Jane"}},"metadata":{"a":"b"}}""");
        Assert.Equal(201, created.Status);
        var call = created.Json;
        await OpenApiContract.AssertMatchesAsync("Call", call);
        Assert.Equal("You talk to Jane.", call.GetProperty("systemPrompt").GetString());
        Assert.Equal("Jessica", call.GetProperty("voice").GetString());
        Assert.Equal("45s", call.GetProperty("joinTimeout").GetString());
        Assert.Equal("""{"agent":{"text":"Hello Jane"}}""", call.GetProperty("firstSpeakerSettings").GetRawText());
        Assert.Equal($$"""{"agentId":"{{agentId}}","name":"Anna"}""", call.GetProperty("agent").GetRawText());
        Assert.Equal("""{"a":"b"}""", call.GetProperty("metadata").GetRawText());
        Assert.Equal(["hangUp", "look"], await ToolsAsync(client, call));

        var listed = (await client.GetAsync($"/api/agents/{agentId}/calls")).Json;
        await OpenApiContract.AssertMatchesAsync("PaginatedCallList", listed);
        Assert.Equal(call.GetProperty("callId").GetString(), Assert.Single(listed.GetProperty("results").EnumerateArray().ToList()).GetProperty("callId").GetString());
        Assert.Equal(1, (await client.GetAsync($"/api/agents/{agentId}")).Json.GetProperty("statistics").GetProperty("calls").GetInt32());
    }

    [Fact]
    public async Task ACall_OverridesItsTemplate()
    {
        using var client = await silo.CreateClientAsync();
        var agentId = await CreateAgentAsync(client);
        var call = (await client.PostAsync($"/api/agents/{agentId}/calls", """
            {"templateContext":{"customer":{"name":"Jane"}},"voice":"Mark","joinTimeout":"10s","recordingEnabled":true,"maxDuration":"60s",
             "medium":{"webRtc":{}},"firstSpeakerSettings":{"user":{}},"initialOutputMedium":"MESSAGE_MEDIUM_TEXT","agentId":"ignored",
             "initialMessages":[{"role":"MESSAGE_ROLE_USER","text":"I am {{not}} filled"}],
             "toolOverrides":{"remove":["look"],"removeAll":false,"add":[{"temporaryTool":{"modelToolName":"see","description":"Of {{customer.name}}.","client":{}}}]}}
            """)).Json;
        Assert.Equal("Mark", call.GetProperty("voice").GetString());
        Assert.Equal("10s", call.GetProperty("joinTimeout").GetString());
        Assert.Equal("60s", call.GetProperty("maxDuration").GetString());
        Assert.True(call.GetProperty("recordingEnabled").GetBoolean());
        Assert.Equal("""{"webRtc":{}}""", call.GetProperty("medium").GetRawText());
        Assert.Equal("""{"user":{}}""", call.GetProperty("firstSpeakerSettings").GetRawText());
        Assert.Equal("MESSAGE_MEDIUM_TEXT", call.GetProperty("initialOutputMedium").GetString());
        Assert.Equal("You talk to Jane.", call.GetProperty("systemPrompt").GetString());
        Assert.Equal(["hangUp", "see"], await ToolsAsync(client, call));
        var message = (await client.GetAsync($"/api/calls/{call.GetProperty("callId").GetString()}/messages")).Json.GetProperty("results")[0];
        Assert.Equal("I am {{not}} filled", message.GetProperty("text").GetString());
    }

    [Fact]
    public async Task ACall_KeepsWhatItStartedWith()
    {
        using var client = await silo.CreateClientAsync();
        var agentId = await CreateAgentAsync(client);
        const string context = """{"templateContext":{"customer":{"name":"Jane"}}}""";
        var path = "/api/calls/" + (await client.PostAsync($"/api/agents/{agentId}/calls", context)).Json.GetProperty("callId").GetString();
        Assert.Equal(200, (await client.PatchAsync($"/api/agents/{agentId}", """{"callTemplate":{"systemPrompt":"Changed."}}""")).Status);
        Assert.Equal("You talk to Jane.", (await client.GetAsync(path)).Json.GetProperty("systemPrompt").GetString());
        Assert.Equal("Changed.", (await client.PostAsync($"/api/agents/{agentId}/calls", context)).Json.GetProperty("systemPrompt").GetString());
        await client.DeleteAsync($"/api/agents/{agentId}");
        Assert.Equal("Anna", (await client.GetAsync(path)).Json.GetProperty("agent").GetProperty("name").GetString());
    }

    [Theory]
    [InlineData("{}", "templateContext")]
    [InlineData("""{"templateContext":{"customer":{"name":7}}}""", "templateContext")]
    [InlineData("""{"templateContext":{"customer":{"name":"J"}},"systemPrompt":"x"}""", "systemPrompt")]
    [InlineData("""{"templateContext":{"customer":{"name":"J"}},"voice":"Nobody"}""", "voice")]
    [InlineData("""{"templateContext":{"customer":{"name":"J"}},"voiceOverrides":{"generic":{"url":"https://a.example/","body":{"t":"{text}"}}}}""", "voiceOverrides")]
    [InlineData("""{"templateContext":{"customer":{"name":"J"}},"toolOverrides":{"remove":["nothing"]}}""", "toolOverrides")]
    [InlineData("""{"templateContext":{"customer":{"name":"J"}},"toolOverrides":{"remove":["look"],"removeAll":true}}""", "toolOverrides")]
    [InlineData("""{"templateContext":{"customer":{"name":"J"}},"medium":{"plivo":{}}}""", "medium")]
    public async Task BadOverrides_AreRefusedByField(string body, string field)
    {
        using var client = await silo.CreateClientAsync();
        var agentId = await CreateAgentAsync(client);
        var reply = await client.PostAsync($"/api/agents/{agentId}/calls", body);
        Assert.Equal(400, reply.Status);
        Assert.Equal(field, Assert.Single(reply.Json.EnumerateObject()).Name);
        Assert.Equal(0, (await client.GetAsync($"/api/agents/{agentId}/calls")).Json.GetProperty("total").GetInt32());
    }

    [Fact]
    public async Task AnothersAgent_IsNotFound()
    {
        using var owner = await silo.CreateClientAsync();
        using var other = await silo.CreateClientAsync();
        var agentId = await CreateAgentAsync(owner);
        Assert.Equal(404, (await other.PostAsync($"/api/agents/{agentId}/calls", "{}")).Status);
        Assert.Equal(404, (await other.GetAsync($"/api/agents/{agentId}/calls")).Status);
        Assert.Equal(404, (await other.GetAsync("/api/agents/not-an-id/calls")).Status);
    }

    private static async Task<string> CreateAgentAsync(ApiClient client)
    {
        var reply = await client.PostAsync("/api/agents", Agent);
        Assert.Equal(201, reply.Status);
        return reply.Json.GetProperty("agentId").GetString()!;
    }

    private static async Task<List<string?>> ToolsAsync(ApiClient client, JsonElement call)
    {
        var tools = (await client.GetAsync($"/api/calls/{call.GetProperty("callId").GetString()}/tools")).Json;
        return [.. tools.EnumerateArray().Select(tool => tool.GetProperty("name").GetString())];
    }
}
