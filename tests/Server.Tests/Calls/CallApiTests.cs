using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Orleans;
using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.Grains.Calls;
using VoiceGrains.Server.Tests.Hosting;

namespace VoiceGrains.Server.Tests.Calls;

/// <summary>Calls over REST, without media: created, listed, read and deleted.</summary>
public sealed class CallApiTests(SiloFixture silo)
{
    [Fact]
    public async Task Create_AnswersTheCallWithDefaultsAndAJoinUrl()
    {
        using var client = await silo.CreateClientAsync();
        var created = await client.PostAsync("/api/calls", "{}");
        Assert.Equal(201, created.Status);
        var call = created.Json;
        Assert.Equal("30s", call.GetProperty("joinTimeout").GetString());
        Assert.Equal("3600s", call.GetProperty("maxDuration").GetString());
        Assert.Equal("""{"webRtc":{}}""", call.GetProperty("medium").GetRawText());
        Assert.Equal("""{"agent":{}}""", call.GetProperty("firstSpeakerSettings").GetRawText());
        Assert.Equal("FIRST_SPEAKER_AGENT", call.GetProperty("firstSpeaker").GetString());
        Assert.Equal("ultravox-v0.7", call.GetProperty("model").GetString());
        Assert.Equal("BILLING_STATUS_PENDING", call.GetProperty("billingStatus").GetString());
        Assert.Matches($"^ws://127\\.0\\.0\\.1:{silo.Address.Port}/calls/{CallId(call)}/join/[A-Za-z0-9_-]{{43}}$", call.GetProperty("joinUrl").GetString());

        var read = await client.GetAsync($"/api/calls/{CallId(call)}");
        Assert.Equal(200, read.Status);
        Assert.Equal(JsonValueKind.Null, read.Json.GetProperty("joinUrl").ValueKind);      // its token is not kept
        foreach (var property in call.EnumerateObject().Where(property => property.Name != "joinUrl"))
            Assert.Equal(property.Value.GetRawText(), read.Json.GetProperty(property.Name).GetRawText());
    }

    [Fact]
    public async Task Create_KeepsWhatWasAskedFor()
    {
        using var client = await silo.CreateClientAsync();
        const string body = """
            {"systemPrompt":"Be brief.","temperature":0.5,"model":"ultravox-v0.7","languageHint":"en","joinTimeout":"90s","maxDuration":"10.5s",
             "timeExceededMessage":"Bye","inactivityMessages":[{"duration":"10s","message":"Hello?","endBehavior":"END_BEHAVIOR_HANG_UP_SOFT"}],
             "medium":{"serverWebSocket":{"inputSampleRate":16000,"outputSampleRate":8000}},"recordingEnabled":true,"firstSpeaker":"FIRST_SPEAKER_USER",
             "initialOutputMedium":"MESSAGE_MEDIUM_TEXT","vadSettings":{"turnEndpointDelay":"0.5s"},"metadata":{"source":"test"},"initialState":{"n":1},
             "initialMessages":[{"role":"MESSAGE_ROLE_USER","text":"Hi"},{"role":"MESSAGE_ROLE_AGENT","text":"Hello"}],
             "selectedTools":[{"toolName":"hangUp"},{"temporaryTool":{"modelToolName":"look","description":"Looks.","client":{}}}]}
            """;
        var call = (await client.PostAsync("/api/calls", body)).Json;
        Assert.Equal("Be brief.", call.GetProperty("systemPrompt").GetString());
        Assert.Equal(0.5, call.GetProperty("temperature").GetDouble());
        Assert.Equal("90s", call.GetProperty("joinTimeout").GetString());
        Assert.Equal("10.5s", call.GetProperty("maxDuration").GetString());
        Assert.Equal("""{"serverWebSocket":{"inputSampleRate":16000,"outputSampleRate":8000}}""", call.GetProperty("medium").GetRawText());
        Assert.Equal("""{"user":{}}""", call.GetProperty("firstSpeakerSettings").GetRawText());
        Assert.Equal("MESSAGE_MEDIUM_TEXT", call.GetProperty("initialOutputMedium").GetString());
        Assert.Equal("""{"turnEndpointDelay":"0.5s","minimumTurnDuration":"0s","minimumInterruptionDuration":"0.09s","frameActivationThreshold":0.1}""", call.GetProperty("vadSettings").GetRawText());
        Assert.Equal("""{"source":"test"}""", call.GetProperty("metadata").GetRawText());
        Assert.Equal("""{"n":1}""", call.GetProperty("initialState").GetRawText());

        var messages = (await client.GetAsync($"/api/calls/{CallId(call)}/messages")).Json;
        Assert.Equal(["Hi", "Hello"], Results(messages).Select(message => message.GetProperty("text").GetString()));
        Assert.Equal([0, 1], Results(messages).Select(message => message.GetProperty("callStageMessageIndex").GetInt32()));
        Assert.Empty(Results((await client.GetAsync($"/api/calls/{CallId(call)}/messages?mode=in_call")).Json));

        var tools = (await client.GetAsync($"/api/calls/{CallId(call)}/tools")).Json;
        Assert.Equal(["hangUp", "look"], tools.EnumerateArray().Select(tool => tool.GetProperty("name").GetString()));

        var stage = Assert.Single(Results((await client.GetAsync($"/api/calls/{CallId(call)}/stages")).Json));
        var stageId = stage.GetProperty("callStageId").GetString();
        Assert.Equal("Be brief.", stage.GetProperty("systemPrompt").GetString());
        Assert.Equal(stage.GetRawText(), (await client.GetAsync($"/api/calls/{CallId(call)}/stages/{stageId}")).Json.GetRawText());
        Assert.Equal(2, Results((await client.GetAsync($"/api/calls/{CallId(call)}/stages/{stageId}/messages")).Json).Count);
        Assert.Equal(2, (await client.GetAsync($"/api/calls/{CallId(call)}/stages/{stageId}/tools")).Json.GetArrayLength());
    }

    [Theory]
    [InlineData("Say {{ and }} and {{#each}} and {{}}.")]
    [InlineData("{{name}")]
    [InlineData("\uD83D\uDE00 ' \\ \" <b>")]
    public async Task Words_ArriveAsTheyAre(string words)
    {
        using var client = await silo.CreateClientAsync();
        var body = JsonSerializer.Serialize(new
        {
            systemPrompt = words, timeExceededMessage = words, metadata = new Dictionary<string, string> { [words] = words },
            initialMessages = new[] { new { role = "MESSAGE_ROLE_USER", text = words } },
        });
        var created = await client.PostAsync("/api/calls", body);
        Assert.Equal(201, created.Status);
        Assert.Equal(words, created.Json.GetProperty("systemPrompt").GetString());
        var call = (await client.GetAsync($"/api/calls/{CallId(created.Json)}")).Json;
        Assert.Equal(words, call.GetProperty("systemPrompt").GetString());
        Assert.Equal(words, call.GetProperty("timeExceededMessage").GetString());
        Assert.Equal(words, call.GetProperty("metadata").GetProperty(words).GetString());
        Assert.Equal(words, Assert.Single(Results((await client.GetAsync($"/api/calls/{CallId(call)}/messages")).Json)).GetProperty("text").GetString());
        Assert.Equal(CallId(call), Assert.Single(Results((await client.GetAsync($"/api/calls?metadata.{Uri.EscapeDataString(words)}={Uri.EscapeDataString(words)}")).Json)).GetProperty("callId").GetString());
    }

    [Fact]
    public async Task JoiningAndEnding_AreSeenOverRest()
    {
        using var client = await silo.CreateClientAsync();
        var call = (await client.PostAsync("/api/calls", "{}")).Json;
        var grain = silo.Services.GetRequiredService<IGrainFactory>().GetGrain<ICallGrain>(CallId(call));
        await grain.JoinAsync(TokenOf(call), "test 1.0");
        var joined = (await client.GetAsync($"/api/calls/{CallId(call)}")).Json;
        Assert.NotEqual(JsonValueKind.Null, joined.GetProperty("joined").ValueKind);
        Assert.Equal("test 1.0", joined.GetProperty("clientVersion").GetString());

        await grain.EndAsync(new CallOutcome(EndReason.Hangup));
        var ended = (await client.GetAsync($"/api/calls/{CallId(call)}")).Json;
        Assert.Equal("hangup", ended.GetProperty("endReason").GetString());
        Assert.Equal("6s", ended.GetProperty("billedDuration").GetString());
        Assert.Equal("BILLING_STATUS_BILLED", ended.GetProperty("billingStatus").GetString());
    }

    [Fact]
    public async Task Delete_LeavesOnlyATombstone()
    {
        using var client = await silo.CreateClientAsync();
        var call = (await client.PostAsync("/api/calls", """{"initialMessages":[{"role":"MESSAGE_ROLE_USER","text":"Hi"}]}""")).Json;
        var path = $"/api/calls/{CallId(call)}";
        Assert.Equal(404, (await client.GetAsync("/api/deleted_calls/" + CallId(call))).Status);
        Assert.Equal(204, (await client.DeleteAsync(path)).Status);
        foreach (var gone in (string[])["", "/messages", "/events", "/stages", "/tools", "/recording"]) Assert.Equal(404, (await client.GetAsync(path + gone)).Status);
        Assert.Equal(404, (await client.DeleteAsync(path)).Status);

        var tombstone = (await client.GetAsync("/api/deleted_calls/" + CallId(call))).Json;
        Assert.Equal(CallId(call), tombstone.GetProperty("callId").GetString());
        Assert.Equal("3600s", tombstone.GetProperty("maxDuration").GetString());
        Assert.False(tombstone.GetProperty("hadSummary").GetBoolean());
        Assert.Equal(tombstone.GetRawText(), Assert.Single(Results((await client.GetAsync("/api/deleted_calls")).Json)).GetRawText());
    }

    [Fact]
    public async Task AnotherAccount_FindsNothing()
    {
        using var owner = await silo.CreateClientAsync();
        using var other = await silo.CreateClientAsync();
        var call = (await owner.PostAsync("/api/calls", "{}")).Json;
        var stage = Assert.Single(Results((await owner.GetAsync($"/api/calls/{CallId(call)}/stages")).Json)).GetProperty("callStageId").GetString();
        var path = $"/api/calls/{CallId(call)}";
        string[] reads = ["", "/messages", "/events", "/stages", $"/stages/{stage}", $"/stages/{stage}/messages", $"/stages/{stage}/tools", "/tools", "/recording"];
        foreach (var read in reads) Assert.Equal(404, (await other.GetAsync(path + read)).Status);
        Assert.Equal(404, (await other.DeleteAsync(path)).Status);
        Assert.Equal(404, (await other.PostAsync(path + "/send_data_message", """{"type":"hang_up"}""")).Status);
        Assert.Equal(400, (await other.PostAsync($"/api/calls?priorCallId={CallId(call)}", "{}")).Status);
        Assert.Empty(Results((await other.GetAsync("/api/calls")).Json));
        Assert.Equal(200, (await owner.GetAsync(path)).Status);
        await owner.DeleteAsync(path);
        Assert.Equal(404, (await other.GetAsync("/api/deleted_calls/" + CallId(call))).Status);
    }

    [Fact]
    public async Task PriorCall_GivesPropertiesAndHistory()
    {
        using var client = await silo.CreateClientAsync();
        const string body = """
            {"systemPrompt":"Be brief.","firstSpeaker":"FIRST_SPEAKER_USER","metadata":{"a":"1"},
             "initialMessages":[{"role":"MESSAGE_ROLE_USER","text":"Hi"}],"selectedTools":[{"toolName":"hangUp"}],"sharedSecrets":["one","two"]}
            """;
        var prior = (await client.PostAsync("/api/calls", body)).Json;
        var grain = silo.Services.GetRequiredService<IGrainFactory>().GetGrain<ICallGrain>(CallId(prior));
        var joined = await grain.JoinAsync(TokenOf(prior), null);
        var journal = silo.Services.GetRequiredService<ICallJournal>();
        journal.Write(CallId(prior), joined.Generation, new Message { Role = MessageRole.Agent, Text = "Hello there", CallStageId = joined.Stage.CallStageId, CallStageMessageIndex = 1 });
        await journal.FlushAsync(CallId(prior), SiloFixture.Cancel);

        var next = (await client.PostAsync($"/api/calls?priorCallId={CallId(prior)}", """{"systemPrompt":"Be long."}""")).Json;
        Assert.Equal("Be long.", next.GetProperty("systemPrompt").GetString());
        Assert.Equal("""{"user":{}}""", next.GetProperty("firstSpeakerSettings").GetRawText());
        Assert.Equal("""{"a":"1"}""", next.GetProperty("metadata").GetRawText());
        var messages = Results((await client.GetAsync($"/api/calls/{CallId(next)}/messages")).Json);
        Assert.Equal(["Hi", "Hello there"], messages.Select(message => message.GetProperty("text").GetString()));
        Assert.Equal("hangUp", Assert.Single((await client.GetAsync($"/api/calls/{CallId(next)}/tools")).Json.EnumerateArray().ToList()).GetProperty("name").GetString());

        Assert.Equal(["one", "two"], await SecretsAsync(next));       // what verified the prior call's requests verifies these
        var other = (await client.PostAsync($"/api/calls?priorCallId={CallId(prior)}", """{"sharedSecrets":["three"]}""")).Json;
        Assert.Equal(["three"], await SecretsAsync(other));

        var refused = await client.PostAsync($"/api/calls?priorCallId={CallId(prior)}", """{"initialMessages":[]}""");
        Assert.Equal((400, """{"initialMessages":["May not be set together with 'priorCallId'."]}"""), (refused.Status, refused.Text));

        async Task<IReadOnlyList<string>> SecretsAsync(JsonElement call)
            => (await silo.Services.GetRequiredService<IGrainFactory>().GetGrain<ICallGrain>(CallId(call)).GetAsync()).Stage.SharedSecrets;
    }

    private static string CallId(JsonElement call) => call.GetProperty("callId").GetString()!;

    private static string TokenOf(JsonElement call) => call.GetProperty("joinUrl").GetString()!.Split('/')[^1];

    private static List<JsonElement> Results(JsonElement page) => [.. page.GetProperty("results").EnumerateArray()];
}
