using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using VoiceGrains.Gateway.Unserved;
using VoiceGrains.Server.Tests.Hosting;
using VoiceGrains.Server.Tests.WebSockets;

namespace VoiceGrains.Server.Tests.Conformance;

/// <summary>
/// An account with one of everything, made through the API: calls before, in and after their conversation and a deleted one, an agent, tools, a webhook, a key,
/// and what else this version serves. A second account is for operations that change the account itself.
/// </summary>
internal sealed class ConformanceWorld : IAsyncDisposable
{
    /// <summary>Of nobody.</summary>
    public const string Nobody = "11111111-2222-3333-4444-555555555555";

    private readonly WebApplication server;
    private readonly HashSet<string> served;
    private LiveCall? live;
    private int made;

    private readonly LiveSilo silo;

    private ConformanceWorld(LiveSilo silo, ApiClient api, ApiClient other, WebApplication server)
    {
        (this.silo, Api, Other, this.server) = (silo, api, other, server);
        served = [.. Routed(silo, isServed: true)];
        Facts = new()
        {
            ["sink"] = server.Urls.Single(), ["websocket"] = server.Urls.Single().Replace("http:", "ws:", StringComparison.Ordinal),
            ["model"] = ScriptedChat.Model, ["voice"] = LiveSilo.Speaker,
        };
    }

    public ApiClient Api { get; }

    public ApiClient Other { get; }

    /// <summary>What this world's objects are called.</summary>
    public Dictionary<string, string> Facts { get; }

    public bool IsServed(PublishedOperation operation) => served.Contains(operation.Id);

    public static async Task<ConformanceWorld> CreateAsync(LiveSilo silo)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        var server = builder.Build();
        server.Urls.Add("http://127.0.0.1:0");
        server.Run(AnswerAsync);
        await server.StartAsync(SiloFixture.Cancel);
        var world = new ConformanceWorld(silo, await silo.CreateClientAsync(), await silo.CreateClientAsync(), server);
        await world.FillAsync();
        return world;
    }

    /// <summary>Operations on the account itself must not get in the way of others: an account's one configuration is made anew for each request.</summary>
    public async Task<(ApiClient Client, bool IsOwn)> ClientAsync(PublishedOperation operation)
    {
        if (!IsServed(operation)) return (Api, false);
        if (operation.Path.StartsWith("/api/accounts/", StringComparison.Ordinal) && operation.Method != "GET") return (Other, false);
        if (!operation.Path.StartsWith("/api/telephony_configs/", StringComparison.Ordinal)) return (Api, false);
        var client = await silo.CreateClientAsync();
        if (operation.Method != "POST") await MakeAsync(client, operation.Path, TelephonyRequest(operation.Path));
        return (client, true);
    }

    /// <summary>Where an operation is tried: each with the states of what it is about. Operations that use something up get a new one each time.</summary>
    public IReadOnlyList<Func<Task<string>>> Paths(PublishedOperation operation)
    {
        if (!IsServed(operation)) return [At(Nobody)];
        if (operation.Path.Contains("{call_stage_id}", StringComparison.Ordinal)) return [At(Facts["endedCallId"], Facts["stageId"], Facts["spokenIndex"])];
        return operation.Id switch
        {
            "POST /api/calls/{}/send_data_message" => [At(live!.CallId)],
            "GET /api/calls/{}/recording" => [At(Facts["endedCallId"])],
            "GET /api/deleted_calls/{}" => [At(Facts["deletedCallId"])],
            "DELETE /api/calls/{}" => [New("/api/calls", "{}", "callId")],
            "DELETE /api/agents/{}" => [New("/api/agents", "{}", "agentId")],
            "DELETE /api/tools/{}" => [New("/api/tools", ToolRequest("/tool"), "toolId")],
            "DELETE /api/webhooks/{}" => [New("/api/webhooks", WebhookRequest, "webhookId")],
            "DELETE /api/call_throttles/{}" => [New("/api/call_throttles", ThrottleRequest, "throttleId")],
            "DELETE /api/voices/{}" => [New("/api/voices", VoiceRequest, "voiceId")],
            "PUT /api/api_keys/{}" or "PATCH /api/api_keys/{}" or "DELETE /api/api_keys/{}" => [New("/api/api_keys", KeyRequest, "prefix")],
            _ when operation.Method is "PUT" or "PATCH" && operation.Path.Contains('{', StringComparison.Ordinal) => [At(Facts["changed " + Named(operation.Path)])],
            _ when operation.Path.Contains("{call_id}", StringComparison.Ordinal) => [At(Facts["createdCallId"]), At(live!.CallId), At(Facts["endedCallId"])],
            _ when operation.Path.Contains("{voice_id}", StringComparison.Ordinal) => [At(Facts["builtInVoiceId"]), At(Facts["voiceId"])],
            _ when operation.Path.Contains('{', StringComparison.Ordinal) => [At(Facts[Named(operation.Path)])],
            _ => [At()],
        };

        Func<Task<string>> At(params string[] values) => () => Task.FromResult(FillIn(operation.Path, values));
        Func<Task<string>> New(string path, string body, string id) => async () => FillIn(operation.Path, [await MakeAsync(path, body, id)]);
    }

    public async ValueTask DisposeAsync()
    {
        if (live is not null) await live.DisposeAsync();
        Api.Dispose();
        Other.Dispose();
        await server.DisposeAsync();
    }

    private const string KeyRequest = """{"name":"one"}""";

    private string AgentRequest => $$$"""{"name":"Anna","callTemplate":{"systemPrompt":"You are Anna.","selectedTools":[{"toolId":"{{{Facts["toolId"]}}}"}]}}""";

    private string VoiceRequest => Unique($$$$"""
        {"name":"Voice #","definition":{"generic":{"url":"{{{{Facts["sink"]}}}}/voice","body":{"text":"{text}"},"responseSampleRate":16000}}}
        """);

    private string ThrottleRequest => Unique("""{"name":"throttle #","rules":[{"maxCalls":100,"windowSeconds":1}]}""");

    private string WebhookRequest => $$"""{"url":"{{Facts["sink"]}}/hook","events":["call.started","call.ended"]}""";

    private string ToolRequest(string path) => Unique($$$$"""
        {"name":"tool#","definition":{"modelToolName":"tool#","description":"A tool","http":{"baseUrlPattern":"{{{{Facts["sink"]}}}}{{{{path}}}}","httpMethod":"POST"}}}
        """);

    private static string TelephonyRequest(string path) => path[(path.LastIndexOf('/') + 1)..] switch
    {
        "plivo" => """{"authId":"MA1","authToken":"secret"}""",
        "telnyx" => """{"accountSid":"AC1","apiKey":"secret","publicKey":"key","applicationSid":"app"}""",
        _ => """{"accountSid":"AC1","authToken":"secret"}""",
    };

    /// <summary>Keys of every provider of voices.</summary>
    private const string ProviderKeys = """
        {"elevenLabs":"sk_1","cartesia":"sk_2","lmnt":"sk_3","inworld":"sk_4","respeecher":"sk_5","google":"{\"private_key\":\"k\",\"client_email\":\"me@example.com\"}"}
        """;

    private string Unique(string text) => text.Replace("#", $"{Interlocked.Increment(ref made)}", StringComparison.Ordinal);

    private async Task FillAsync()
    {
        var voices = (await Api.GetAsync("/api/voices?search=" + LiveSilo.Speaker)).Json.GetProperty("results");
        Facts["builtInVoiceId"] = voices.EnumerateArray().Single(voice => voice.GetProperty("name").GetString() == LiveSilo.Speaker).GetProperty("voiceId").GetString()!;
        var tool = await MakeAsync("/api/tools", ToolRequest("/tool"));
        (Facts["toolId"], Facts["toolName"]) = (tool.GetProperty("toolId").GetString()!, tool.GetProperty("name").GetString()!);
        Facts["modelToolName"] = tool.GetProperty("definition").GetProperty("modelToolName").GetString()!;
        Facts["agentId"] = await MakeAsync("/api/agents", AgentRequest, "agentId");
        Facts["webhookId"] = await MakeAsync("/api/webhooks", WebhookRequest, "webhookId");
        Facts["prefix"] = await MakeAsync("/api/api_keys", KeyRequest, "prefix");
        Facts["voiceId"] = await MakeAsync("/api/voices", VoiceRequest, "voiceId");
        Facts["changed toolId"] = await MakeAsync("/api/tools", ToolRequest("/tool"), "toolId");
        Facts["changed agentId"] = await MakeAsync("/api/agents", AgentRequest, "agentId");
        Facts["changed webhookId"] = await MakeAsync("/api/webhooks", WebhookRequest, "webhookId");
        Facts["changed voiceId"] = await MakeAsync("/api/voices", VoiceRequest, "voiceId");
        if (served.Contains("POST /api/call_throttles"))
        {
            var throttle = await MakeAsync("/api/call_throttles", ThrottleRequest);
            (Facts["throttleId"], Facts["throttle"]) = (throttle.GetProperty("throttleId").GetString()!, throttle.GetProperty("name").GetString()!);
            Facts["changed throttleId"] = await MakeAsync("/api/call_throttles", ThrottleRequest, "throttleId");
        }

        var keys = await Api.PatchAsync("/api/accounts/me/tts_api_keys", ProviderKeys);
        Assert.True(keys.Status == 200, keys.Text);
        Facts["createdCallId"] = await MakeAsync("/api/calls", """{"joinTimeout":"3600s"}""", "callId");
        await MakeAsync($"/api/agents/{Facts["agentId"]}/calls", """{"joinTimeout":"3600s"}""", "callId");
        Facts["deletedCallId"] = await MakeAsync("/api/calls", "{}", "callId");
        Assert.Equal(204, (await Api.DeleteAsync($"/api/calls/{Facts["deletedCallId"]}")).Status);
        live = await LiveCall.JoinAsync(Api, LiveCall.Request("You are Anna.", """{"firstSpeakerSettings":{"user":{}},"initialOutputMedium":"MESSAGE_MEDIUM_TEXT"}"""));
        await TalkAsync();
    }

    /// <summary>A call with a recording, words of both sides, a tool that was used, and two stages.</summary>
    private async Task TalkAsync()
    {
        var stage = (await MakeAsync("/api/tools", ToolRequest("/stage"))).GetProperty("definition").GetProperty("modelToolName").GetString()!;
        var script = silo.Chat.Play(request => request switch
        {
            { LastRole: "user", LastUserText: "Look" } => ChatReply.Call(Facts["modelToolName"], new { }),
            { LastRole: "user", LastUserText: "Change" } => ChatReply.Call(stage, new { }),
            _ => ChatReply.Say("Done."),
        });
        var request = LiveCall.Request($"You are Anna. {script.Mark}", $$$"""
            {"model":"{{{ScriptedChat.Model}}}","recordingEnabled":true,"firstSpeakerSettings":{"agent":{"text":"Hi."}},"metadata":{"key":"value"},
             "selectedTools":[{"toolId":"{{{Facts["toolId"]}}}"},{"toolName":"{{{stage}}}"}]}
            """);
        await using var call = await LiveCall.JoinAsync(Api, request);
        await call.WaitForFinalAsync("agent");
        foreach (var words in (string[])["Look", "Change"])
        {
            var since = call.Now;
            await call.SendAsync($$"""{"type":"user_text_message","text":"{{words}}"}""");
            await call.WaitForFinalAsync("agent", since);
        }
        await call.LeaveAsync();
        Facts["endedCallId"] = call.CallId;
        Facts["stageId"] = (await call.ListAsync("stages"))[0].GetProperty("callStageId").GetString()!;
        var spoken = (await call.ListAsync($"stages/{Facts["stageId"]}/messages")).First(message => message.GetProperty("role").GetString() == "MESSAGE_ROLE_AGENT");
        Facts["spokenIndex"] = $"{spoken.GetProperty("callStageMessageIndex").GetInt32()}";
    }

    private async Task<string> MakeAsync(string path, string body, string id) => (await MakeAsync(path, body)).GetProperty(id).GetString()!;

    private Task<JsonElement> MakeAsync(string path, string body) => MakeAsync(Api, path, body);

    private static async Task<JsonElement> MakeAsync(ApiClient client, string path, string body)
    {
        var made = await client.PostAsync(path, body);
        Assert.True(made.Status == 201, $"POST {path} {body}: {made.Status} {made.Text}");
        return made.Json;
    }

    /// <summary>The parameter of a path with only one.</summary>
    private static string Named(string path)
        => path[(path.IndexOf('{', StringComparison.Ordinal) + 1)..path.IndexOf('}', StringComparison.Ordinal)] switch
        {
            "agent_id" => "agentId",
            "tool_id" => "toolId",
            "voice_id" => "voiceId",
            "webhook_id" => "webhookId",
            "throttle_id" => "throttleId",
            "api_key_prefix" => "prefix",
            var other => throw new InvalidOperationException($"{path}: this world has no {other}."),
        };

    private static string FillIn(string path, string[] values)
    {
        var parts = path.Split('/');
        var next = 0;
        for (var i = 0; i < parts.Length; i++)
            if (parts[i].StartsWith('{')) parts[i] = values[Math.Min(next++, values.Length - 1)];
        return string.Join('/', parts);
    }

    private static IEnumerable<string> Routed(LiveSilo silo, bool isServed) =>
        from endpoint in silo.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
        where endpoint.Metadata.GetMetadata<UnservedOperation>() is null == isServed
        from method in endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods ?? []
        select $"{method} {PublishedOperation.Normal("/" + string.Join('/', endpoint.RoutePattern.PathSegments.Select(Text)))}";

    private static string Text(Microsoft.AspNetCore.Routing.Patterns.RoutePatternPathSegment segment)
        => segment is { IsSimple: true, Parts: [Microsoft.AspNetCore.Routing.Patterns.RoutePatternLiteralPart literal] } ? literal.Content : "{}";

    /// <summary>Everybody's receiver of webhooks, server of tools and voice.</summary>
    private static async Task AnswerAsync(HttpContext http)
    {
        if (http.Request.Path == "/voice")
        {
            http.Response.ContentType = "audio/wav";
            await http.Response.Body.WriteAsync(Tone(), http.RequestAborted);
            return;
        }
        if (http.Request.Path == "/stage") http.Response.Headers["X-Ultravox-Response-Type"] = "new-stage";
        http.Response.ContentType = "application/json";
        await http.Response.WriteAsync("{}", http.RequestAborted);
    }

    /// <summary>A tenth of a second of a WAV of 16 kHz.</summary>
    private static byte[] Tone()
    {
        using var bytes = new MemoryStream();
        using var wav = new BinaryWriter(bytes);
        const int rateHz = 16_000, samples = rateHz / 10;
        wav.Write("RIFF"u8);
        wav.Write(36 + 2 * samples);
        wav.Write("WAVEfmt "u8);
        wav.Write(16);
        wav.Write((short)1);
        wav.Write((short)1);
        wav.Write(rateHz);
        wav.Write(2 * rateHz);
        wav.Write((short)2);
        wav.Write((short)16);
        wav.Write("data"u8);
        wav.Write(2 * samples);
        for (var i = 0; i < samples; i++) wav.Write((short)(6_000 * Math.Sin(2 * Math.PI * 300 * i / rateHz)));
        return bytes.ToArray();
    }
}
