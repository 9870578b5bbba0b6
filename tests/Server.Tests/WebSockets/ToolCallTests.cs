using System.Collections.Concurrent;
using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using VoiceGrains.Server.Tests.Hosting;

namespace VoiceGrains.Server.Tests.WebSockets;

/// <summary>Tools in a live call as a client, the tool's server and the model see them.</summary>
public sealed class ToolCallTests(LiveSilo silo) : IAsyncLifetime
{
    private readonly ConcurrentQueue<Seen> _requests = [];
    private WebApplication _server = null!;
    private string _url = "";

    private static CancellationToken Cancel => SiloFixture.Cancel;

    public async ValueTask InitializeAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        _server = builder.Build();
        _server.Urls.Add("http://127.0.0.1:0");
        _server.Run(AnswerAsync);
        await _server.StartAsync(Cancel);
        _url = _server.Urls.Single();
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private async Task AnswerAsync(HttpContext http)
    {
        using var reader = new StreamReader(http.Request.Body);
        var headers = http.Request.Headers.ToDictionary(header => header.Key, header => header.Value.ToString(), StringComparer.OrdinalIgnoreCase);
        _requests.Enqueue(new($"{http.Request.Method} {http.Request.Path}{http.Request.QueryString}", await reader.ReadToEndAsync(Cancel), name => headers.GetValueOrDefault($"X-Ultravox-{name}", "")));
        switch (http.Request.Path.Value)
        {
            case "/hang": await Task.Delay(Timeout.Infinite, http.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing); break;
            case "/big": await http.Response.WriteAsync(new string('x', 5_000_000), http.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing); break;
            case "/html":
                http.Response.ContentType = "text/html";
                http.Response.StatusCode = 502;
                await http.Response.WriteAsync("<h1>Bad gateway</h1>", Cancel);
                break;
            case "/metadata": http.Response.Redirect("http://169.254.169.254/latest/meta-data/"); break;
            case "/inside": http.Response.Redirect($"http://127.0.0.2:{http.Request.Host.Port}/orders/secret"); break;
            case "/state":
                http.Response.Headers["X-Ultravox-Update-Call-State"] = """{"orders":2}""";
                http.Response.Headers["X-Ultravox-Agent-Reaction"] = "speaks";
                await http.Response.WriteAsync("noted", Cancel);
                break;
            default: await http.Response.WriteAsync("""{"status":"shipped"}""", Cancel); break;
        }
    }

    private JsonObject Tool(string name, string method, string path, string more = "{}")
    {
        var tool = new JsonObject { ["modelToolName"] = name, ["description"] = name, ["http"] = new JsonObject { ["baseUrlPattern"] = _url + path, ["httpMethod"] = method } };
        foreach (var (field, value) in JsonNode.Parse(more)!.AsObject()) tool[field] = value?.DeepClone();
        return new JsonObject { ["temporaryTool"] = tool };
    }

    private static JsonObject Request(Script script, string more, params JsonObject[] tools)
    {
        var request = LiveCall.Request(script.Mark, more, """{"dataMessages":{"callEvent":true,"toolUsed":true}}""");
        request["model"] = ScriptedChat.Model;
        request["firstSpeakerSettings"] = new JsonObject { ["user"] = new JsonObject() };
        request["selectedTools"] = new JsonArray([.. tools]);
        return request;
    }

    private static IEnumerable<string?> Results(ChatRequest request) => request.Messages.Where(message => (string?)message["role"] == "tool").Select(message => (string?)message["content"]);

    private static Task<Received> WaitForWordsAsync(LiveCall call, string words)
        => call.WaitForAsync("transcript", json => json.GetProperty("final").GetBoolean() && json.TryGetProperty("text", out var text) && text.GetString() == words);

    [Fact]
    public async Task AnHttpTool_GetsAllItsParameters_OnceTheModelHasMendedItsArguments()
    {
        using var api = await silo.CreateClientAsync();
        var script = silo.Chat.Play(request => Results(request).LastOrDefault() switch
        {
            null => ChatReply.Call("order", new { id = "a/b", qty = 0, invented = true }),
            var error when error!.StartsWith("Error:", StringComparison.Ordinal) => ChatReply.Call("order", new { id = "a/b", qty = 2 }),
            _ => ChatReply.Say("It is on its way."),
        });
        var tool = Tool("order", "POST", "/orders/{id}", """
            {"dynamicParameters":[{"name":"id","location":"PARAMETER_LOCATION_PATH","schema":{"type":"string"},"required":true},
                                  {"name":"qty","location":"PARAMETER_LOCATION_QUERY","schema":{"type":"integer","minimum":1},"required":true},
                                  {"name":"shop","location":"PARAMETER_LOCATION_BODY","schema":{"type":"string"}}],
             "staticParameters":[{"name":"unit.name","location":"PARAMETER_LOCATION_BODY","value":"box"}],
             "automaticParameters":[{"name":"state","location":"PARAMETER_LOCATION_BODY","knownValue":"KNOWN_PARAM_CALL_STATE"},
                                    {"name":"meta","location":"PARAMETER_LOCATION_QUERY","knownValue":"KNOWN_PARAM_CALL_METADATA"}]}
            """);
        tool["parameterOverrides"] = new JsonObject { ["shop"] = "main" };
        await using var call = await LiveCall.JoinAsync(api, Request(script, """{"initialOutputMedium":"MESSAGE_MEDIUM_TEXT","initialState":{"step":1},"metadata":{"who":"me"},"sharedSecrets":["one","two"]}""", tool));
        await call.SendAsync("""{"type":"user_text_message","text":"Two boxes please"}""");
        await WaitForWordsAsync(call, "It is on its way.");

        Assert.Equal(["id", "qty"], script.Requests[0].ToolParameters("order")["properties"]!.AsObject().Select(property => property.Key));
        Assert.Equal(["Error: The arguments do not fit the tool. qty: Must be at least 1.", """{"status":"shipped"}"""], Results(script.Requests[^1]));
        var (request, body, header) = Assert.Single(_requests);
        Assert.Equal(call.CallId, header("Call-ID"));
        var signed = Encoding.UTF8.GetBytes(body + header("Signature-Timestamp"));
        Assert.Equal(string.Join(',', new[] { "one", "two" }.Select(secret => Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), signed)))), header("Signature"));
        Assert.Equal(("POST /orders/a%2Fb?qty=2&meta=%7B%22who%22%3A%22me%22%7D", """{"shop":"main","unit":{"name":"box"},"state":{"step":1}}"""), (request, body));
        await call.WaitForAsync("call_event", json => json.GetProperty("eventType").GetString() == "tool_refused");
        await call.LeaveAsync();
    }

    [Fact]
    public async Task WhateverToolServersDo_TheModelIsToldInWords_AndTheCallerHearsTheAnswer()
    {
        using var api = await silo.CreateClientAsync();
        string[] names = ["hang", "big", "html", "metadata", "inside"];
        var script = silo.Chat.Play(request => request.LastRole == "user"
            ? names.Append("invented").Aggregate(ChatReply.Say(""), (reply, name) => reply.AndCall(name, new { })).AndCallRaw("html", "{\"broken\":")
            : ChatReply.Say("None of them works."));
        var tools = names.Select(name => Tool(name, "GET", "/" + name, """{"timeout":"1s"}""")).ToArray();
        await using var call = await LiveCall.JoinAsync(api, Request(script, "{}", tools));
        await call.SendAsync("""{"type":"user_text_message","text":"Try them all"}""");
        await WaitForWordsAsync(call, "None of them works.");

        const string unreachable = "Error: The tool could not be reached.";
        Assert.Equal(
            [
                "Error: The tool did not answer within 1 seconds.", "Error: The tool's response is too long: more than 65536 bytes.", "Error: The tool answered with status 502.",
                unreachable, unreachable, "Error: There is no tool named 'invented'. The tools are: hang, big, html, metadata, inside.",
                "Error: The arguments are not valid JSON (line 1, position 11). Call the tool again with a JSON object.",
            ], Results(script.Requests[^1]));
        Assert.DoesNotContain(_requests, request => request.Request.Contains("secret", StringComparison.Ordinal));
        var results = await call.ListUntilAsync("messages?mode=in_call&pageSize=50", list => list.Count == 1 + 7 + 7 + 1);
        var details = results.Where(message => message.GetProperty("role").GetString() == "MESSAGE_ROLE_TOOL_RESULT").Select(message => message.GetProperty("errorDetails").GetString()!).ToArray();
        Assert.Equal("HTTP error: 502 Response:<h1>Bad gateway</h1>", details[2]);
        Assert.Contains("169.254.169.254", details[3], StringComparison.Ordinal);
        Assert.Contains("127.0.0.2", details[4], StringComparison.Ordinal);
        Assert.Equal(7, call.Messages.Count(message => message.Type == "call_event" && message.Json.GetProperty("eventType").GetString() is "tool_error" or "tool_refused"));
        await call.LeaveAsync();
    }

    [Fact]
    public async Task APrecomputableTool_IsAskedWhileTheAgentSpeaks_AnyOtherOnlyAfterwards()
    {
        using var api = await silo.CreateClientAsync();
        var script = silo.Chat.Play(request => request.LastRole == "user"
            ? ChatReply.Say("Let me look at that for you, it takes only a moment.").AndCall("look", new { }).AndCall("note", new { })
            : ChatReply.Say("Here it is."));
        await using var call = await LiveCall.JoinAsync(api, Request(script, "{}", Tool("note", "POST", "/state"), Tool("look", "GET", "/look", """{"precomputable":true}""")));
        await call.SendAsync("""{"type":"user_text_message","text":"Look it up"}""");
        var heard = await call.WaitForFinalAsync("agent");
        await WaitForWordsAsync(call, "Here it is.");
        Assert.Equal(["GET /look", "POST /state"], _requests.Select(request => request.Request));
        var asked = _requests.Select(request => call.Now - Stopwatch.GetElapsedTime(request.Timestamp).TotalSeconds).ToArray();
        // The words take two seconds and more.
        Assert.True(asked[0] < heard.At && asked[1] - asked[0] > 0.5, $"asked at {string.Join(" and ", asked)} s, words heard at {heard.At} s");
        Assert.Equal(["""{"status":"shipped"}""", "noted"], Results(script.Requests[^1]));
        var messages = await call.ListUntilAsync("messages?mode=in_call", list => list.Count == 7);
        Assert.Equal("""{"orders":2}""", messages[5].GetProperty("callState").GetRawText());
        await call.LeaveAsync();
    }

    [Fact]
    public async Task AClient_ThatAnswersTwiceOrForNothing_IsToldByEvents()
    {
        using var api = await silo.CreateClientAsync();
        var script = silo.Chat.Play(request => request.LastRole == "user" ? ChatReply.Call("show", new { }) : ChatReply.Say($"It says {request.LastText}"));
        var tool = new JsonObject { ["temporaryTool"] = new JsonObject { ["modelToolName"] = "show", ["description"] = "Shows", ["client"] = new JsonObject() } };
        await using var call = await LiveCall.JoinAsync(api, Request(script, "{}", tool));
        await call.SendAsync("""{"type":"user_text_message","text":"Show me"}""");
        var id = (await call.WaitForAsync("client_tool_invocation")).Json.GetProperty("invocationId").GetString();
        await call.SendAsync("""{"type":"client_tool_result","invocationId":"nobody","result":"x","responseType":"hang-up"}""");
        await call.SendAsync(JsonSerializer.Serialize(new { type = "client_tool_result", invocationId = id, errorType = "implementation-error", errorMessage = "no screen" }));
        await call.SendAsync(JsonSerializer.Serialize(new { type = "client_tool_result", invocationId = id, result = "again", responseType = "hang-up" }));
        await WaitForWordsAsync(call, "It says Error: no screen");
        Assert.Equal(2, call.Messages.Count(message => message.Type == "call_event" && message.Json.GetProperty("eventType").GetString() == "unexpected_tool_result"));
        Assert.True((await call.WaitForAsync("tool_used")).Json.GetProperty("isError").GetBoolean());
        await call.LeaveAsync();
    }

    private sealed record Seen(string Request, string Body, Func<string, string> Header)
    {
        public long Timestamp { get; } = Stopwatch.GetTimestamp();
    }
}
