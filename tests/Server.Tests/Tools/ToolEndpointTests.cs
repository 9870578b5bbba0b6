using System.Text.Json;
using VoiceGrains.Grains.Tools;
using VoiceGrains.Server.Tests.Contract;
using VoiceGrains.Server.Tests.Hosting;

namespace VoiceGrains.Server.Tests.Tools;

public sealed class ToolEndpointTests(SiloFixture silo)
{
    private const string Everything = """
        {
          "name": "stock_price",
          "definition": {
            "modelToolName": "stockPrice", "description": "Looks up a price.",
            "dynamicParameters": [
              {"name": "symbol", "location": "PARAMETER_LOCATION_PATH", "schema": {"type": "string", "description": "The symbol.", "enum": ["NVDA", "AAPL"]}, "required": true},
              {"name": "day", "location": "PARAMETER_LOCATION_QUERY", "schema": {"type": "object", "properties": {"z": {}, "a": {"type": "string"}}}}
            ],
            "staticParameters": [{"name": "utm", "location": "PARAMETER_LOCATION_QUERY", "value": {"n": [1, null]}}],
            "automaticParameters": [{"name": "call", "location": "PARAMETER_LOCATION_HEADER", "knownValue": "KNOWN_PARAM_CALL_ID"}],
            "requirements": {
              "httpSecurityOptions": {"options": [{"requirements": {"key": {"headerApiKey": {"name": "X-Key"}}}}, {}]},
              "requiredParameterOverrides": ["day"]
            },
            "timeout": "10.5s", "precomputable": true, "defaultReaction": "AGENT_REACTION_SPEAKS_ONCE",
            "http": {"baseUrlPattern": "https://prices.example/{symbol}", "httpMethod": "GET"},
            "staticResponse": {"responseText": "One moment."}
          }
        }
        """;

    [Fact]
    public async Task ATool_IsStoredAsItWasGiven()
    {
        using var client = await silo.CreateClientAsync();
        var made = await client.PostAsync("/api/tools", Everything);
        Assert.True(made.Status == 201, made.Text);
        await OpenApiContract.AssertMatchesAsync("Tool", made.Json);
        Assert.Equal(("stock_price", "private"), (made.Json.GetProperty("name").GetString(), made.Json.GetProperty("ownership").GetString()));
        using var given = JsonDocument.Parse(Everything);
        Assert.True(JsonElement.DeepEquals(given.RootElement.GetProperty("definition"), made.Json.GetProperty("definition")), made.Text);

        var again = await client.GetAsync($"/api/tools/{Id(made.Json)}");
        Assert.Equal((200, made.Text), (again.Status, again.Text));   // also in the order of the schema's properties
        var listed = await client.GetAsync("/api/tools?ownership=private");
        await OpenApiContract.AssertMatchesAsync("PaginatedToolList", listed.Json);
        Assert.Equal(made.Json.GetRawText(), Assert.Single(listed.Json.GetProperty("results").EnumerateArray()).GetRawText());
    }

    [Fact]
    public async Task PutTool_ReplacesAll_AndTakesItsOwnAnswer()
    {
        using var client = await silo.CreateClientAsync();
        var made = await client.PostAsync("/api/tools", Everything);
        var path = $"/api/tools/{Id(made.Json)}";
        Assert.Equal((200, made.Text), await PutAsync(made.Text));

        var (status, text) = await PutAsync("""{"name":"other","definition":{"modelToolName":"other","client":{}}}""");
        Assert.Equal(200, status);
        Assert.Equal(text, (await client.GetAsync(path)).Text);
        using var replaced = JsonDocument.Parse(text);
        await OpenApiContract.AssertMatchesAsync("Tool", replaced.RootElement);
        Assert.Equal("""{"modelToolName":"other","client":{}}""", replaced.RootElement.GetProperty("definition").GetRawText());
        Assert.Equal(made.Json.GetProperty("created").GetString(), replaced.RootElement.GetProperty("created").GetString());

        async Task<(int, string)> PutAsync(string body)
        {
            var reply = await client.PutAsync(path, body);
            return (reply.Status, reply.Text);
        }
    }

    [Fact]
    public async Task DeleteTool_IsGone()
    {
        using var client = await silo.CreateClientAsync();
        var path = $"/api/tools/{Id((await client.PostAsync("/api/tools", Client("gone"))).Json)}";
        Assert.Equal(204, (await client.DeleteAsync(path)).Status);
        Assert.Equal(404, (await client.GetAsync(path)).Status);
        Assert.Equal(404, (await client.DeleteAsync(path)).Status);
        Assert.Equal(404, (await client.PutAsync(path, Client("gone"))).Status);
        Assert.Equal(0, (await client.GetAsync("/api/tools?ownership=private")).Json.GetProperty("total").GetInt32());
        Assert.Equal(201, (await client.PostAsync("/api/tools", Client("gone"))).Status);
    }

    [Fact]
    public async Task AName_IsUniqueInItsAccount()
    {
        using var client = await silo.CreateClientAsync();
        using var other = await silo.CreateClientAsync();
        Assert.Equal(201, (await client.PostAsync("/api/tools", Client("a"))).Status);
        var second = await client.PostAsync("/api/tools", Client("b"));
        Assert.Equal(201, (await client.PostAsync("/api/tools", Client("hangUp"))).Status);   // shadows the built-in one
        Assert.Equal(201, (await other.PostAsync("/api/tools", Client("a"))).Status);

        const string taken = """{"name":["Another tool has this name."]}""";
        var again = await client.PostAsync("/api/tools", Client("a"));
        Assert.Equal((400, taken), (again.Status, again.Text));
        var renamed = await client.PutAsync($"/api/tools/{Id(second.Json)}", Client("a"));
        Assert.Equal((400, taken), (renamed.Status, renamed.Text));
        Assert.Equal(3, (await client.GetAsync("/api/tools?ownership=private")).Json.GetProperty("total").GetInt32());
    }

    [Fact]
    public async Task AnotherAccount_SeesAndChangesNothing()
    {
        using var owner = await silo.CreateClientAsync();
        using var other = await silo.CreateClientAsync();
        var made = await owner.PostAsync("/api/tools", Client("mine"));
        var path = $"/api/tools/{Id(made.Json)}";
        Assert.Equal(404, (await other.GetAsync(path)).Status);
        Assert.Equal(404, (await other.PutAsync(path, Client("yours"))).Status);
        Assert.Equal(404, (await other.DeleteAsync(path)).Status);
        Assert.Equal(404, (await other.GetAsync(path + "/history")).Status);
        Assert.Equal(404, (await other.PostAsync(path + "/test", "{}")).Status);
        Assert.DoesNotContain("mine", Names(await other.GetAsync("/api/tools?pageSize=100")));
        foreach (var selected in (string[])["""{"toolName":"mine"}""", $$"""{"toolId":"{{Id(made.Json)}}"}"""])
            Assert.Equal(400, (await other.PostAsync("/api/calls", $$"""{"selectedTools":[{{selected}}]}""")).Status);
        Assert.Equal(made.Text, (await owner.GetAsync(path)).Text);
    }

    [Fact]
    public async Task BuiltInTools_ArePublic_AndReadOnly()
    {
        using var client = await silo.CreateClientAsync();
        var listed = await client.GetAsync("/api/tools");
        await OpenApiContract.AssertMatchesAsync("PaginatedToolList", listed.Json);
        Assert.Equal(BuiltInTool.All.Select(tool => tool.Name).Order(StringComparer.Ordinal), Names(listed).Order(StringComparer.Ordinal));
        Assert.All(listed.Json.GetProperty("results").EnumerateArray(), tool => Assert.Equal("public", tool.GetProperty("ownership").GetString()));
        Assert.Equal(0, (await client.GetAsync("/api/tools?ownership=private")).Json.GetProperty("total").GetInt32());

        const string hangUp = "/api/tools/56294126-5a7d-4948-b67d-3b7e13d55ea7";
        var one = await client.GetAsync(hangUp);
        await OpenApiContract.AssertMatchesAsync("Tool", one.Json);
        Assert.Equal("hangUp", one.Json.GetProperty("name").GetString());
        Assert.Equal(one.Text, listed.Json.GetProperty("results").EnumerateArray().Single(t => Id(t) == Id(one.Json)).GetRawText());
        const string refused = """{"detail":"Built-in tools cannot be changed.","code":"read_only"}""";
        var put = await client.PutAsync(hangUp, Client("hangUp"));
        Assert.Equal((403, refused), (put.Status, put.Text));
        Assert.Equal(403, (await client.DeleteAsync(hangUp)).Status);
        Assert.Equal(400, (await client.PostAsync(hangUp + "/test", "{}")).Status);
        Assert.Equal(0, (await client.GetAsync(hangUp + "/history")).Json.GetProperty("total").GetInt32());
    }

    [Theory]
    [InlineData("alphabetic", "Anna coldTransfer hangUp leaveVoicemail mid playDtmfSounds queryCorpus warmTransfer zeta")]
    [InlineData("reverseAlphabetic", "zeta warmTransfer queryCorpus playDtmfSounds mid leaveVoicemail hangUp coldTransfer Anna")]
    [InlineData("display", "coldTransfer hangUp leaveVoicemail playDtmfSounds queryCorpus warmTransfer zeta Anna mid")]
    [InlineData("chronologic", "* * * * * * mid Anna zeta")]
    [InlineData("reverseChronologic", "zeta Anna mid * * * * * *")]
    [InlineData("default", "zeta Anna mid * * * * * *")]
    [InlineData("", "zeta Anna mid * * * * * *")]
    public async Task Lists_AreSortedAndPagedAcrossOwnAndBuiltInTools(string order, string names)
    {
        using var client = await silo.CreateClientAsync();
        foreach (var name in (string[])["mid", "Anna", "zeta"]) await client.PostAsync("/api/tools", Client(name));
        var found = new List<string>();
        string? next = $"/api/tools?pageSize=4&sortOrder={order}", previous = null;
        while (next is not null)
        {
            var page = await client.GetAsync(next);
            Assert.Equal(9, page.Json.GetProperty("total").GetInt32());
            found.AddRange(Names(page));
            (next, previous) = (page.Json.GetProperty("next").GetString(), page.Json.GetProperty("previous").GetString());
        }
        Assert.Equal(names, string.Join(' ', found.Select(name => names.Contains('*') && BuiltInTool.All.Any(t => t.Name == name) ? "*" : name)));
        Assert.Equal(9, found.Distinct().Count());
        Assert.Equal(found[4..8], Names(await client.GetAsync(previous!)));
    }

    [Fact]
    public async Task Lists_AreFilteredByWordsOfNameAndDescription()
    {
        using var client = await silo.CreateClientAsync();
        await client.PostAsync("/api/tools", """{"name":"first","definition":{"modelToolName":"a","description":"Sends 100% of a Letter.","client":{}}}""");
        await client.PostAsync("/api/tools", """{"name":"LETTERS","definition":{"modelToolName":"b","client":{}}}""");
        Assert.Equal(["LETTERS", "first"], Names(await client.GetAsync("/api/tools?search=letter")));
        Assert.Equal(["first"], Names(await client.GetAsync("/api/tools?search=100%25")));
        Assert.Equal(["hangUp"], Names(await client.GetAsync("/api/tools?search=hangup")));
        Assert.Empty(Names(await client.GetAsync("/api/tools?search=letter&ownership=public")));
        Assert.Equal(400, (await client.GetAsync("/api/tools?ownership=mine")).Status);
        Assert.Equal(400, (await client.GetAsync("/api/tools?sortOrder=size")).Status);
    }

    [Theory]
    [InlineData("{}", """{"name":["This field is required."],"definition":["This field is required."]}""")]
    [InlineData("""{"name":"","definition":{"modelToolName":"a","client":{}}}""", """{"name":["Ensure this field has between 1 and 40 characters."]}""")]
    [InlineData("""{"name":"12345678901234567890123456789012345678901","definition":{"modelToolName":"a","client":{}}}""", """{"name":["Ensure this field has between 1 and 40 characters."]}""")]
    [InlineData("""{"name":"a","definition":{"modelToolName":"a b","client":{}}}""", """{"definition":{"modelToolName":["Must match ^[a-zA-Z0-9_-]{1,64}$."]}}""")]
    [InlineData("""{"name":"a","definition":{"modelToolName":"a"}}""", """{"definition":{"non_field_errors":["One of 'http', 'client' and 'dataConnection' must be set."]}}""")]
    [InlineData("""{"name":"a","definition":{"modelToolName":"a","client":{},"timeout":"41s"}}""", """{"definition":{"timeout":["Must be between 0s and 40s."]}}""")]
    [InlineData("""{"name":"a","definition":{"modelToolName":"a","http":{"baseUrlPattern":"https://a.example/{id}","httpMethod":"GET"}}}""",
        """{"definition":{"http":{"baseUrlPattern":["Placeholder '{id}' has no parameter."]}}}""")]
    [InlineData("""{"name":"a","definition":{"modelToolName":"a","client":{},"requirements":{"requiredParameterOverrides":["x"]}}}""",
        """{"definition":{"requirements":{"requiredParameterOverrides":{"0":["Is no dynamic parameter."]}}}}""")]
    [InlineData("""{"name":"a","definition":{"modelToolName":"a","client":{},"dynamicParameters":[{"name":"x","location":"PARAMETER_LOCATION_QUERY","schema":{"type":"thing"}}]}}""",
        """{"definition":{"dynamicParameters":[{"location":["Only body parameters are allowed here."],"schema":["type: Must be one of object, array, string, number, integer, boolean, null, or a list of them."]}]}}""")]
    public async Task WhatCouldNotWork_IsRefusedByField(string body, string problems)
    {
        using var client = await silo.CreateClientAsync();
        var reply = await client.PostAsync("/api/tools", body);
        Assert.Equal((400, problems), (reply.Status, reply.Text));
        var path = $"/api/tools/{Id((await client.PostAsync("/api/tools", Client("kept"))).Json)}";
        var put = await client.PutAsync(path, body);
        Assert.Equal((400, problems), (put.Status, put.Text));
        Assert.Equal(["kept"], Names(await client.GetAsync("/api/tools?ownership=private")));
    }

    [Fact]
    public async Task ADefinitionThatIsTooLarge_IsRefused()
    {
        using var client = await silo.CreateClientAsync();
        var body = """{"name":"a","definition":{"modelToolName":"a","client":{},"description":"LONG"}}""".Replace("LONG", new string('x', 131_072), StringComparison.Ordinal);
        var reply = await client.PostAsync("/api/tools", body);
        Assert.Equal((400, """{"definition":["A definition may have 131072 bytes of JSON."]}"""), (reply.Status, reply.Text));
    }

    internal static string Client(string name) => """{"name":"NAME","definition":{"modelToolName":"NAME","client":{}}}""".Replace("NAME", name, StringComparison.Ordinal);

    private static string Id(JsonElement tool) => tool.GetProperty("toolId").GetString()!;

    private static List<string> Names(ApiReply page) => [.. page.Json.GetProperty("results").EnumerateArray().Select(tool => tool.GetProperty("name").GetString()!)];
}
