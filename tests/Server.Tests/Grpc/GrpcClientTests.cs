using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using VoiceGrains.Grains.Calls.LiveEvents;
using VoiceGrains.Server.Tests.Hosting;

namespace VoiceGrains.Server.Tests.Grpc;

/// <summary>@grpc/grpc-js against the server: unary calls, refusals, deadlines, cancellation, compression and sizes.</summary>
public sealed class GrpcClientTests(GrpcSilo silo)
{
    [Fact]
    public async Task Agents_AreCreatedChangedListedAndDeleted()
    {
        using var api = await silo.CreateClientAsync();
        var reply = await NodeClient.RunAsync("agents", silo.GrpcAddress, api.Key);
        var (created, updated) = (reply.GetProperty("created"), reply.GetProperty("updated"));
        Assert.Equal("Ännchen", created.GetProperty("name").GetString());
        Assert.True(Guid.TryParse(created.GetProperty("agentId").GetString(), out _));
        Assert.True(created.GetProperty("created").GetProperty("seconds").GetInt64() > 1_700_000_000);
        Assert.Equal((0.25, 8000, "Hm?"), (created.GetProperty("callTemplate").GetProperty("temperature").GetDouble(),
            created.GetProperty("callTemplate").GetProperty("medium").GetProperty("serverWebSocket").GetProperty("inputSampleRate").GetInt32(),
            created.GetProperty("callTemplate").GetProperty("inactivityMessages")[0].GetProperty("message").GetString()));
        Assert.Equal(("You are {{name}}.", "Mark", 0.0), (updated.GetProperty("callTemplate").GetProperty("systemPrompt").GetString(),
            updated.GetProperty("callTemplate").GetProperty("voice").GetString(), updated.GetProperty("callTemplate").GetProperty("temperature").GetDouble()));
        Assert.Equal(updated.GetRawText(), reply.GetProperty("got").GetRawText());
        Assert.Equal([created.GetProperty("agentId").GetString()], reply.GetProperty("listed").EnumerateArray().Select(id => id.GetString()));
        Assert.Equal((1, 0, 5), (reply.GetProperty("total").GetInt32(), reply.GetProperty("removed").GetInt32(), reply.GetProperty("gone").GetProperty("code").GetInt32()));
    }

    [Fact]
    public async Task Calls_AreCreatedReadAndListed_AsOverRest()
    {
        using var api = await silo.CreateClientAsync();
        var created = await AnswerAsync(api, "Calls", "create", """
            {"systemPrompt":"Hi","temperature":0.5,"maxDuration":{"seconds":90},"metadata":{"order":"7"},"recordingEnabled":true,
             "medium":{"$struct":{"serverWebSocket":{"inputSampleRate":16000}}},"firstSpeakerSettings":{"$struct":{"user":{}}},"initialState":{"$struct":{"step":1,"done":null}}}
            """);
        var callId = created.GetProperty("callId").GetString();
        Assert.StartsWith($"ws://{silo.Address.Authority}/calls/{callId}/join/", created.GetProperty("joinUrl").GetString(), StringComparison.Ordinal);
        var rest = (await api.GetAsync($"/api/calls/{callId}")).Json;
        var got = await AnswerAsync(api, "Calls", "get", $$"""{"callId":"{{callId}}"}""");
        foreach (var call in (JsonElement[])[created, got])
        {
            foreach (var name in (string[])["callId", "billingStatus", "firstSpeaker", "initialOutputMedium", "model", "systemPrompt", "voice", "languageHint", "temperature", "recordingEnabled"])
                Assert.Equal(rest.GetProperty(name).ToString(), call.TryGetProperty(name, out var value) ? value.ToString() : "");
            Assert.Equal((90, "7"), (call.GetProperty("maxDuration").GetProperty("seconds").GetInt32(), call.GetProperty("metadata").GetProperty("order").GetString()));
            Assert.Equal(1, call.GetProperty("initialState").GetProperty("fields").GetProperty("step").GetProperty("numberValue").GetInt32());
            Assert.Equal("FIRST_SPEAKER_USER", call.GetProperty("firstSpeaker").GetString());
        }
        await api.PostAsync("/api/call_throttles", """{"name":"slow","rules":[{"maxCalls":1,"windowSeconds":3600}]}""");
        await AnswerAsync(api, "Calls", "create", """{"metadata":{"order":"8"},"throttle":"slow"}""");
        Assert.Equal(8, (await UnaryAsync(api, "Calls", "create", """{"throttle":"slow"}""")).GetProperty("code").GetInt32());
        var page = await AnswerAsync(api, "Calls", "list", """{"metadata":{"order":"7"},"pageSize":5,"sort":"created"}""");
        Assert.Equal([callId], page.GetProperty("results").EnumerateArray().Select(c => c.GetProperty("callId").GetString()));
        var first = await AnswerAsync(api, "Calls", "list", """{"pageSize":1}""");
        var second = await AnswerAsync(api, "Calls", "list", $$"""{"pageSize":1,"cursor":"{{first.GetProperty("next").GetString()}}"}""");
        Assert.Equal((2, callId), (second.GetProperty("total").GetInt32(), second.GetProperty("results")[0].GetProperty("callId").GetString()));
    }

    [Fact]
    public async Task Calls_OfAnAgent_FillItsTemplate()
    {
        using var api = await silo.CreateClientAsync();
        var agent = (await api.PostAsync("/api/agents", """{"name":"a","callTemplate":{"systemPrompt":"You serve {{who}}."}}""")).Json.GetProperty("agentId").GetString();
        var call = await AnswerAsync(api, "Calls", "create", $$"""{"agentId":"{{agent}}","templateContext":{"$struct":{"who":"Ada"} } }""");
        Assert.Equal(("You serve Ada.", agent), (call.GetProperty("systemPrompt").GetString(), call.GetProperty("agentId").GetString()));
        var refused = await UnaryAsync(api, "Calls", "create", $$"""{"agentId":"{{agent}}","systemPrompt":"x"}""");
        Assert.Equal((3, "systemPrompt: Unknown field."), (refused.GetProperty("code").GetInt32(), refused.GetProperty("message").GetString()));
    }

    [Fact]
    public async Task BadInput_NamesItsFields()
    {
        using var api = await silo.CreateClientAsync();
        var refused = await UnaryAsync(api, "Agents", "create", """{"callTemplate":{"$struct":{"temperature":9,"medium":{"serverWebSocket":{"inputSampleRate":1}},"bogus":true}}}""");
        var rest = await api.PostAsync("/api/agents", """{"callTemplate":{"temperature":9,"medium":{"serverWebSocket":{"inputSampleRate":1}},"bogus":true}}""");
        Assert.Equal(3, refused.GetProperty("code").GetInt32());
        var detail = Assert.Single(refused.GetProperty("details").EnumerateArray());
        Assert.Equal("google.rpc.BadRequest", detail.GetProperty("type").GetString());
        foreach (var violation in detail.GetProperty("fieldViolations").EnumerateArray())
        {
            var node = rest.Json;
            foreach (var name in violation.GetProperty("field").GetString()!.Split('.')) node = node.GetProperty(name);
            Assert.Equal(node[0].GetString(), violation.GetProperty("description").GetString());
        }
        Assert.True(detail.GetProperty("fieldViolations").GetArrayLength() >= 2);
        Assert.StartsWith("callTemplate.", refused.GetProperty("message").GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Calls", "get", """{"callId":"nope"}""", 5, "call_not_found")]
    [InlineData("Calls", "get", "{}", 5, "call_not_found")]
    [InlineData("Agents", "delete", """{"agentId":"nope"}""", 5, "agent_not_found")]
    [InlineData("Calls", "sendDataMessage", """{"callId":"nope","message":{"$struct":{"type":"hang_up"}}}""", 5, "call_not_found")]
    [InlineData("Calls", "list", """{"cursor":"forged"}""", 5, null)]
    [InlineData("Calls", "create", """{"priorCallId":"x"}""", 3, null)]
    [InlineData("Calls", "create", """{"initialMessages":[{"$struct":{"role":7}}]}""", 3, null)]
    public async Task Refusals_HaveTheirCodeAndReason(string service, string method, string request, int code, string? reason)
    {
        using var api = await silo.CreateClientAsync();
        var refused = await UnaryAsync(api, service, method, request);
        Assert.Equal(code, refused.GetProperty("code").GetInt32());
        if (reason is not null) Assert.Equal(reason, Assert.Single(refused.GetProperty("details").EnumerateArray()).GetProperty("reason").GetString());
        Assert.NotEmpty(refused.GetProperty("message").GetString()!);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("wrong")]
    [InlineData("AAAAAAAA.BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB")]
    public async Task WithoutAValidKey_Unauthenticated(string? key)
    {
        var extra = new Dictionary<string, string?> { ["x-api-key"] = key };
        var refused = await NodeClient.RunAsync("unary", silo.GrpcAddress, "x", new { service = "Agents", method = "list", extra });
        Assert.Equal(16, refused.GetProperty("code").GetInt32());
    }

    [Fact]
    public async Task AnothersCall_IsNotFound()
    {
        using var mine = await silo.CreateClientAsync();
        using var theirs = await silo.CreateClientAsync();
        var callId = (await AnswerAsync(theirs, "Calls", "create", "{}")).GetProperty("callId").GetString();
        Assert.Equal(5, (await UnaryAsync(mine, "Calls", "get", $$"""{"callId":"{{callId}}"}""")).GetProperty("code").GetInt32());
        await using var watcher = NodeClient.Start("watch", silo.GrpcAddress, mine.Key, new { callId });
        Assert.Equal(5, (await watcher.RestAsync())[^1].GetProperty("status").GetInt32());
    }

    [Fact]
    public async Task UnknownMethods_AreUnimplemented()
    {
        using var api = await silo.CreateClientAsync();
        var refused = await UnaryAsync(api, "Agents", "undo", "{}");
        Assert.Equal(12, refused.GetProperty("code").GetInt32());
    }

    [Fact]
    public async Task TheDeadline_EndsAWatch_AndItsSubscription()
    {
        using var api = await silo.CreateClientAsync();
        var callId = (await AnswerAsync(api, "Calls", "create", "{}")).GetProperty("callId").GetString()!;
        await using var watcher = NodeClient.Start("watch", silo.GrpcAddress, api.Key, new { callId, deadlineMs = 700 });
        Assert.Equal(4, (await watcher.RestAsync())[^1].GetProperty("status").GetInt32());
        await UntilUnwatchedAsync(callId);
    }

    [Fact]
    public async Task Cancelling_EndsAWatch_AndItsSubscription()
    {
        using var api = await silo.CreateClientAsync();
        var callId = (await AnswerAsync(api, "Calls", "create", "{}")).GetProperty("callId").GetString()!;
        await using var watcher = NodeClient.Start("watch", silo.GrpcAddress, api.Key, new { callId });
        Assert.True((await watcher.NextAsync()).GetProperty("watching").GetBoolean());
        Assert.Single(await silo.Services.GetRequiredService<LiveEventStreams>().Of(callId).GetAllSubscriptionHandles());
        await watcher.TellAsync("cancel");
        Assert.Equal(1, (await watcher.NextAsync()).GetProperty("status").GetInt32());
        await UntilUnwatchedAsync(callId);
    }

    [Fact]
    public async Task CompressedRequests_AreTaken()
    {
        using var api = await silo.CreateClientAsync();
        var reply = await NodeClient.RunAsync("unary", silo.GrpcAddress, api.Key, new
        {
            service = "Agents",
            method = "create",
            request = Parse("""{"name":"z","callTemplate":{"$struct":{"systemPrompt":{"$repeat":"words ","times":20000}}}}"""),
            channel = new Dictionary<string, object> { ["grpc.default_compression_algorithm"] = 2 },
        });
        Assert.Equal((0, "z"), (reply.GetProperty("code").GetInt32(), reply.GetProperty("answer").GetProperty("name").GetString()));
    }

    [Fact]
    public async Task LargeMessages_PassUpToTheLimit()
    {
        using var api = await silo.CreateClientAsync();
        var large = await UnaryAsync(api, "Agents", "create", """{"name":"l","callTemplate":{"$struct":{"systemPrompt":{"$repeat":"0123456789","times":300000}}}}""");
        Assert.Equal(0, large.GetProperty("code").GetInt32());
        Assert.Equal(3_000_000, large.GetProperty("answer").GetProperty("callTemplate").GetProperty("fields").GetProperty("systemPrompt").GetProperty("stringValue").GetString()!.Length);
        var tooLarge = await UnaryAsync(api, "Agents", "create", """{"name":"l","callTemplate":{"$struct":{"systemPrompt":{"$repeat":"0123456789","times":600000}}}}""");
        Assert.Equal(8, tooLarge.GetProperty("code").GetInt32());
    }

    private Task<JsonElement> UnaryAsync(ApiClient api, string service, string method, string request)
        => NodeClient.RunAsync("unary", silo.GrpcAddress, api.Key, new { service, method, request = Parse(request) });

    private async Task<JsonElement> AnswerAsync(ApiClient api, string service, string method, string request)
    {
        var reply = await UnaryAsync(api, service, method, request);
        Assert.True(reply.GetProperty("code").GetInt32() == 0, reply.ToString());
        return reply.GetProperty("answer");
    }

    private async Task UntilUnwatchedAsync(string callId)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(SiloFixture.Cancel);
        patience.CancelAfter(TimeSpan.FromSeconds(30));
        while ((await silo.Services.GetRequiredService<LiveEventStreams>().Of(callId).GetAllSubscriptionHandles()).Count > 0) await Task.Delay(20, patience.Token);
    }

    private static JsonElement Parse(string json) => JsonDocument.Parse(json).RootElement;
}
