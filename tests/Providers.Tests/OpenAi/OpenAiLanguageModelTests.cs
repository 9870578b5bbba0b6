using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using VoiceGrains.Providers.Language;
using VoiceGrains.Providers.Language.OpenAi;
using VoiceGrains.Providers.OpenAi;
using VoiceGrains.Providers.Tests.Http;

namespace VoiceGrains.Providers.Tests.OpenAi;

public sealed class OpenAiLanguageModelTests
{
    private static readonly TimeSpan Brief = TimeSpan.FromMilliseconds(300);
    private static readonly ModelRequest Hello = new("gpt-x", null, [new(ChatRole.User, "hi")], []);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(1000)]
    public async Task WordsAndUsage_SurviveAnyCut(int pieceSize)
    {
        var stream = Sse(Words("Grüß "), Words("dich, 😀"), Words(" 你好"), Finish("stop"), """{"choices":[],"usage":{"prompt_tokens":12,"completion_tokens":5}}""", "[DONE]");
        var (deltas, _) = await AskAsync(context => StreamAsync(context, stream, pieceSize));
        Assert.Equal([new ModelDelta.Text("Grüß "), new ModelDelta.Text("dich, 😀"), new ModelDelta.Text(" 你好"), new ModelDelta.Usage(12, 5)], deltas);
    }

    [Fact]
    public async Task WordsArrive_BeforeTheAnswerIsOver()
    {
        var goOn = new TaskCompletionSource();
        await using var server = await FakeServer.StartAsync(async context =>
        {
            await StreamAsync(context, Sse(Words("one")), 1000);
            await goOn.Task;
            await context.Response.WriteInPiecesAsync(Sse(Words("two"), "[DONE]"), 1000);
        });
        using var endpoint = new OpenAiTestEndpoint(server.Url);
        await using var deltas = new OpenAiLanguageModel(endpoint.Endpoint).GenerateAsync(Hello, Cancel).GetAsyncEnumerator(Cancel);
        Assert.True(await deltas.MoveNextAsync());
        Assert.Equal(new ModelDelta.Text("one"), deltas.Current);
        goOn.SetResult();
        Assert.True(await deltas.MoveNextAsync());
        Assert.False(await deltas.MoveNextAsync());
    }

    [Fact]
    public async Task ToolCalls_AreAssembledByIndex()
    {
        var (deltas, _) = await AskAsync(context => StreamAsync(context, Sse(
            Words("Let me look."),
            Tools("""{"index":0,"id":"a","type":"function","function":{"name":"lookUp","arguments":""}}"""),
            Tools("""{"index":0,"function":{"arguments":"{\"id\":"}}""", """{"index":1,"id":"b","function":{"name":"hangUp","arguments":null}}"""),
            Tools("""{"index":0,"function":{"arguments":"\"7\"}"}}"""),
            Finish("tool_calls"), "[DONE]"), 11));
        Assert.Equal([new ModelDelta.Text("Let me look."), new ModelDelta.ToolCall("a", "lookUp", """{"id":"7"}"""), new ModelDelta.ToolCall("b", "hangUp", "{}")], deltas);
    }

    [Fact]
    public async Task ToolCallsWithoutIndexOrWithObjects_AreUnderstood()
    {
        var (deltas, _) = await AskAsync(context => StreamAsync(context, Sse(
            Tools("""{"id":"a","function":{"name":"x","arguments":{"n": 1}}}"""), Tools("""{"id":"b","function":{"name":"y","arguments":"{}"}}"""), Finish("tool_calls")), 1000));
        Assert.Equal([new ModelDelta.ToolCall("a", "x", """{"n": 1}"""), new ModelDelta.ToolCall("b", "y", "{}")], deltas);
    }

    [Fact]
    public async Task TheRequest_CarriesEverything()
    {
        var tool = new ModelTool("lookUp", "Finds an order", JsonNode.Parse("""{"type":"object","properties":{}}""")!.AsObject());
        ChatMessage[] history =
        [
            new(ChatRole.User, "old words") { Audio = new short[4] },
            new(ChatRole.Agent, "Let me look."),
            new(ChatRole.ToolCall, """{"id":1}""") { InvocationId = "a", ToolName = "lookUp" },
            new(ChatRole.ToolCall, """{"id":2}""") { InvocationId = "b", ToolName = "lookUp" },
            new(ChatRole.User, "and?"),
            new(ChatRole.ToolResult, "shipped") { InvocationId = "a", ToolName = "lookUp" },
            new(ChatRole.System, "Be brief."),
            new(ChatRole.User, "new words") { Audio = new short[] { 1, -2 } },
        ];
        var (_, requests) = await AskAsync(
            context => StreamAsync(context, Sse(Finish("stop"), "[DONE]"), 1000),
            new ModelRequest("gpt-x", "You are Anna.", history, [tool], 0.5) { MaxOutputTokens = 99 },
            o =>
            {
                o.AcceptsAudio = true;
                o.Headers["X-Team"] = "blue";
            });
        var sent = Assert.Single(requests);
        Assert.Equal(("POST", "/chat/completions", $"Bearer {OpenAiTestEndpoint.Key}", "blue", "application/json"),
            (sent.Method, sent.Path, sent.Headers["Authorization"], sent.Headers["X-Team"], sent.Headers["Content-Type"]));
        var wav = Convert.ToBase64String([.. "RIFF("u8, 0, 0, 0, .. "WAVEfmt "u8, 16, 0, 0, 0, 1, 0, 1, 0, 0x80, 0x3E, 0, 0, 0, 0x7D, 0, 0, 2, 0, 16, 0, .. "data"u8, 4, 0, 0, 0, 1, 0, 0xFE, 0xFF]);
        Assert.Equal(JsonNode.Parse("""
            {"model":"gpt-x","stream":true,"stream_options":{"include_usage":true},"temperature":0.5,"max_tokens":99,"messages":[
              {"role":"system","content":"You are Anna."},
              {"role":"user","content":"old words"},
              {"role":"assistant","content":"Let me look.","tool_calls":[
                {"id":"a","type":"function","function":{"name":"lookUp","arguments":"{\"id\":1}"}},
                {"id":"b","type":"function","function":{"name":"lookUp","arguments":"{\"id\":2}"}}]},
              {"role":"tool","tool_call_id":"a","content":"shipped"},
              {"role":"tool","tool_call_id":"b","content":"(no result yet)"},
              {"role":"user","content":"and?"},
              {"role":"system","content":"Be brief."},
              {"role":"user","content":[{"type":"input_audio","input_audio":{"data":"WAV","format":"wav"}}]}],
             "tools":[{"type":"function","function":{"name":"lookUp","description":"Finds an order","parameters":{"type":"object","properties":{}}}}]}
            """.Replace("WAV", wav, StringComparison.Ordinal))!.ToJsonString(), JsonNode.Parse(sent.Text)!.ToJsonString());
    }

    [Fact]
    public async Task AModelThatDoesNotHear_GetsTheWords()
    {
        var request = Hello with { Messages = [new(ChatRole.User, "words") { Audio = new short[4] }] };
        var (_, requests) = await AskAsync(context => StreamAsync(context, Sse("[DONE]"), 1000), request);
        Assert.Equal("words", JsonNode.Parse(requests[0].Text)!["messages"]![0]!["content"]!.GetValue<string>());
    }

    [Theory]
    [InlineData("""{"id":1}""", """{"id":1}""")]
    [InlineData("""{"id":""", "{}")]
    [InlineData("[1]", "{}")]
    public void ArgumentsThatAreNoObject_DoNotSpoilAllFurtherRequests(string written, string sent)
    {
        var body = ChatRequestWriter.Write(Hello with { Messages = [new(ChatRole.ToolCall, written) { ToolName = "t", InvocationId = "a" }] }, new OpenAiOptions());
        Assert.Equal(sent, JsonNode.Parse(body.Span)!["messages"]![0]!["tool_calls"]![0]!["function"]!["arguments"]!.GetValue<string>());
    }

    [Theory]
    [InlineData("look-up_2", "look-up_2")]
    [InlineData("functions.look up", "functions_look_up")]
    [InlineData("", "unknown")]
    public void NamesThatAModelMadeUp_DoNotSpoilAllFurtherRequests(string written, string sent)
    {
        var body = ChatRequestWriter.Write(Hello with { Messages = [new(ChatRole.ToolCall, "{}") { ToolName = written, InvocationId = "a" }] }, new OpenAiOptions());
        Assert.Equal(sent, JsonNode.Parse(body.Span)!["messages"]![0]!["tool_calls"]![0]!["function"]!["name"]!.GetValue<string>());
    }

    [Fact]
    public void HalfASurrogatePair_StillMakesARequest()
    {
        var body = ChatRequestWriter.Write(Hello with { Messages = [new(ChatRole.User, "a\uD800b"), new(ChatRole.ToolCall, "\uDC00") { ToolName = "t" }] }, new OpenAiOptions());
        Assert.Equal("a\uFFFDb", JsonNode.Parse(body.Span)!["messages"]![0]!["content"]!.GetValue<string>());
    }

    [Theory]
    [InlineData(401, """{"error":{"message":"Bad key sk-very-secret."}}""", ProviderFault.Rejected, "acme answered 401 Unauthorized: Bad key ***.", 1)]
    [InlineData(404, """{"detail":"no such model"}""", ProviderFault.Rejected, "acme answered 404 NotFound: no such model", 1)]
    [InlineData(500, "<h1>Oops</h1>", ProviderFault.ServerError, "acme answered 500 InternalServerError: <h1>Oops</h1>", 2)]
    [InlineData(503, "", ProviderFault.ServerError, "acme answered 503 ServiceUnavailable", 2)]
    [InlineData(302, "", ProviderFault.BadAnswer, "acme answered 302 Found", 1)]
    public async Task AnErrorStatus_BecomesItsFaultInTheServersWords(int status, string body, ProviderFault fault, string message, int attempts)
    {
        var (failure, requests) = await FailAsync(context => context.Response.FailAsync(status, body));
        Assert.Equal((fault, message, status, "acme"), (failure.Fault, failure.Message, failure.Status, failure.Provider));
        Assert.Equal(attempts, requests.Count);
    }

    [Theory]
    [InlineData(429, "0")]
    [InlineData(500, null)]
    [InlineData(503, "1")]
    public async Task AFailureThatMayPass_IsRetriedOnce(int status, string? retryAfter)
    {
        await using var server = await FakeServer.StartAsync((context, number) =>
            number == 1 ? context.Response.FailAsync(status, "", retryAfter) : StreamAsync(context, Sse(Words("ok"), "[DONE]"), 1000));
        using var endpoint = new OpenAiTestEndpoint(server.Url);
        var deltas = await new OpenAiLanguageModel(endpoint.Endpoint).GenerateAsync(Hello, Cancel).ToListAsync(Cancel);
        Assert.Equal([new ModelDelta.Text("ok")], deltas);
        Assert.Equal(2, server.Requests.Count);
    }

    [Fact]
    public async Task ALongRetryAfter_FailsAtOnceAndIsTold()
    {
        var (failure, requests) = await FailAsync(context => context.Response.FailAsync(429, """{"error":"slow down"}""", "60"));
        Assert.Equal((ProviderFault.RateLimited, TimeSpan.FromSeconds(60)), (failure.Fault, failure.RetryAfter));
        Assert.Single(requests);
    }

    [Fact]
    public async Task NobodyListening_IsUnreachable()
    {
        await using var server = await FakeServer.StartAsync(_ => Task.CompletedTask);
        var url = server.Url;
        await server.DisposeAsync();
        using var endpoint = new OpenAiTestEndpoint(url);
        var failure = await Assert.ThrowsAsync<ProviderException>(() => new OpenAiLanguageModel(endpoint.Endpoint).GenerateAsync(Hello, Cancel).ToListAsync(Cancel).AsTask());
        Assert.Equal(ProviderFault.Unreachable, failure.Fault);
    }

    [Theory]
    [InlineData("{\"choices\":[{\"delta\"", "acme sent an event that is no chat completion chunk")]
    [InlineData("[1]", "acme sent an event that is no chat completion chunk")]
    [InlineData("{\"choices\":[{\"delta\":{\"content\":7}}]}", "acme sent an event that is no chat completion chunk")]
    [InlineData("{\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0}]},\"finish_reason\":\"tool_calls\"}]}", "acme sent a tool call without a name")]
    public async Task Nonsense_IsABadAnswer(string data, string message)
    {
        var (failure, requests) = await FailAsync(context => StreamAsync(context, Sse(data, "[DONE]"), 1000));
        Assert.Equal(ProviderFault.BadAnswer, failure.Fault);
        Assert.StartsWith(message, failure.Message, StringComparison.Ordinal);
        Assert.Single(requests);
    }

    [Fact]
    public async Task AnErrorWithinTheStream_IsTheServersFault()
    {
        var (failure, _) = await FailAsync(context => StreamAsync(context, Sse(Words("a"), """{"error":{"message":"GPU on fire"}}"""), 1000));
        Assert.Equal((ProviderFault.ServerError, "acme failed within its answer: GPU on fire"), (failure.Fault, failure.Message));
    }

    [Fact]
    public async Task AnotherContentType_IsABadAnswer()
    {
        var (failure, _) = await FailAsync(async context =>
        {
            context.Response.ContentType = "text/html";
            await context.Response.WriteAsync("<html>");
        });
        Assert.Equal((ProviderFault.BadAnswer, "acme sent text/html instead of an event stream."), (failure.Fault, failure.Message));
    }

    [Fact]
    public async Task ALineThatNeverEnds_IsCutOff()
    {
        var (failure, _) = await FailAsync(async context =>
        {
            context.Response.ContentType = "text/event-stream";
            await context.Response.WriteAsync("data: ");
            var filler = new byte[64 * 1024];
            while (true)
                await context.Response.Body.WriteAsync(filler, context.RequestAborted);
        });
        Assert.Equal((ProviderFault.BadAnswer, "acme sent an event of more than 1048576 bytes."), (failure.Fault, failure.Message));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task AnAnswerThatEndsTooEarly_KeepsItsWordsAndBreaksOff(bool abruptly)
    {
        var heard = new TaskCompletionSource();
        await using var server = await FakeServer.StartAsync(async context =>
        {
            await StreamAsync(context, Sse(Words("half a")), 1000);
            await heard.Task;
            if (abruptly) context.Abort();
        });
        using var endpoint = new OpenAiTestEndpoint(server.Url);
        var words = "";
        var failure = await Assert.ThrowsAsync<ProviderException>(async () =>
        {
            await foreach (var delta in new OpenAiLanguageModel(endpoint.Endpoint).GenerateAsync(Hello, Cancel))
            {
                words += ((ModelDelta.Text)delta).Value;
                heard.SetResult();
            }
        });
        Assert.Equal((ProviderFault.BrokeOff, "half a"), (failure.Fault, words));
    }

    [Fact]
    public async Task NoHeaders_TimesOut()
    {
        var (failure, requests) = await FailAsync(context => context.HangAsync(), o => o.FirstOutputTimeout = Brief);
        Assert.Equal((ProviderFault.TimedOut, "acme gave no first token within 0.3 s."), (failure.Fault, failure.Message));
        Assert.Single(requests);
    }

    [Fact]
    public async Task OnlyKeepAlives_TimesOut()
    {
        var (failure, _) = await FailAsync(async context =>
        {
            context.Response.ContentType = "text/event-stream";
            while (true)
            {
                await context.Response.WriteInPiecesAsync(": wait\n\n"u8.ToArray(), 100);
                await Task.Delay(20, context.RequestAborted);
            }
        }, o => o.FirstOutputTimeout = Brief);
        Assert.Equal((ProviderFault.TimedOut, "acme gave no first token within 0.3 s."), (failure.Fault, failure.Message));
    }

    [Fact]
    public async Task SilenceBetweenTokens_TimesOut()
    {
        var (failure, _) = await FailAsync(async context =>
        {
            await StreamAsync(context, Sse(Words("a")), 1000);
            await context.HangAsync();
        }, o => o.StallTimeout = Brief);
        Assert.Equal((ProviderFault.TimedOut, "acme gave no next token within 0.3 s."), (failure.Fault, failure.Message));
    }

    [Fact]
    public async Task AnEndlessAnswer_EndsWithTheWholeRequestsTime()
    {
        var (failure, _) = await FailAsync(async context =>
        {
            while (true)
            {
                await StreamAsync(context, Sse(Words("a")), 1000);
                await Task.Delay(20, context.RequestAborted);
            }
        }, o => o.RequestTimeout = o.FirstOutputTimeout = TimeSpan.FromSeconds(0.5));
        Assert.Equal((ProviderFault.TimedOut, "acme gave no end of the answer within 0.5 s."), (failure.Fault, failure.Message));
    }

    [Fact]
    public async Task Cancelling_EndsTheRequestAtTheServer()
    {
        var aborted = new TaskCompletionSource();
        await using var server = await FakeServer.StartAsync(async context =>
        {
            context.RequestAborted.Register(aborted.SetResult);
            await StreamAsync(context, Sse(Words("a")), 1000);
            await context.HangAsync();
        });
        using var endpoint = new OpenAiTestEndpoint(server.Url);
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var cancelled = await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (var _ in new OpenAiLanguageModel(endpoint.Endpoint).GenerateAsync(Hello, cancel.Token))
                await cancel.CancelAsync();
        });
        Assert.Equal(cancel.Token, cancelled.CancellationToken);
        await aborted.Task.WaitAsync(TimeSpan.FromSeconds(30), Cancel);
    }

    private static string Words(string words) => $$"""{"id":"x","choices":[{"index":0,"delta":{"role":"assistant","content":"{{words}}"},"finish_reason":null}]}""";

    private static string Tools(params string[] calls) => $$$"""{"choices":[{"delta":{"content":null,"tool_calls":[{{{string.Join(',', calls)}}}]}}]}""";

    private static string Finish(string reason) => $$"""{"choices":[{"delta":{},"finish_reason":"{{reason}}"}]}""";

    private static byte[] Sse(params string[] events) => Encoding.UTF8.GetBytes(string.Concat(events.Select(e => $"data: {e}\n\n")));

    private static Task StreamAsync(HttpContext context, byte[] stream, int pieceSize)
    {
        if (!context.Response.HasStarted) context.Response.ContentType = "text/event-stream; charset=utf-8";
        return context.Response.WriteInPiecesAsync(stream, pieceSize);
    }

    private static async Task<(List<ModelDelta> Deltas, IReadOnlyList<ReceivedRequest> Requests)> AskAsync(
        Func<HttpContext, Task> answer, ModelRequest? request = null, Action<OpenAiOptions>? configure = null)
    {
        await using var server = await FakeServer.StartAsync(answer);
        using var endpoint = new OpenAiTestEndpoint(server.Url, configure);
        return (await new OpenAiLanguageModel(endpoint.Endpoint).GenerateAsync(request ?? Hello, Cancel).ToListAsync(Cancel), server.Requests);
    }

    private static async Task<(ProviderException Failure, IReadOnlyList<ReceivedRequest> Requests)> FailAsync(Func<HttpContext, Task> answer, Action<OpenAiOptions>? configure = null)
    {
        await using var server = await FakeServer.StartAsync(answer);
        using var endpoint = new OpenAiTestEndpoint(server.Url, configure);
        var failure = await Assert.ThrowsAsync<ProviderException>(() => new OpenAiLanguageModel(endpoint.Endpoint).GenerateAsync(Hello, Cancel).ToListAsync(Cancel).AsTask());
        Assert.DoesNotContain(OpenAiTestEndpoint.Key, failure.ToString(), StringComparison.Ordinal);
        return (failure, server.Requests);
    }
}
