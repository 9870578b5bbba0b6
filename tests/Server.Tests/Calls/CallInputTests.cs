using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using VoiceGrains.Server.Tests.Hosting;

namespace VoiceGrains.Server.Tests.Calls;

/// <summary>Requests that break the contract of calls: each is told what is wrong and where, and nothing is created.</summary>
public sealed class CallInputTests(SiloFixture silo)
{
    private const string Websocket = """{"medium":{"serverWebSocket":{"inputSampleRate":16000}}}""";

    [Theory]
    [InlineData("""{"sytemPrompt":"x"}""", """{"sytemPrompt":["Unknown field."]}""")]
    [InlineData("""{"systemPrompt":5}""", """{"systemPrompt":["Not a valid string."]}""")]
    [InlineData("""{"temperature":"0.5"}""", """{"temperature":["A valid number is required."]}""")]
    [InlineData("""{"temperature":1.5}""", """{"temperature":["Must be between 0 and 1."]}""")]
    [InlineData("""{"joinTimeout":"30"}""", """{"joinTimeout":["Duration has wrong format. Use seconds with an 's', such as \"30s\" or \"1.5s\"."]}""")]
    [InlineData("""{"joinTimeout":"-1s"}""", """{"joinTimeout":["Must be between 0s and 86400s."]}""")]
    [InlineData("""{"maxDuration":"1000000s"}""", """{"maxDuration":["Must be between 0s and 86400s."]}""")]
    [InlineData("""{"recordingEnabled":"yes"}""", """{"recordingEnabled":["Must be a valid boolean."]}""")]
    [InlineData("""{"medium":{"serverWebSocket":{}}}""", """{"medium":{"serverWebSocket":{"inputSampleRate":["This field is required."]}}}""")]
    [InlineData("""{"medium":{"serverWebSocket":{"inputSampleRate":7999}}}""", """{"medium":{"serverWebSocket":{"inputSampleRate":["Must be between 8000 and 48000 Hz."]}}}""")]
    [InlineData("""{"medium":{"serverWebSocket":{"inputSampleRate":48001}}}""", """{"medium":{"serverWebSocket":{"inputSampleRate":["Must be between 8000 and 48000 Hz."]}}}""")]
    [InlineData("""{"medium":{"twilio":{}}}""", """{"medium":{"twilio":["This medium is not available on this server yet. Use 'webRtc' or 'serverWebSocket'."]}}""")]
    [InlineData("""{"medium":{"sip":{"outgoing":{"to":"sip:a@b"}}}}""", """{"medium":{"sip":["This medium is not available on this server yet. Use 'webRtc' or 'serverWebSocket'."]}}""")]
    [InlineData("""{"firstSpeakerSettings":{}}""", """{"firstSpeakerSettings":{"non_field_errors":["One of 'user' and 'agent' must be set."]}}""")]
    [InlineData("""{"firstSpeaker":"FIRST_SPEAKER_USER","firstSpeakerSettings":{"agent":{}}}""", """{"firstSpeaker":["Must match 'firstSpeakerSettings' where both are set."]}""")]
    [InlineData("""{"vadSettings":{"frameActivationThreshold":0.05}}""", """{"vadSettings":{"frameActivationThreshold":["Must be between 0.1 and 1."]}}""")]
    [InlineData("""{"vadSettings":{"turnEndpointDelay":"-0.1s"}}""", """{"vadSettings":{"turnEndpointDelay":["Must be between 0s and 10s."]}}""")]
    [InlineData("""{"metadata":{"a":1}}""", """{"metadata":{"a":["Not a valid string."]}}""")]
    [InlineData("""{"metadata":{"ultravox.x":"1"}}""", """{"metadata":{"ultravox.x":["Keys may not start with \"ultravox.\"."]}}""")]
    [InlineData("""{"voiceOverrides":{"generic":{"url":"https://a.example/","body":{"t":"{text}"}}}}""", """{"voiceOverrides":["Only valid when 'voice' is set."]}""")]
    [InlineData("""{"initialOutputMedium":"voice"}""", """{"initialOutputMedium":["\"voice\" is not a valid choice."]}""")]
    [InlineData("""{"initialMessages":[{"role":"MESSAGE_ROLE_USER","text":"a"},{"text":"b"}]}""", """{"initialMessages":[{},{"role":["This field is required."]}]}""")]
    [InlineData("""{"inactivityMessages":[{"message":"x"}]}""", """{"inactivityMessages":[{"duration":["This field is required."]}]}""")]
    [InlineData("""{"initialState":[]}""", """{"initialState":["Expected a dictionary of items but got type \"list\"."]}""")]
    [InlineData("""{"selectedTools":[{}]}""", """{"selectedTools":[{"non_field_errors":["One of 'toolId', 'toolName' and 'temporaryTool' must be set."]}]}""")]
    [InlineData("[]", """{"non_field_errors":["Invalid data. Expected a dictionary, but got list."]}""")]
    public async Task Create_RefusesAndSaysWhere(string body, string expected)
    {
        using var client = await silo.CreateClientAsync();
        var reply = await client.PostAsync("/api/calls", body);
        Assert.Equal((400, expected), (reply.Status, reply.Text));
        Assert.Equal(0, (await client.GetAsync("/api/calls")).Json.GetProperty("total").GetInt32());
    }

    /// <summary>The words are shared with agents; here only where they stand counts.</summary>
    [Theory]
    [InlineData("""{"model":"gpt-nine"}""", "model")]
    [InlineData("""{"model":"{{model}}"}""", "model")]
    [InlineData("""{"voice":"Nobody"}""", "voice")]
    [InlineData("""{"voice":"{{voice}}"}""", "voice")]
    [InlineData("""{"languageHint":"{{language}}"}""", "languageHint")]
    [InlineData("""{"externalVoice":{"generic":{"url":"{{url}}","body":{"t":"{text}"}}}}""", "externalVoice")]
    [InlineData("""{"externalVoice":{"generic":{"url":"https://127.0.0.1/","body":{"t":"{text}"}}}}""", "externalVoice")]
    [InlineData("""{"externalVoice":{"elevenLabs":{"voiceId":"x"}}}""", "externalVoice")]
    [InlineData("""{"voice":"Mark","externalVoice":{"generic":{"url":"https://a.example/","body":{"t":"{text}"}}}}""", "non_field_errors")]
    [InlineData("""{"medium":{"webRtc":{},"serverWebSocket":{"inputSampleRate":8000}}}""", "medium")]
    [InlineData("""{"selectedTools":[{"toolName":"noSuchTool"}]}""", "selectedTools")]
    [InlineData("""{"selectedTools":[{"toolName":"hangUp"},{"toolName":"hangUp"}]}""", "selectedTools")]
    [InlineData("""{"selectedTools":[{"temporaryTool":{"modelToolName":"a b","client":{}}}]}""", "selectedTools")]
    [InlineData("""{"selectedTools":[{"temporaryTool":{"modelToolName":"t","client":{},"timeout":"41s"}}]}""", "selectedTools")]
    [InlineData("""{"languageHint":"a-language-far-too-long"}""", "languageHint")]
    public async Task Create_RefusesWhatIsUnknownOrContradictory(string body, string field)
    {
        using var client = await silo.CreateClientAsync();
        var reply = await client.PostAsync("/api/calls", body);
        Assert.Equal(400, reply.Status);
        Assert.Equal(field, Assert.Single(reply.Json.EnumerateObject()).Name);
        Assert.Equal(0, (await client.GetAsync("/api/calls")).Json.GetProperty("total").GetInt32());
    }

    [Theory]
    [InlineData("?enableGreetingPrompt=maybe", "enableGreetingPrompt")]
    [InlineData("?priorCallId=7", "priorCallId")]
    [InlineData("?priorCallId=00000000-0000-0000-0000-000000000000", "priorCallId")]
    [InlineData("?throttle=none", "throttle")]
    public async Task Create_RefusesBadParameters(string query, string field)
    {
        using var client = await silo.CreateClientAsync();
        var reply = await client.PostAsync("/api/calls" + query, Websocket);
        Assert.Equal(400, reply.Status);
        Assert.Equal(field, Assert.Single(reply.Json.EnumerateObject()).Name);
    }

    [Theory]
    [InlineData("pageSize=0", 400)]
    [InlineData("pageSize=x", 400)]
    [InlineData("cursor=x", 404)]
    [InlineData("cursor=WyItY3JlYXRlZCIsImYiLCJub3doZXJlIiwibm9uZSJd", 404)]       // ["-created","f","nowhere","none"]
    [InlineData("sort=price", 400)]
    [InlineData("agentIds=1", 400)]
    [InlineData("fromDate=yesterday", 400)]
    [InlineData("toDate=2026-13-01", 400)]
    [InlineData("durationMin=300", 400)]
    [InlineData("durationMax=-1s", 400)]
    [InlineData("timeOfDayStart=25:00:00", 400)]
    [InlineData("timeOfDayStart=08:00:00+25:00", 400)]
    [InlineData("timeOfDayStart=08:00:00 PM", 400)]
    [InlineData("search=%00", 400)]
    [InlineData("metadata.a=%00", 400)]
    [InlineData("voiceId=no-such-voice", 400)]
    [InlineData("fromDate=2026-01-01&toDate=2026-01-31T10:00:00%2B02:00&durationMin=1.5s&sort=-duration&timeOfDayStart=22:00:00&timeOfDayEnd=06:00", 200)]
    [InlineData("sort=joined&search=%25_%5C", 200)]
    public async Task List_ChecksItsParameters(string query, int status)
    {
        using var client = await silo.CreateClientAsync();
        Assert.Equal(status, (await client.GetAsync("/api/calls?" + query)).Status);
        if (status == 200) Assert.Equal(200, (await client.GetAsync("/api/deleted_calls?" + query)).Status);
    }

    [Theory]
    [InlineData("x")]
    [InlineData("00000000-0000-0000-0000-000000000000")]
    [InlineData("'; drop table calls; --")]
    public async Task UnknownIds_AreNotFound(string callId)
    {
        using var client = await silo.CreateClientAsync();
        string[] reads = ["", "/messages", "/events", "/stages", "/stages/x", "/stages/x/messages", "/tools", "/recording"];
        foreach (var read in reads) Assert.Equal(404, (await client.GetAsync($"/api/calls/{callId}{read}")).Status);
        Assert.Equal(404, (await client.DeleteAsync($"/api/calls/{callId}")).Status);
        Assert.Equal(404, (await client.PostAsync($"/api/calls/{callId}/send_data_message", """{"type":"hang_up"}""")).Status);
        Assert.Equal(404, (await client.GetAsync($"/api/deleted_calls/{callId}")).Status);
    }

    [Fact]
    public async Task PartsOfACall_CheckTheirParameters()
    {
        using var client = await silo.CreateClientAsync();
        var callId = (await client.PostAsync("/api/calls", Websocket)).Json.GetProperty("callId").GetString();
        Assert.Equal(400, (await client.GetAsync($"/api/calls/{callId}/messages?mode=all")).Status);
        Assert.Equal(400, (await client.GetAsync($"/api/calls/{callId}/events?minimum_severity=fatal")).Status);
        Assert.Equal(404, (await client.GetAsync($"/api/calls/{callId}/messages?cursor=x")).Status);
        Assert.Equal(405, (await client.PatchAsync($"/api/calls/{callId}", "{}")).Status);
    }

    [Fact]
    public async Task OverTheConcurrencyLimit_429()
    {
        using var client = await silo.CreateClientAsync();
        await using (var allowOne = silo.Services.GetRequiredService<NpgsqlDataSource>().CreateCommand("update accounts set allowed_concurrent_calls = 1 where account_id = $1"))
        {
            allowOne.Parameters.Add(new() { Value = client.Account.AccountId });
            await allowOne.ExecuteNonQueryAsync(SiloFixture.Cancel);
        }
        var first = await client.PostAsync("/api/calls", Websocket);
        Assert.Equal(201, first.Status);
        var second = await client.PostAsync("/api/calls", Websocket);
        Assert.Equal((429, "concurrency_limit"), (second.Status, second.Json.GetProperty("code").GetString()));
        Assert.NotNull(second.Headers.RetryAfter);
        await client.DeleteAsync("/api/calls/" + first.Json.GetProperty("callId").GetString());
        Assert.Equal(201, (await client.PostAsync("/api/calls", Websocket)).Status);
    }
}
