using System.Text.Json;
using VoiceGrains.Server.Tests.Contract;
using VoiceGrains.Server.Tests.Hosting;

namespace VoiceGrains.Server.Tests.Tools;

/// <summary>From <c>selectedTools</c> to the tools of a call, in calls and in agents.</summary>
public sealed class ToolSelectionTests(SiloFixture silo)
{
    private const string HangUpId = "56294126-5a7d-4948-b67d-3b7e13d55ea7";

    private const string Prices = """
        {"name":"prices","definition":{"modelToolName":"lookUpPrice","description":"Looks up a price.","timeout":"5s",
          "dynamicParameters":[
            {"name":"symbol","location":"PARAMETER_LOCATION_QUERY","schema":{"type":"string"},"required":true},
            {"name":"region","location":"PARAMETER_LOCATION_HEADER","schema":{"type":"string"}}],
          "staticParameters":[{"name":"utm","location":"PARAMETER_LOCATION_QUERY","value":"default"}],
          "requirements":{
            "requiredParameterOverrides":["region"],
            "httpSecurityOptions":{"options":[
              {},
              {"requirements":{"user":{"headerApiKey":{"name":"X-User"}},"key":{"queryApiKey":{"name":"apiKey"}}}},
              {"requirements":{"key":{"httpAuth":{"scheme":"Bearer"}}}}]}},
          "http":{"baseUrlPattern":"https://prices.example","httpMethod":"GET"}}}
        """;

    [Fact]
    public async Task ADurableTool_IsSelectedByNameOrId_WithItsOverrides()
    {
        using var client = await silo.CreateClientAsync();
        var toolId = Id((await client.PostAsync("/api/tools", Prices)).Json);
        var call = await client.PostAsync("/api/calls", $$$"""
            {"selectedTools":[
              {"toolName":"prices","parameterOverrides":{"region":"eu"}},
              {"toolId":"{{{toolId.ToUpperInvariant()}}}","nameOverride":"nvidia","descriptionOverride":"Looks up NVIDIA.","transitionId":"t1",
               "parameterOverrides":{"region":null,"symbol":"NVDA","utm":{"a":1}},"authTokens":{"key":"t0ken"}}]}
            """);
        Assert.True(call.Status == 201, call.Text);
        var tools = await ToolsAsync(client, call.Json);
        foreach (var tool in tools) await OpenApiContract.AssertMatchesAsync("CallTool", tool);
        Assert.All(tools, tool => Assert.Equal(toolId, Id(tool)));
        Assert.Equal(["lookUpPrice", "nvidia"], tools.Select(Name));

        var (plain, nvidia) = (tools[0].GetProperty("definition"), tools[1].GetProperty("definition"));
        Assert.Equal(("Looks up a price.", "5s"), (plain.GetProperty("description").GetString(), plain.GetProperty("timeout").GetString()));
        Assert.Equal("""{"baseUrlPattern":"https://prices.example","httpMethod":"GET","authHeaders":[],"authQueryParams":[],"callTokenScopes":[]}""", plain.GetProperty("http").GetRawText());
        Assert.Equal("Looks up NVIDIA.", nvidia.GetProperty("description").GetString());
        Assert.Equal("""[{"name":"utm","location":"PARAMETER_LOCATION_QUERY","value":{"a":1}}]""", nvidia.GetProperty("staticParameters").GetRawText());
        Assert.Equal("""["Authorization"]""", nvidia.GetProperty("http").GetProperty("authHeaders").GetRawText());   // the empty option stands back
    }

    /// <summary>Documented: any parameter can be overridden.</summary>
    [Fact]
    public async Task AnAutomaticParameter_CanBeOverriddenToo()
    {
        using var client = await silo.CreateClientAsync();
        const string tool = """
            {"modelToolName":"query","automaticParameters":[{"name":"tenant","location":"PARAMETER_LOCATION_HEADER","knownValue":"KNOWN_PARAM_CALL_ID"},
             {"name":"state","location":"PARAMETER_LOCATION_BODY","knownValue":"KNOWN_PARAM_CALL_STATE"}],"http":{"baseUrlPattern":"https://a.example","httpMethod":"POST"}}
            """;
        var call = await client.PostAsync("/api/calls", $$$"""{"selectedTools":[{"temporaryTool":{{{tool}}},"parameterOverrides":{"tenant":"t1"}}]}""");
        Assert.True(call.Status == 201, call.Text);
        var definition = Assert.Single(await ToolsAsync(client, call.Json)).GetProperty("definition");
        Assert.Equal("""[{"name":"tenant","location":"PARAMETER_LOCATION_HEADER","value":"t1"}]""", definition.GetProperty("staticParameters").GetRawText());
        Assert.Equal("""[{"name":"state","location":"PARAMETER_LOCATION_BODY","knownValue":"KNOWN_PARAM_CALL_STATE"}]""", definition.GetProperty("automaticParameters").GetRawText());
    }

    [Theory]
    [InlineData("""{"user":"u","key":"k"}""", """["X-User"]["apiKey"]""")]
    [InlineData("""{"key":"k"}""", """["Authorization"][]""")]
    [InlineData("""{"user":"u"}""", "[][]")]
    public async Task TheFirstSecurityOptionThatTheTokensMeet_IsUsed_AnEmptyOneLast(string tokens, string used)
    {
        using var client = await silo.CreateClientAsync();
        await client.PostAsync("/api/tools", Prices);
        var call = await client.PostAsync("/api/calls", $$$"""{"selectedTools":[{"toolName":"prices","parameterOverrides":{"region":"eu"},"authTokens":{{{tokens}}}}]}""");
        var http = Assert.Single(await ToolsAsync(client, call.Json)).GetProperty("definition").GetProperty("http");
        Assert.Equal(used, http.GetProperty("authHeaders").GetRawText() + http.GetProperty("authQueryParams").GetRawText());
    }

    [Fact]
    public async Task AnOwnTool_ShadowsABuiltInOneByName_ButNotById()
    {
        using var client = await silo.CreateClientAsync();
        var own = Id((await client.PostAsync("/api/tools", """{"name":"hangUp","definition":{"modelToolName":"sayGoodbye","client":{}}}""")).Json);
        var call = await client.PostAsync("/api/calls", $$$"""{"selectedTools":[{"toolName":"hangUp"},{"toolId":"{{{HangUpId}}}"}]}""");
        var tools = await ToolsAsync(client, call.Json);
        Assert.Equal([(own, "sayGoodbye"), (HangUpId, "hangUp")], tools.Select(tool => (Id(tool), Name(tool))));

        await client.DeleteAsync($"/api/tools/{own}");
        var later = await client.PostAsync("/api/calls", """{"selectedTools":[{"toolName":"hangUp"}]}""");
        Assert.Equal(HangUpId, Id(Assert.Single(await ToolsAsync(client, later.Json))));
    }

    [Theory]
    [InlineData("""{"toolName":"nothing"}""", """{"toolName":["Tool 'nothing' does not exist."]}""")]
    [InlineData("""{"toolId":"11111111-2222-3333-4444-555555555555"}""", """{"toolId":["Tool '11111111-2222-3333-4444-555555555555' does not exist."]}""")]
    [InlineData("""{"toolId":"prices"}""", """{"toolId":["Tool 'prices' does not exist."]}""")]
    [InlineData("""{"toolName":"prices"}""", """{"parameterOverrides":{"region":["This parameter must be overridden."]}}""")]
    [InlineData("""{"toolName":"prices","parameterOverrides":{"region":"eu","colour":1}}""", """{"parameterOverrides":{"colour":["The tool has no such parameter."]}}""")]
    [InlineData("""{"toolName":"prices","nameOverride":"two words","parameterOverrides":{"region":"eu"}}""", """{"nameOverride":["Must match ^[a-zA-Z0-9_-]{1,64}$."]}""")]
    [InlineData("""{"toolName":"prices","nameOverride":"hangUp","parameterOverrides":{"region":"eu"}}""", """{"nameOverride":["Another selected tool is named 'hangUp' too; set 'nameOverride'."]}""")]
    [InlineData("""{"toolName":"keyed"}""", """{"authTokens":["The tool needs 'key'."]}""")]
    [InlineData("""{"toolName":"queryCorpus"}""", """{"parameterOverrides":{"corpus_id":["This parameter must be overridden."]}}""")]
    [InlineData("""{"toolName":"prices","toolId":"56294126-5a7d-4948-b67d-3b7e13d55ea7"}""",
        """{"non_field_errors":["Only one of 'toolId', 'toolName' and 'temporaryTool' may be set, but 'toolId' and 'toolName' are."]}""")]
    [InlineData("{}", """{"non_field_errors":["One of 'toolId', 'toolName' and 'temporaryTool' must be set."]}""")]
    public async Task WhatDoesNotFit_IsRefusedAtItsPlace_InCallsAndAgentsAlike(string selected, string problem)
    {
        using var client = await silo.CreateClientAsync();
        await client.PostAsync("/api/tools", Prices);
        await client.PostAsync("/api/tools", """
            {"name":"keyed","definition":{"modelToolName":"keyed","http":{"baseUrlPattern":"https://a.example","httpMethod":"GET"},
              "requirements":{"httpSecurityOptions":{"options":[{"requirements":{"key":{"headerApiKey":{"name":"X-Key"}}}}]}}}}
            """);
        var tools = $$"""{"selectedTools":[{"toolName":"hangUp"},{{selected}}]}""";
        var expected = $$"""{"selectedTools":[{},{{problem}}]}""";
        var call = await client.PostAsync("/api/calls", tools);
        Assert.Equal((400, expected), (call.Status, call.Text));
        var agent = await client.PostAsync("/api/agents", $$"""{"callTemplate":{{tools}} }""");
        Assert.Equal((400, $$"""{"callTemplate":{{expected}}}"""), (agent.Status, agent.Text));
        Assert.Equal(0, (await client.GetAsync("/api/calls")).Json.GetProperty("total").GetInt32());
    }

    [Fact]
    public async Task AnAgentsSelection_IsFilledByTheCallsContext()
    {
        using var client = await silo.CreateClientAsync();
        await client.PostAsync("/api/tools", Prices);
        var agent = await client.PostAsync("/api/agents", """
            {"callTemplate":{"selectedTools":[
              {"toolName":"{{tool}}"},
              {"toolName":"prices","descriptionOverride":"Prices for {{customer.name}}.","parameterOverrides":{"region":"{{region}}","utm":{"who":["{{customer.name}}"]}},"authTokens":{"key":"{{token}}"}}]}}
            """);
        Assert.True(agent.Status == 201, agent.Text);
        var path = $"/api/agents/{agent.Json.GetProperty("agentId").GetString()}/calls";
        var call = await client.PostAsync(path, """{"templateContext":{"tool":"hangUp","region":"eu","token":"t","customer":{"name":"Jo"}}}""");
        Assert.True(call.Status == 201, call.Text);
        var tools = await ToolsAsync(client, call.Json);
        Assert.Equal(["hangUp", "lookUpPrice"], tools.Select(Name));
        var definition = tools[1].GetProperty("definition");
        Assert.Equal("Prices for Jo.", definition.GetProperty("description").GetString());
        Assert.Equal("""[{"name":"utm","location":"PARAMETER_LOCATION_QUERY","value":{"who":["Jo"]}}]""", definition.GetProperty("staticParameters").GetRawText());

        var wrong = await client.PostAsync(path, """{"templateContext":{"tool":"nothing","region":"eu","token":"t","customer":{"name":"Jo"}}}""");
        Assert.Equal((400, """{"selectedTools":[{"toolName":["Tool 'nothing' does not exist."]}]}"""), (wrong.Status, wrong.Text));
        Assert.Equal(400, (await client.PostAsync("/api/calls", """{"selectedTools":[{"toolName":"{{tool}}"}]}""")).Status);   // a call's own tools are no templates
    }

    [Fact]
    public async Task AnAgentsCall_TakesTheToolAsItIsThen_AndKeepsIt()
    {
        using var client = await silo.CreateClientAsync();
        var path = "/api/tools/" + Id((await client.PostAsync("/api/tools", ToolEndpointTests.Client("order"))).Json);
        var agent = await client.PostAsync("/api/agents", """{"callTemplate":{"selectedTools":[{"toolName":"order"}]}}""");
        var calls = $"/api/agents/{agent.Json.GetProperty("agentId").GetString()}/calls";
        var first = (await client.PostAsync(calls, "{}")).Json;
        await client.PutAsync(path, """{"name":"order","definition":{"modelToolName":"orderNow","client":{}}}""");
        Assert.Equal(["orderNow"], (await ToolsAsync(client, (await client.PostAsync(calls, "{}")).Json)).Select(Name));
        Assert.Equal(["order"], (await ToolsAsync(client, first)).Select(Name));

        Assert.Empty(await ToolsAsync(client, (await client.PostAsync(calls, """{"toolOverrides":{"remove":["orderNow"]}}""")).Json));   // by the name that the model sees
        Assert.Equal(400, (await client.PostAsync(calls, """{"toolOverrides":{"remove":["order"]}}""")).Status);

        Assert.Equal(204, (await client.DeleteAsync(path)).Status);
        var refused = await client.PostAsync(calls, "{}");
        Assert.Equal((400, """{"selectedTools":[{"toolName":["Tool 'order' does not exist."]}]}"""), (refused.Status, refused.Text));
        Assert.Equal(201, (await client.PostAsync(calls, """{"toolOverrides":{"removeAll":true}}""")).Status);
        await client.PostAsync("/api/tools", ToolEndpointTests.Client("order"));
        Assert.Equal(201, (await client.PostAsync(calls, "{}")).Status);
    }

    private static async Task<List<JsonElement>> ToolsAsync(ApiClient client, JsonElement call)
        => [.. (await client.GetAsync($"/api/calls/{call.GetProperty("callId").GetString()}/tools")).Json.EnumerateArray()];

    private static string Id(JsonElement tool) => tool.GetProperty("toolId").GetString()!;

    private static string Name(JsonElement tool) => tool.GetProperty("name").GetString()!;
}
