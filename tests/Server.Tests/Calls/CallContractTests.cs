using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Orleans;
using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.Grains.Calls;
using VoiceGrains.Server.Tests.Contract;
using VoiceGrains.Server.Tests.Hosting;

namespace VoiceGrains.Server.Tests.Calls;

/// <summary>Every answer about calls, judged by the published API description.</summary>
public sealed class CallContractTests(SiloFixture silo)
{
    private const string Everything = """
        {"systemPrompt":"Be brief.","temperature":0.5,"model":"ultravox-v0.7","voice":"Jessica","languageHint":"en","joinTimeout":"90s","maxDuration":"10.5s",
         "timeExceededMessage":"Bye","inactivityMessages":[{"duration":"10s","message":"Hello?","endBehavior":"END_BEHAVIOR_HANG_UP_SOFT"}],
         "medium":{"serverWebSocket":{"inputSampleRate":16000,"outputSampleRate":8000,"clientBufferSizeMs":200,"dataMessages":{"pong":false},"mediaIdleTimeout":"30s"}},
         "recordingEnabled":true,"firstSpeakerSettings":{"user":{"fallback":{"delay":"5s","text":"Anyone?"}}},"transcriptOptional":false,
         "initialOutputMedium":"MESSAGE_MEDIUM_TEXT","vadSettings":{"turnEndpointDelay":"0.5s"},"metadata":{"source":"test"},"initialState":{"n":[1]},
         "experimentalSettings":{"a":1},"dataConnection":{"websocketUrl":"wss://data.example/","headers":{"A":"b"},"audioConfig":{"sampleRate":16000}},
         "callbacks":{"joined":{"url":"https://hooks.example/","secrets":["s3cret"]}},"retentionPolicy":"CALL_RETENTION_POLICY_RETAIN",
         "initialMessages":[{"role":"MESSAGE_ROLE_USER","text":"Hi"},{"role":"MESSAGE_ROLE_TOOL_CALL","text":"{}","invocationId":"1","toolName":"look","metadata":{"a":1}}],
         "selectedTools":[{"toolName":"hangUp"},{"temporaryTool":{"modelToolName":"look","description":"Looks.",
            "dynamicParameters":[{"name":"where","location":"PARAMETER_LOCATION_QUERY","schema":{"type":"string"},"required":true}],
            "requirements":{"httpSecurityOptions":{"options":[{"requirements":{"key":{"headerApiKey":{"name":"X-Key"}}}}]}},
            "http":{"baseUrlPattern":"https://tools.example/look","httpMethod":"GET"}},"authTokens":{"key":"t0ken"}}]}
        """;

    [Theory]
    [InlineData("{}")]
    [InlineData(Everything)]
    [InlineData("""{"externalVoice":{"generic":{"url":"https://tts.example/","headers":{"A":"b"},"body":{"t":"{text}"},"responseSampleRate":8000}}}""")]
    public async Task EveryAnswerMatchesItsDescription(string body)
    {
        using var client = await silo.CreateClientAsync();
        var created = await client.PostAsync("/api/calls", body);
        Assert.Equal(201, created.Status);
        await OpenApiContract.AssertMatchesAsync("Call", created.Json);
        var callId = created.Json.GetProperty("callId").GetString()!;
        await LiveAndEndAsync(callId, created.Json.GetProperty("joinUrl").GetString()!.Split('/')[^1]);

        var path = "/api/calls/" + callId;
        await AssertAsync(path, "Call");
        await AssertAsync("/api/calls", "PaginatedCallList");
        await AssertAsync(path + "/messages", "Paginatedultravox.v1.MessageList");
        await AssertAsync(path + "/messages?mode=in_call", "Paginatedultravox.v1.MessageList");
        await AssertAsync(path + "/events?minimum_severity=debug", "PaginatedCallEventList");
        var stages = await AssertAsync(path + "/stages", "PaginatedCallStageList");
        var stage = path + "/stages/" + stages.GetProperty("results")[0].GetProperty("callStageId").GetString();
        await AssertAsync(stage, "CallStage");
        await AssertAsync(stage + "/messages", "Paginatedultravox.v1.MessageList");
        foreach (var tools in (string[])[path + "/tools", stage + "/tools"])
        {
            foreach (var tool in (await client.GetAsync(tools)).Json.EnumerateArray()) await OpenApiContract.AssertMatchesAsync("CallTool", tool);
        }
        await client.DeleteAsync(path);
        await AssertAsync("/api/deleted_calls", "PaginatedCallTombstoneList");
        await AssertAsync("/api/deleted_calls/" + callId, "CallTombstone");

        async Task<JsonElement> AssertAsync(string url, string schema)
        {
            var reply = await client.GetAsync(url);
            Assert.Equal(200, reply.Status);
            Assert.DoesNotContain("s3cret", reply.Text, StringComparison.Ordinal);
            Assert.DoesNotContain("t0ken", reply.Text, StringComparison.Ordinal);
            await OpenApiContract.AssertMatchesAsync(schema, reply.Json);
            return reply.Json;
        }
    }

    private async Task LiveAndEndAsync(string callId, string token)
    {
        var grain = silo.Services.GetRequiredService<IGrainFactory>().GetGrain<ICallGrain>(callId);
        var journal = silo.Services.GetRequiredService<ICallJournal>();
        var stage = (await grain.JoinAsync(token, "test 1")).Stage.CallStageId;
        journal.Write(callId, 1, new Message
        {
            Role = MessageRole.ToolResult, Text = "no", InvocationId = "2", ToolName = "look", ErrorDetails = "HTTP 500", CallStageId = stage,
            CallStageMessageIndex = 2, CallState = new() { ["n"] = 2 }, Medium = MessageMedium.Voice,
            Timespan = new(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2)), WallClockTimespan = new(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2.5)),
        });
        journal.Write(1, new CallEvent(callId, stage, TimeSpan.FromSeconds(1), Severity.Debug, "test", "A test.", new() { ["a"] = 1 }, TimeSpan.FromSeconds(1.5)));
        await journal.FlushAsync(callId, SiloFixture.Cancel);
        await grain.EndAsync(new CallOutcome(EndReason.AgentHangup));
    }
}
