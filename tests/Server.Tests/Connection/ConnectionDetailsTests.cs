using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using VoiceGrains.Grains.Signing;
using VoiceGrains.Server.Tests.Hosting;
using VoiceGrains.Server.Tests.WebSockets;

namespace VoiceGrains.Server.Tests.Connection;

/// <summary>Calls for clients that know nothing but LiveKit: how they are made, refused and ended.</summary>
public sealed class ConnectionDetailsTests(SiloFixture silo, LiveSilo live)
{
    private const string Route = "/api/v1/connection/connection-details";

    [Fact]
    public async Task TheAnswer_OpensTheCallsRoom_ForTheUserAlone()
    {
        using var api = await silo.CreateClientAsync();
        var agentId = await AgentAsync(api, """{"systemPrompt":"Hi","joinTimeout":"60s","maxDuration":"600s","medium":{"serverWebSocket":{"inputSampleRate":8000}}}""");
        var answer = await SendAsync(api, Route, $$"""{"agent_id":"{{agentId}}"}""");
        Assert.Equal(200, answer.Status);
        Assert.Equal(["server_url", "participant_token", "call_id", "end_token"], answer.Json.EnumerateObject().Select(field => field.Name));
        var callId = answer.Json.GetProperty("call_id").GetString()!;
        Assert.Equal($"ws://{silo.Address.Authority}/calls/{callId}/room", answer.Json.GetProperty("server_url").GetString());
        Assert.True(silo.Services.GetRequiredService<RoomTokens>().TryVerify(answer.Json.GetProperty("participant_token").GetString()!, out var grant, out _));
        Assert.Equal((callId, "user", true), (grant.Room, grant.Identity, grant.CanPublish));
        Assert.Equal(43, grant.JoinToken!.Length);

        var call = (await api.GetAsync($"/api/calls/{callId}")).Json;
        Assert.Equal((agentId, "600s"), (call.GetProperty("agentId").GetString(), call.GetProperty("maxDuration").GetString()));
        Assert.Equal("""{"webRtc":{}}""", JsonSerializer.Serialize(call.GetProperty("medium")));     // whatever medium the agent's other calls have
    }

    [Fact]
    public async Task VariablesFillTheTemplate_AndTtsParamsTakeThePlaceOfItsVoice()
    {
        using var api = await silo.CreateClientAsync();
        var agentId = await AgentAsync(api, """{"systemPrompt":"You serve {{who}}, {{times}} times {{vip}}.","voice":"Mark","languageHint":"fr"}""");
        var voices = (await api.GetAsync("/api/voices")).Json.GetProperty("results").EnumerateArray().Select(voice => voice.GetProperty("name").GetString()!).ToList();
        var other = voices.First(name => name != "Mark");
        var answer = await SendAsync(api, Route, $$$"""
            {"agent_id":"{{{agentId}}}","dynamic_variables":{"who":"Ada \"}} ","times":2.50,"vip":true},
             "agent_overrides":{"tts_params":{"voice_id":"{{{other}}}","model":"voiceai-tts-v1-latest","language":"de","temperature":0,"top_p":1,"dictionary_id":"d"} } }
            """);
        Assert.True(answer.Status == 200, answer.Text);
        var call = (await api.GetAsync($"/api/calls/{answer.Json.GetProperty("call_id").GetString()}")).Json;
        Assert.Equal(("You serve Ada \"}} , 2.50 times true.", other, "de"),
            (call.GetProperty("systemPrompt").GetString(), call.GetProperty("voice").GetString(), call.GetProperty("languageHint").GetString()));

        var kept = await SendAsync(api, Route, $$$"""{"agent_id":"{{{agentId}}}","dynamic_variables":{"who":"","times":0,"vip":false},"agent_overrides":{"tts_params":{"language":"auto"} } }""");
        call = (await api.GetAsync($"/api/calls/{kept.Json.GetProperty("call_id").GetString()}")).Json;
        Assert.Equal(("Mark", "fr"), (call.GetProperty("voice").GetString(), call.GetProperty("languageHint").GetString()));
    }

    /// <summary>Voices of providers that sample: theirs are the settings that the parameters are about.</summary>
    [Theory]
    [InlineData("inworld", """{"voiceId":"v"}""", """{"temperature":1.5}""")]
    [InlineData("respeecher", """{"voiceId":"v"}""", """{"temperature":1.5,"topP":0.25}""")]
    [InlineData("lmnt", """{"voiceId":"v"}""", null)]
    public async Task TemperatureAndTopP_ReachVoicesThatHaveThem(string provider, string voice, string? overrides)
    {
        using var api = await silo.CreateClientAsync();
        Assert.Equal(200, (await api.PatchAsync("/api/accounts/me/tts_api_keys", $$"""{"{{provider}}":"key"}""")).Status);
        Assert.Equal(201, (await api.PostAsync("/api/voices", $$$"""{"name":"mine","definition":{"{{{provider}}}":{{{voice}}}}}""")).Status);
        var agentId = await AgentAsync(api, """{"voice":"mine"}""");
        var inline = await AgentAsync(api, $$$"""{"externalVoice":{"{{{provider}}}":{{{voice}}}}}""");
        const string asked = """{"temperature":1.5,"top_p":0.25}""";
        var call = await CallAsync(agentId);
        var given = JsonNode.Parse(call.GetProperty("voiceOverrides").GetRawText())?[provider];
        Assert.True(JsonNode.DeepEquals(overrides is null ? null : JsonNode.Parse(overrides), given), $"{given}");
        var settings = (await CallAsync(inline)).GetProperty("externalVoice").GetProperty(provider);
        Assert.Equal(overrides is not null, settings.TryGetProperty("temperature", out var temperature) && temperature.GetDouble() == 1.5);

        async Task<JsonElement> CallAsync(string agent)
        {
            var answer = await SendAsync(api, Route, $$$"""{"agent_id":"{{{agent}}}","agent_overrides":{"tts_params":{{{asked}}} } }""");
            Assert.True(answer.Status == 200, answer.Text);
            return (await api.GetAsync($"/api/calls/{answer.Json.GetProperty("call_id").GetString()}")).Json;
        }
    }

    /// <summary>Everything that is wrong, at once, in the shape that is documented.</summary>
    [Theory]
    [InlineData("{}", "agent_id:missing")]
    [InlineData("""{"agent_id":null}""", "agent_id:missing")]
    [InlineData("""{"agent_id":7}""", "agent_id:string_type")]
    [InlineData("""{"agent_id":""}""", "agent_id:string_too_short")]
    [InlineData("""{"agent_id":"\ud800"}""", "agent_id:string_type")]
    [InlineData("[]", ":dict_type")]
    [InlineData("null", ":dict_type")]
    [InlineData("{", ":json_invalid")]
    [InlineData("""{"agent_id":"AGENT","dynamic_variables":{"\ud800":1}}""", ":json_invalid")]
    [InlineData("""{"agent_id":"AGENT","agentId":"x"}""", "agentId:extra_forbidden")]
    [InlineData("""{"agent_id":"AGENT","dynamic_variables":[]}""", "dynamic_variables:dict_type")]
    [InlineData("""{"agent_id":"AGENT","dynamic_variables":{"a":null,"b":[],"c":{},"d":1e999,"e":"\u0000","\u0000":1}}""",
        "dynamic_variables.a:value_error dynamic_variables.b:value_error dynamic_variables.c:value_error dynamic_variables.d:value_error dynamic_variables.e:value_error dynamic_variables:string_unicode")]
    [InlineData("""{"agent_id":"AGENT","dynamic_variables":{"x":1}}""", "dynamic_variables:value_error")]     // the template wants "who"
    [InlineData("""{"agent_id":"AGENT","agent_overrides":1}""", "agent_overrides:dict_type")]
    [InlineData("""{"agent_id":"AGENT","agent_overrides":{"tts_params":"x","prompt":"y"}}""", "agent_overrides.prompt:extra_forbidden agent_overrides.tts_params:dict_type")]
    [InlineData("""{"agent_id":"AGENT","agent_overrides":{"tts_params":{"voice_id":null,"model":"eleven","language":"tlh","temperature":-0.1,"top_p":1.1,"dictionary_id":3,"speed":1}}}""",
        "agent_overrides.tts_params.speed:extra_forbidden agent_overrides.tts_params.model:enum agent_overrides.tts_params.dictionary_id:string_type agent_overrides.tts_params.language:enum "
        + "agent_overrides.tts_params.voice_id:string_type agent_overrides.tts_params.temperature:greater_than_equal agent_overrides.tts_params.top_p:less_than_equal")]
    [InlineData("""{"agent_id":"AGENT","agent_overrides":{"tts_params":{"temperature":2.01,"top_p":-1}}}""",
        "agent_overrides.tts_params.temperature:less_than_equal agent_overrides.tts_params.top_p:greater_than_equal")]
    [InlineData("""{"agent_id":"AGENT","agent_overrides":{"tts_params":{"temperature":"1","top_p":true}}}""", "agent_overrides.tts_params.temperature:float_type agent_overrides.tts_params.top_p:float_type")]
    [InlineData("""{"agent_id":"AGENT","agent_overrides":{"tts_params":{"temperature":1e999}}}""", "agent_overrides.tts_params.temperature:finite_number")]
    [InlineData("""{"agent_id":"AGENT","dynamic_variables":{"who":"x"},"agent_overrides":{"tts_params":{"voice_id":"No-Such-Voice"}}}""", "agent_overrides.tts_params.voice_id:value_error")]
    public async Task BadInput_Is422WithEveryPlace(string body, string expected)
    {
        using var api = await silo.CreateClientAsync();
        var agentId = await AgentAsync(api, """{"systemPrompt":"Hi {{who}}"}""");
        var answer = await SendAsync(api, Route, body.Replace("AGENT", agentId, StringComparison.Ordinal));
        Assert.Equal(422, answer.Status);
        var problems = answer.Json.GetProperty("detail").EnumerateArray().ToList();
        Assert.Equal(expected, string.Join(' ', problems.Select(problem =>
        {
            var place = problem.GetProperty("loc").EnumerateArray().Select(part => part.GetString()).ToList();
            Assert.Equal("body", place[0]);
            Assert.NotEmpty(problem.GetProperty("msg").GetString()!);
            return $"{string.Join('.', place.Skip(1))}:{problem.GetProperty("type").GetString()}";
        })));
        Assert.Equal(0, (await api.GetAsync("/api/calls")).Json.GetProperty("total").GetInt32());
    }

    [Theory]
    [InlineData(null, "not_authenticated")]
    [InlineData("Basic eDp5", "not_authenticated")]
    [InlineData("Bearer", "not_authenticated")]
    [InlineData("Bearer x", "authentication_failed")]
    [InlineData("Bearer Zk9Ht7Lm.wX7pN9fM3kLj6tRq2bGhA8yE5cZvD4sT", "authentication_failed")]
    public async Task WithoutAKeyThatHolds_401(string? authorization, string code)
    {
        using var http = new HttpClient { BaseAddress = silo.Address };
        using var request = new HttpRequestMessage(HttpMethod.Post, Route) { Content = Json("""{"agent_id":"x"}""") };
        if (authorization is not null) request.Headers.TryAddWithoutValidation("Authorization", authorization);
        using var answer = await http.SendAsync(request, SiloFixture.Cancel);
        var reply = await ApiReply.ReadAsync(answer);
        Assert.Equal((401, code), (reply.Status, reply.Json.GetProperty("code").GetString()));
        Assert.Equal("Bearer", answer.Headers.WwwAuthenticate.Single().Scheme);
    }

    [Fact]
    public async Task AnAgentOfAnotherAccount_IsNotThere()
    {
        using var api = await silo.CreateClientAsync();
        using var other = await silo.CreateClientAsync();
        foreach (var id in new[] { await AgentAsync(other, "{}"), Guid.NewGuid().ToString(), "nonsense" })
        {
            var answer = await SendAsync(api, Route, $$"""{"agent_id":"{{id}}"}""");
            Assert.Equal((404, "agent_not_found"), (answer.Status, answer.Json.GetProperty("code").GetString()));
            Assert.NotEmpty(answer.Json.GetProperty("error").GetString()!);
        }
    }

    [Fact]
    public async Task APlanWhoseMinutesAreUsedUp_402ForEveryNewCall_UntilTheNextCycle()
    {
        using var api = await silo.CreateClientAsync("one_minute");
        var agentId = await AgentAsync(api, "{}");
        await AddCallAsync(api, DateTimeOffset.UtcNow.AddDays(-40), TimeSpan.FromHours(1));      // of an earlier cycle
        await AddCallAsync(api, DateTimeOffset.UtcNow, TimeSpan.FromSeconds(49));
        Assert.Equal(200, (await SendAsync(api, Route, $$"""{"agent_id":"{{agentId}}"}""")).Status);
        await AddCallAsync(api, DateTimeOffset.UtcNow, TimeSpan.FromSeconds(1));        // billed as 6 s
        var refused = await SendAsync(api, Route, $$"""{"agent_id":"{{agentId}}"}""");
        Assert.Equal((402, "insufficient_credits", "Insufficient credits"),
            (refused.Status, refused.Json.GetProperty("code").GetString(), refused.Json.GetProperty("error").GetString()));
        Assert.StartsWith("The plan's 1 minutes of this billing cycle", refused.Json.GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.Equal(402, (await api.PostAsync("/api/calls", "{}")).Status);
        Assert.Equal(422, (await SendAsync(api, Route, "{}")).Status);      // mistakes first
    }

    [Fact]
    public async Task TheEndToken_FreesTheCallsPlaceAtOnce_AndDoesNothingElse()
    {
        using var api = await silo.CreateClientAsync("two_calls");
        using var stranger = new HttpClient { BaseAddress = silo.Address };
        var agentId = await AgentAsync(api, "{}");
        var (first, second) = (await DetailsAsync(), await DetailsAsync());
        Assert.Equal((429, "concurrency_limit"), await RefusalAsync(await SendAsync(api, Route, $$"""{"agent_id":"{{agentId}}"}""")));

        var firstEnd = $"/api/v1/calls/{first.CallId}/end";
        foreach (var wrong in new[] { second.EndToken, Forged(first.EndToken), "x", first.ParticipantToken })
            Assert.Equal((401, "authentication_failed"), await RefusalAsync(await PostAsync(stranger, firstEnd, $$"""{"end_token":"{{wrong}}"}""")));
        Assert.Equal(401, (await PostAsync(stranger, firstEnd, "{}")).Status);
        Assert.Equal(401, (await PostAsync(stranger, Route, $$"""{"agent_id":"{{agentId}}"}""", first.EndToken)).Status);
        Assert.Equal(422, (await PostAsync(stranger, firstEnd, """{"end_token":1,"x":2}""")).Status);

        var ended = await PostAsync(stranger, firstEnd, $$"""{"end_token":"{{first.EndToken}}"}""");
        Assert.Equal((200, $$"""{"call_id":"{{first.CallId}}","status":"ended"}"""), (ended.Status, ended.Text));
        var third = await DetailsAsync();
        Assert.Equal(200, (await PostAsync(stranger, firstEnd, "", first.EndToken)).Status);       // again, as a bearer token
        Assert.Equal("unjoined", (await api.GetAsync($"/api/calls/{first.CallId}")).Json.GetProperty("endReason").GetString());
        Assert.Equal(JsonValueKind.Null, (await api.GetAsync($"/api/calls/{third.CallId}")).Json.GetProperty("ended").ValueKind);

        Assert.Equal(204, (await api.DeleteAsync($"/api/calls/{first.CallId}")).Status);
        Assert.Equal((404, "call_not_found"), await RefusalAsync(await PostAsync(stranger, firstEnd, $$"""{"end_token":"{{first.EndToken}}"}""")));

        async Task<(string CallId, string EndToken, string ParticipantToken)> DetailsAsync()
        {
            var answer = await SendAsync(api, Route, $$"""{"agent_id":"{{agentId}}"}""");
            Assert.True(answer.Status == 200, answer.Text);
            return (answer.Json.GetProperty("call_id").GetString()!, answer.Json.GetProperty("end_token").GetString()!, answer.Json.GetProperty("participant_token").GetString()!);
        }
    }

    [Fact]
    public async Task AKeyOfTheAccount_EndsACallThatIsTalking()
    {
        using var api = await live.CreateClientAsync();
        using var other = await live.CreateClientAsync();
        await using var call = await LiveCall.JoinAsync(api, LiveCall.Request(null, """{"firstSpeakerSettings":{"user":{}}}"""));
        await call.WaitForStateAsync("listening");
        Assert.Equal(404, (await SendAsync(other, $"/api/v1/calls/{call.CallId}/end", "{}")).Status);
        Assert.Equal(200, (await SendAsync(api, $"/api/v1/calls/{call.CallId}/end", "{}")).Status);
        var ended = (await api.GetAsync($"/api/calls/{call.CallId}")).Json;      // by now, not a moment later
        Assert.Equal("hangup", ended.GetProperty("endReason").GetString());
    }

    private static async Task<string> AgentAsync(ApiClient api, string template)
    {
        var made = await api.PostAsync("/api/agents", $$"""{"name":"a","callTemplate":{{template}}}""");
        Assert.True(made.Status == 201, made.Text);
        return made.Json.GetProperty("agentId").GetString()!;
    }

    private static async Task<ApiReply> SendAsync(ApiClient api, string path, string body)
    {
        using var http = new HttpClient { BaseAddress = api.Http.BaseAddress };
        return await PostAsync(http, path, body, api.Key);
    }

    private static async Task<ApiReply> PostAsync(HttpClient http, string path, string body, string? bearer = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = body.Length == 0 ? null : Json(body) };
        if (bearer is not null) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", bearer);
        using var answer = await http.SendAsync(request, SiloFixture.Cancel);
        return await ApiReply.ReadAsync(answer);
    }

    /// <summary>A token whose signature differs in one character that counts whole: of the last one some bits do not.</summary>
    private static string Forged(string token) => token[..^3] + (token[^3] == 'A' ? 'B' : 'A') + token[^2..];

    private static Task<(int, string?)> RefusalAsync(ApiReply reply)
    {
        Assert.True(reply.Json.TryGetProperty("code", out var code), $"{reply.Status} {reply.Text}");
        return Task.FromResult((reply.Status, code.GetString()));
    }

    private async Task AddCallAsync(ApiClient api, DateTimeOffset ended, TimeSpan length)
    {
        await using var command = silo.Services.GetRequiredService<NpgsqlDataSource>().CreateCommand(
            "insert into calls (call_id, account_id, created, joined, ended, metadata, summary_pending, document) values ($1, $2, $3, $3, $4, '{}', false, '{}')");
        command.Parameters.Add(new() { Value = Guid.NewGuid().ToString() });
        command.Parameters.Add(new() { Value = api.Account.AccountId.ToString() });
        command.Parameters.Add(new() { Value = ended - length });
        command.Parameters.Add(new() { Value = ended });
        await command.ExecuteNonQueryAsync(SiloFixture.Cancel);
    }

    private static StringContent Json(string text) => new(text, Encoding.UTF8, "application/json");
}
