using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Orleans;
using VoiceGrains.GrainInterfaces.Agents;
using VoiceGrains.Server.Tests.Contract;
using VoiceGrains.Server.Tests.Hosting;

namespace VoiceGrains.Server.Tests.Agents;

public sealed class AgentEndpointTests(SiloFixture silo)
{
    private const string Everything =
        """
        {
          "name": "Everything",
          "callTemplate": {
            "medium": {"serverWebSocket": {"inputSampleRate": 16000, "dataMessages": {"pong": true}}},
            "initialOutputMedium": "MESSAGE_MEDIUM_TEXT",
            "joinTimeout": "45s", "maxDuration": "1800.5s", "recordingEnabled": true,
            "vadSettings": {"turnEndpointDelay": "0.5s"},
            "firstSpeakerSettings": {"user": {"fallback": {"delay": "5s", "text": "Hello {{customer.name}}?"}}},
            "systemPrompt": "You talk to {{customer.name}} of {{ company }}.", "temperature": 0.4, "languageHint": "en-GB",
            "timeExceededMessage": "Time is up.", "inactivityMessages": [{"duration": "30s", "message": "Are you there?", "endBehavior": "END_BEHAVIOR_HANG_UP_SOFT"}],
            "selectedTools": [
              {"toolName": "hangUp"},
              {"temporaryTool": {"modelToolName": "lookUp", "description": "Looks up {{company}}.", "client": {},
                "dynamicParameters": [{"name": "what", "location": "PARAMETER_LOCATION_BODY", "schema": {"type": "string"}, "required": true}]}}
            ],
            "dataConnection": {"websocketUrl": "wss://data.example/socket"},
            "sharedSecrets": ["s3cr3t"], "retentionPolicy": "CALL_RETENTION_POLICY_RETAIN"
          }
        }
        """;

    [Fact]
    public async Task CreateAgent_WithEverything_AnswersWithAll_ButSecrets()
    {
        using var client = await silo.CreateClientAsync();
        var made = await client.PostAsync("/api/agents", Everything);
        Assert.Equal(201, made.Status);
        await OpenApiContract.AssertMatchesAsync("Agent", made.Json);
        var template = made.Json.GetProperty("callTemplate");
        Assert.Equal("""{"serverWebSocket":{"inputSampleRate":16000,"dataMessages":{"pong":true}}}""", Raw(template, "medium"));
        Assert.Equal("""{"user":{"fallback":{"delay":"5s","text":"Hello {{customer.name}}?"}}}""", Raw(template, "firstSpeakerSettings"));
        Assert.Equal(("1800.5s", "45s", 0.4, true), (
            template.GetProperty("maxDuration").GetString(), template.GetProperty("joinTimeout").GetString(),
            template.GetProperty("temperature").GetDouble(), template.GetProperty("recordingEnabled").GetBoolean()));
        Assert.Equal("""{"turnEndpointDelay":"0.5s","minimumTurnDuration":"0s","minimumInterruptionDuration":"0.09s","frameActivationThreshold":0.1}""", Raw(template, "vadSettings"));
        Assert.Equal(
            """{"type":"object","properties":{"customer":{"type":"object","properties":{"name":{}},"required":["name"]},"company":{}},"required":["customer","company"]}""",
            Raw(template, "contextSchema"));
        Assert.DoesNotContain("s3cr3t", made.Text);

        var again = await client.GetAsync($"/api/agents/{Id(made)}");
        Assert.Equal((200, made.Text), (again.Status, again.Text));
    }

    [Fact]
    public async Task CreateAgent_WithNothing_ShowsEveryDefault()
    {
        using var client = await silo.CreateClientAsync();
        var made = await client.PostAsync("/api/agents", "{}");
        Assert.Equal(201, made.Status);
        await OpenApiContract.AssertMatchesAsync("Agent", made.Json);
        var template = made.Json.GetProperty("callTemplate");
        Assert.Equal(("30s", "3600s", "MESSAGE_MEDIUM_VOICE", "ultravox-v0.7"), (
            template.GetProperty("joinTimeout").GetString(), template.GetProperty("maxDuration").GetString(),
            template.GetProperty("initialOutputMedium").GetString(), template.GetProperty("model").GetString()));
        Assert.Equal("""{"agent":{}}""", Raw(template, "firstSpeakerSettings"));
        Assert.Equal(0, made.Json.GetProperty("statistics").GetProperty("calls").GetInt32());
    }

    [Fact]
    public async Task PatchAgent_ReplacesGivenFields_KeepsOthers_AndChangesTheRevision()
    {
        using var client = await silo.CreateClientAsync();
        var made = await client.PostAsync("/api/agents", Everything);
        var patched = await client.PatchAsync($"/api/agents/{Id(made)}",
            """{"callTemplate":{"systemPrompt":"New.","vadSettings":{"minimumTurnDuration":"0.1s"},"medium":null}}""");
        Assert.Equal(200, patched.Status);
        await OpenApiContract.AssertMatchesAsync("Agent", patched.Json);
        var template = patched.Json.GetProperty("callTemplate");
        Assert.Equal(("New.", "0.384s", "0.1s"), (
            template.GetProperty("systemPrompt").GetString(), template.GetProperty("vadSettings").GetProperty("turnEndpointDelay").GetString(),
            template.GetProperty("vadSettings").GetProperty("minimumTurnDuration").GetString()));
        Assert.Equal(JsonValueKind.Null, template.GetProperty("medium").ValueKind);
        Assert.Equal("45s", template.GetProperty("joinTimeout").GetString());
        Assert.Equal("Everything", patched.Json.GetProperty("name").GetString());
        Assert.NotEqual(Raw(made.Json, "publishedRevisionId"), Raw(patched.Json, "publishedRevisionId"));

        var renamed = await client.PatchAsync($"/api/agents/{Id(made)}", """{"name":"Other"}""");
        Assert.Equal("Other", renamed.Json.GetProperty("name").GetString());
        Assert.Equal(Raw(patched.Json, "publishedRevisionId"), Raw(renamed.Json, "publishedRevisionId"));
        var kept = await silo.Services.GetRequiredService<IGrainFactory>().GetGrain<IAgentGrain>(Id(made)).GetAsync(client.Account.AccountId.ToString());
        Assert.Equal("s3cr3t", Assert.Single(kept.CallTemplate.SharedSecrets!));
    }

    [Fact]
    public async Task PatchAgent_WithItsOwnAnswer_ChangesNothingThatIsShown()
    {
        using var client = await silo.CreateClientAsync();
        var made = await client.PostAsync("/api/agents", Everything);
        var patched = await client.PatchAsync($"/api/agents/{Id(made)}", made.Text);
        Assert.Equal(200, patched.Status);
        Assert.Equal(WithoutChanging(made.Json), WithoutChanging(patched.Json));
    }

    [Fact]
    public async Task PatchAgent_VoiceAndExternalVoice_ReplaceEachOther()
    {
        using var client = await silo.CreateClientAsync();
        var made = await client.PostAsync("/api/agents", """{"name":"v","callTemplate":{"voice":"Mark"}}""");
        Assert.True(made.Status == 201, made.Text);
        var external = await client.PatchAsync($"/api/agents/{Id(made)}",
            """{"callTemplate":{"externalVoice":{"generic":{"url":"https://tts.example/speak","body":{"say":"{text}"},"responseSampleRate":24000}}}}""");
        Assert.Equal((200, ""), (external.Status, external.Json.GetProperty("callTemplate").GetProperty("voice").GetString()));
        await OpenApiContract.AssertMatchesAsync("Agent", external.Json);
        var back = await client.PatchAsync($"/api/agents/{Id(made)}", """{"callTemplate":{"voice":"Mark"}}""");
        Assert.Equal(JsonValueKind.Null, back.Json.GetProperty("callTemplate").GetProperty("externalVoice").ValueKind);
    }

    [Fact]
    public async Task DeleteAgent_IsGone_AlsoFromLists()
    {
        using var client = await silo.CreateClientAsync();
        var made = await client.PostAsync("/api/agents", """{"name":"gone"}""");
        Assert.Equal(204, (await client.DeleteAsync($"/api/agents/{Id(made)}")).Status);
        Assert.Equal(404, (await client.GetAsync($"/api/agents/{Id(made)}")).Status);
        Assert.Equal(404, (await client.DeleteAsync($"/api/agents/{Id(made)}")).Status);
        Assert.Equal(0, (await client.GetAsync("/api/agents")).Json.GetProperty("total").GetInt32());
    }

    [Theory]
    [InlineData("""{"voice":"Mark"}""")]
    [InlineData("""{"externalVoice":{"generic":{"url":"https://a.example/","body":{"t":"{text}"}}}}""")]
    public async Task WhatWasRead_CanBeSentBackAsItIs(string template)
    {
        using var client = await silo.CreateClientAsync();
        var path = $"/api/agents/{Id(await client.PostAsync("/api/agents", $$$"""{"name":"a","callTemplate":{{{template}}}}"""))}";
        var read = await client.GetAsync(path);
        var changed = await client.PatchAsync(path, read.Text);
        Assert.True(changed.Status == 200, changed.Text);
        Assert.Equal(Voices(read), Voices(changed));
        var copy = await client.PostAsync("/api/agents", read.Text);
        Assert.True(copy.Status == 201, copy.Text);
        Assert.Equal(Voices(read), Voices(copy));
        var call = await client.PostAsync($"{path}/calls", """{"voice":""}""");
        Assert.True(call.Status == 201, call.Text);
        Assert.Equal(Raw(read.Json.GetProperty("callTemplate"), "externalVoice"), Raw(call.Json, "externalVoice"));

        static string Voices(ApiReply agent) => Raw(agent.Json.GetProperty("callTemplate"), "voice") + Raw(agent.Json.GetProperty("callTemplate"), "externalVoice");
    }

    [Fact]
    public async Task AnotherAccount_SeesNothing()
    {
        using var owner = await silo.CreateClientAsync();
        using var other = await silo.CreateClientAsync();
        var path = $"/api/agents/{Id(await owner.PostAsync("/api/agents", """{"name":"mine"}"""))}";
        Assert.Equal(404, (await other.GetAsync(path)).Status);
        Assert.Equal(404, (await other.PatchAsync(path, """{"name":"yours"}""")).Status);
        Assert.Equal(404, (await other.DeleteAsync(path)).Status);
        Assert.Equal(0, (await other.GetAsync("/api/agents")).Json.GetProperty("total").GetInt32());
        Assert.Equal("mine", (await owner.GetAsync(path)).Json.GetProperty("name").GetString());
    }

    [Theory]
    [InlineData("""{"name":"12345678901234567890123456789012345678901234567890123456789012345"}""", """{"name":["Ensure this field has between 1 and 64 characters."]}""")]
    [InlineData("""{"name":""}""", """{"name":["Ensure this field has between 1 and 64 characters."]}""")]
    [InlineData("""{"callTemplate":{"model":"gpt-99"}}""", """{"callTemplate":{"model":["Model 'gpt-99' does not exist."]}}""")]
    [InlineData("""{"callTemplate":{"voice":"nobody"}}""", """{"callTemplate":{"voice":["Voice 'nobody' does not exist."]}}""")]
    [InlineData("""{"callTemplate":{"voice":"Mark","externalVoice":{"generic":{"url":"https://a.example","body":{"t":"{text}"}}}}}""",
        """{"callTemplate":{"non_field_errors":["Only one of 'voice' and 'externalVoice' may be set, but 'voice' and 'externalVoice' are."]}}""")]
    [InlineData("""{"callTemplate":{"externalVoice":{"generic":{"url":"https://a.example","body":{"t":"text"}}}}}""",
        """{"callTemplate":{"externalVoice":{"generic":{"body":["Some string in it must hold the placeholder {text}."]}}}}""")]
    [InlineData("""{"callTemplate":{"externalVoice":{"elevenLabs":{"speed":2}}}}""", """{"callTemplate":{"externalVoice":{"elevenLabs":{"speed":["Must be between 0.7 and 1.2."]}}}}""")]
    [InlineData("""{"callTemplate":{"externalVoice":{"elevenLabs":{"voiceId":"x"}}}}""",
        """{"callTemplate":{"externalVoice":{"elevenLabs":["The account has no API key for ElevenLabs. Set one with PATCH /api/accounts/me/tts_api_keys."]}}}""")]
    [InlineData("""{"callTemplate":{"voiceOverrides":{"elevenLabs":{"speed":1}}}}""", """{"callTemplate":{"voiceOverrides":["Only valid when 'voice' is set."]}}""")]
    [InlineData("""{"callTemplate":{"temperature":1.1}}""", """{"callTemplate":{"temperature":["Must be between 0 and 1."]}}""")]
    [InlineData("""{"callTemplate":{"vadSettings":{"frameActivationThreshold":0.05}}}""", """{"callTemplate":{"vadSettings":{"frameActivationThreshold":["Must be between 0.1 and 1."]}}}""")]
    [InlineData("""{"callTemplate":{"languageHint":"english please"}}""", """{"callTemplate":{"languageHint":["Enter a BCP 47 language code, such as \"en\" or \"pt-BR\"."]}}""")]
    [InlineData("""{"callTemplate":{"systemPrompt":"Hello {{name"}}""", """{"callTemplate":{"systemPrompt":["A template's '{{' has no '}}'."]}}""")]
    [InlineData("""{"callTemplate":{"inactivityMessages":[{"duration":"5s","message":"ok"},{"duration":"5s","message":"{{#if}}"}]}}""",
        """{"callTemplate":{"inactivityMessages":[{},{"message":["'{{#if}}' is not a template variable."]}]}}""")]
    [InlineData("""{"callTemplate":{"contextSchema":{"type":"thing"}}}""",
        """{"callTemplate":{"contextSchema":["type: Must be one of object, array, string, number, integer, boolean, null, or a list of them."]}}""")]
    [InlineData("""{"callTemplate":{"contextSchema":{"properties":{"a":{"$ref":"http://evil.example"}}}}}""",
        """{"callTemplate":{"contextSchema":["properties.a: References are not supported."]}}""")]
    [InlineData("""{"callTemplate":{"contextSchema":{"pattern":"(?=a)"}}}""",
        """{"callTemplate":{"contextSchema":["pattern: Must be a regular expression without lookaround and backreferences."]}}""")]
    [InlineData("""{"callTemplate":{"medium":{"webRtc":{},"serverWebSocket":{"inputSampleRate":8000}}}}""",
        """{"callTemplate":{"medium":{"non_field_errors":["Only one of 'webRtc', 'twilio', 'serverWebSocket', 'telnyx', 'plivo', 'exotel' and 'sip' may be set, but 'webRtc' and 'serverWebSocket' are."]}}}""")]
    [InlineData("""{"callTemplate":{"medium":{"serverWebSocket":{}}}}""", """{"callTemplate":{"medium":{"serverWebSocket":{"inputSampleRate":["This field is required."]}}}}""")]
    [InlineData("""{"callTemplate":{"selectedTools":[{"toolName":"nothing"}]}}""", """{"callTemplate":{"selectedTools":[{"toolName":["Tool 'nothing' does not exist."]}]}}""")]
    [InlineData("""{"callTemplate":{"selectedTools":[{"toolName":"hangUp"},{"toolName":"hangUp"}]}}""",
        """{"callTemplate":{"selectedTools":[{},{"toolName":["Another selected tool is named 'hangUp' too; set 'nameOverride'."]}]}}""")]
    [InlineData("""{"callTemplate":{"selectedTools":[{"toolName":"queryCorpus"}]}}""",
        """{"callTemplate":{"selectedTools":[{"parameterOverrides":{"corpus_id":["This parameter must be overridden."]}}]}}""")]
    [InlineData("""{"callTemplate":{"selectedTools":[{"toolName":"hangUp","parameterOverrides":{"how":1}}]}}""",
        """{"callTemplate":{"selectedTools":[{"parameterOverrides":{"how":["The tool has no such parameter."]}}]}}""")]
    [InlineData("""{"callTemplate":{"selectedTools":[{}]}}""",
        """{"callTemplate":{"selectedTools":[{"non_field_errors":["One of 'toolId', 'toolName' and 'temporaryTool' must be set."]}]}}""")]
    [InlineData("""{"callTemplate":{"selectedTools":[{"temporaryTool":{"modelToolName":"a b","client":{}}}]}}""",
        """{"callTemplate":{"selectedTools":[{"temporaryTool":{"modelToolName":["Must match ^[a-zA-Z0-9_-]{1,64}$."]}}]}}""")]
    [InlineData("""{"callTemplate":{"selectedTools":[{"temporaryTool":{"modelToolName":"a","client":{},"timeout":"41s","dynamicParameters":[{"name":"x","location":"PARAMETER_LOCATION_QUERY","schema":{}}]}}]}}""",
        """{"callTemplate":{"selectedTools":[{"temporaryTool":{"timeout":["Must be between 0s and 40s."]}}]}}""")]
    [InlineData("""{"callTemplate":{"selectedTools":[{"temporaryTool":{"modelToolName":"a","client":{},"dynamicParameters":[{"name":"x","location":"PARAMETER_LOCATION_QUERY","schema":{}}]}}]}}""",
        """{"callTemplate":{"selectedTools":[{"temporaryTool":{"dynamicParameters":[{"location":["Only body parameters are allowed here."]}]}}]}}""")]
    [InlineData("""{"callTemplate":{"selectedTools":[{"temporaryTool":{"modelToolName":"a","http":{"baseUrlPattern":"https://a.example/{id}","httpMethod":"GET"}}}]}}""",
        """{"callTemplate":{"selectedTools":[{"temporaryTool":{"http":{"baseUrlPattern":["Placeholder '{id}' has no parameter."]}}}]}}""")]
    [InlineData("""{"callTemplate":{"selectedTools":[{"temporaryTool":{"modelToolName":"a","http":{"baseUrlPattern":"https://a.example","httpMethod":"GET"},"requirements":{"httpSecurityOptions":{"options":[{"requirements":{"key":{"headerApiKey":{"name":"X-Key"}}}}]}}}}]}}""",
        """{"callTemplate":{"selectedTools":[{"authTokens":["The tool needs 'key'."]}]}}""")]
    public async Task CreateAgent_RefusesWhatCouldNotWork_AndSaysWhere(string body, string problems)
    {
        using var client = await silo.CreateClientAsync();
        var reply = await client.PostAsync("/api/agents", body);
        Assert.Equal((400, problems), (reply.Status, reply.Text));
        Assert.Equal(0, (await client.GetAsync("/api/agents")).Json.GetProperty("total").GetInt32());
    }

    [Fact]
    public async Task PatchAgent_ThatBreaksARule_ChangesNothing()
    {
        using var client = await silo.CreateClientAsync();
        var made = await client.PostAsync("/api/agents", Everything);
        Assert.Equal(400, (await client.PatchAsync($"/api/agents/{Id(made)}", """{"name":"x","callTemplate":{"voice":"nobody"}}""")).Status);
        Assert.Equal(made.Text, (await client.GetAsync($"/api/agents/{Id(made)}")).Text);
    }

    [Fact]
    public async Task Agents_SurviveARestart()
    {
        await using var database = await VoiceGrains.Tests.Shared.PostgresServer.CreateDatabaseAsync(SiloFixture.Cancel);
        string path, before, key;
        await using (var first = await SiloFixture.StartAsync(database))
        {
            var account = (await first.Services.GetRequiredService<VoiceGrains.Grains.Accounts.AccountSetup>().EnsureFirstAccountAsync(SiloFixture.Cancel))!;
            using var client = new ApiClient(SiloFixture.AddressOf(first), account.Account, key = account.ApiKey);
            var made = await client.PostAsync("/api/agents", Everything);
            (path, before) = ($"/api/agents/{Id(made)}", made.Text);
            await first.StopAsync(SiloFixture.Cancel);
        }
        await using var second = await SiloFixture.StartAsync(database);
        using var later = new ApiClient(SiloFixture.AddressOf(second), new() { AccountId = default, Name = "", Plan = "" }, key);
        Assert.Equal(before, (await later.GetAsync(path)).Text);
        await second.StopAsync(SiloFixture.Cancel);
    }

    private static string Id(ApiReply agent) => agent.Json.GetProperty("agentId").GetString()!;

    private static string Raw(JsonElement json, string name) => JsonSerializer.Serialize(json.GetProperty(name), GrainInterfaces.WireJson.Options);

    private static string WithoutChanging(JsonElement agent)
    {
        var json = System.Text.Json.Nodes.JsonObject.Create(agent)!;
        json.Remove("publishedRevisionId");
        json["callTemplate"]!.AsObject().Remove("updated");
        return json.ToJsonString();
    }
}
