using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using VoiceGrains.Server.Tests.DataConnections;
using VoiceGrains.Server.Tests.Hosting;
using VoiceGrains.Server.Tests.WebSockets;

namespace VoiceGrains.Server.Tests.Tutorials;

/// <summary>The tutorial "Customer Escalation with Call Stages": a model and an escalation server over HTTP, a person's voice, and what the API shows of it.</summary>
public sealed class CallStagesTests(LiveSilo silo) : IAsyncLifetime
{
    private const string ManagerVoice = "Fake-works";
    private readonly ConcurrentQueue<JsonObject> _escalations = [];
    private WebApplication _server = null!;
    private Func<string> _body = () => "{}";

    private static CancellationToken Cancel => SiloFixture.Cancel;

    public async ValueTask InitializeAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        _server = builder.Build();
        _server.Urls.Add("http://127.0.0.1:0");
        _server.MapPost("/api/managerEscalation", async (HttpContext http) =>
        {
            _escalations.Enqueue((await JsonNode.ParseAsync(http.Request.Body, cancellationToken: http.RequestAborted))!.AsObject());
            http.Response.Headers["X-Ultravox-Response-Type"] = "new-stage";
            http.Response.Headers["X-Ultravox-Update-Call-State"] = """{"escalated":true}""";
            await http.Response.WriteAsync(_body(), http.RequestAborted);
        });
        await _server.StartAsync(Cancel);
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task AnAngryCustomer_IsHandedToTheManager()
    {
        using var api = await silo.CreateClientAsync();
        var script = silo.Chat.Play(DrDonut);
        _body = () => JsonSerializer.Serialize(new { systemPrompt = $"You are the manager. {script.Mark}", voice = ManagerVoice, temperature = 0.2 });
        await using var call = await LiveCall.JoinAsync(api, Request(script, $$"""{"languageHint":"en","voice":"{{LiveSilo.Speaker}}","temperature":0.4}"""));
        var greeting = await call.WaitForFinalAsync("agent");
        await call.WaitForStateAsync("listening", greeting.At);

        call.Say(HumanSpeech.OneTurn());
        var offer = await WordsAsync(call, "I am sorry. Would you like to talk to my manager?");
        await call.WaitForStateAsync("listening", offer.At);
        call.Say(HumanSpeech.OneTurn());
        var changed = await call.WaitForAsync("call_event", json => json.GetProperty("eventType").GetString() == "stage_change");
        var apology = await WordsAsync(call, "This is the manager. I apologize.");
        await call.WaitForStateAsync("listening", apology.At);
        call.Say(HumanSpeech.OneTurn());
        await WordsAsync(call, "You get all of your money back.");
        var ended = await call.LeaveAsync();

        Assert.Equal("""{"complaintDetails":{"complaintType":"food","complaintDetails":"hair"}}""", Assert.Single(_escalations).ToJsonString());
        AssertSpokenByTheManager(call, changed.At, apology.At);
        var manager = script.Requests[3];
        Assert.Equal((0.2, "tool", "OK"), (manager.Json["temperature"]!.GetValue<double>(), manager.LastRole, manager.LastText));
        Assert.StartsWith("You are the manager.", manager.SystemPrompt, StringComparison.Ordinal);
        Assert.Equal(["escalateToManager"], manager.ToolNames);
        Assert.Equal("You are the manager. " + script.Mark, ended.GetProperty("systemPrompt").GetString());
        Assert.Equal(ManagerVoice, ended.GetProperty("voice").GetString());
        await AssertStagesAsync(call, changed);
        await AssertMessagesAsync(call);
    }

    private static ChatReply DrDonut(ChatRequest request)
    {
        var said = request.Messages.Select(message => ((string?)message["role"], message["content"]?.ToJsonString() ?? "")).ToList();
        var isManager = request.SystemPrompt.StartsWith("You are the manager.", StringComparison.Ordinal);
        if (isManager && request.LastRole == "tool") return ChatReply.Say("This is the manager. I apologize.") with { PromptTokens = 202 };
        if (isManager) return ChatReply.Say("You get all of your money back.") with { PromptTokens = 203 };
        if (said.Exists(message => message.Item2.Contains("my manager?", StringComparison.Ordinal)))
            return ChatReply.Call("escalateToManager", new { complaintDetails = new { complaintType = "food", complaintDetails = "hair" } }) with { PromptTokens = 102 };
        return said.Exists(message => message.Item1 == "user")
            ? ChatReply.Say("I am sorry. Would you like to talk to my manager?") with { PromptTokens = 101 }
            : ChatReply.Say("Welcome to Doctor Donut.") with { PromptTokens = 100 };
    }

    /// <summary>The fake provider's voice is a tone: even, and of a loudness of its own.</summary>
    private static void AssertSpokenByTheManager(LiveCall call, double from, double to)
    {
        var pcm = call.Messages.Where(m => m.Type == "audio" && m.At >= from && m.At <= to).SelectMany(m => m.Pcm);
        var even = pcm.Chunk(call.OutputRateHz / 50).Count(frame => Math.Sqrt(frame.Average(sample => (double)sample * sample)) is > 3_900 and < 4_600) / 50.0;
        Assert.True(even > 0.4, $"Only {even:0.0} s were in the manager's voice. {call.Story()}");
    }

    private static async Task AssertStagesAsync(LiveCall call, Received changed)
    {
        var stages = await call.ListUntilAsync("stages", list => list.Count == 2 && list[1].GetProperty("latestTokenCount").ValueKind == JsonValueKind.Number && list[1].GetProperty("latestTokenCount").GetInt32() == 203);
        Assert.Equal([LiveSilo.Speaker, ManagerVoice], stages.Select(stage => stage.GetProperty("voice").GetString()));
        Assert.Equal([0.4, 0.2], stages.Select(stage => stage.GetProperty("temperature").GetDouble()));
        Assert.Equal([(100, 102), (202, 203)], stages.Select(stage => (stage.GetProperty("initialTokenCount").GetInt32(), stage.GetProperty("latestTokenCount").GetInt32())));
        Assert.Equal([0, 0], stages.Select(stage => stage.GetProperty("errorCount").GetInt32()));
        Assert.Equal(["{}", """{"escalated":true}"""], stages.Select(stage => stage.GetProperty("initialState").GetRawText()));
        var extras = changed.Json.GetProperty("extras");
        Assert.Equal(
            (stages[0].GetProperty("callStageId").GetString(), stages[1].GetProperty("callStageId").GetString()),
            (extras.GetProperty("fromStageId").GetString(), extras.GetProperty("toStageId").GetString()));
        var tools = (await call.Api.GetAsync($"/api/calls/{call.CallId}/stages/{stages[1].GetProperty("callStageId").GetString()}/tools")).Json;
        Assert.Equal("escalateToManager", tools.EnumerateArray().Single().GetProperty("name").GetString());
    }

    private static async Task AssertMessagesAsync(LiveCall call)
    {
        var stages = (await call.ListAsync("stages")).Select(stage => stage.GetProperty("callStageId").GetString()!).ToList();
        var last = await call.ListAsync("messages");
        Assert.All(last, message => Assert.Equal(stages[1], message.GetProperty("callStageId").GetString()));
        Assert.Equal(Enumerable.Range(0, last.Count), last.Select(message => message.GetProperty("callStageMessageIndex").GetInt32()));
        var before = await call.ListAsync($"stages/{stages[0]}/messages");
        var after = await call.ListAsync($"stages/{stages[1]}/messages");
        Assert.Equal(last.Select(Text), after.Select(Text));
        Assert.Equal(before.Select(Text), after.Take(before.Count).Select(Text));
        Assert.Equal("""{"escalated":true}""", before[^1].GetProperty("callState").GetRawText());
        Assert.All(after.Take(before.Count), message => Assert.False(message.TryGetProperty("wallClockTimespan", out _)));
        Assert.All(after.Skip(before.Count), message => Assert.True(message.TryGetProperty("wallClockTimespan", out _)));
        var inCall = await call.ListAsync("messages?mode=in_call");
        Assert.Equal([.. before.Select(Text), .. after.Skip(before.Count).Select(Text)], inCall.Select(Text));
        Assert.Equal("You get all of your money back.", inCall[^1].GetProperty("text").GetString());
    }

    [Fact]
    public async Task WhatIsWrongWithAStage_IsToldByField_AndTheCallGoesOnAsItWas()
    {
        using var api = await silo.CreateClientAsync();
        var bodies = new Queue<(string Body, string Problem)>(
        [
            ("""{"voice":"Nobody"}""", """{"voice":["Voice 'Nobody' does not exist."]}"""),
            ("""{"voice":"{{name}}"}""", """{"voice":["Templates are filled in calls of agents only."]}"""),
            ("""{"selectedTools":[{"toolName":"nothing"},{}]}""", "'nothing' does not exist"),
            ("""{"systemPrompt":7,"temperature":2,"languageHint":"?"}""", "Not a valid string."),
            ("""{"initialMessages":[{"text":"no role"}]}""", "This field is required."),
            ("""{"initialState":{"big":"BIG"}}""".Replace("BIG", new string('x', 50_000), StringComparison.Ordinal).Replace("\"big\"", $"\"{new string('y', 16_000)}\"", StringComparison.Ordinal), "bytes"),
            ("<html>Escalated!</html>", "not valid JSON"),
        ]);
        var problems = bodies.Select(item => item.Problem).ToList();
        _body = () => bodies.Dequeue().Body;
        var script = silo.Chat.Play(request => request.LastRole == "tool" ? ChatReply.Say($"Sorry {Results(request)}.") : ChatReply.Call("escalateToManager", new { complaintDetails = new { } }));
        await using var call = await LiveCall.JoinAsync(api, Request(script, """{"initialOutputMedium":"MESSAGE_MEDIUM_TEXT","firstSpeakerSettings":{"user":{}}}"""));
        for (var i = 1; i <= problems.Count; i++)
        {
            await call.SendAsync("""{"type":"user_text_message","text":"Your manager, now!"}""");
            await WordsAsync(call, $"Sorry {i}.");
        }
        await call.LeaveAsync();
        Assert.Single(await call.ListAsync("stages"));
        var results = (await call.ListAsync("messages")).Where(message => message.GetProperty("role").GetString() == "MESSAGE_ROLE_TOOL_RESULT").ToList();
        Assert.All(results, result => Assert.StartsWith("Error: The conversation could not be changed over", result.GetProperty("text").GetString(), StringComparison.Ordinal));
        foreach (var (problem, result) in problems.Zip(results)) Assert.Contains(problem, result.GetProperty("errorDetails").GetString(), StringComparison.Ordinal);
        Assert.Equal(problems.Count, (await call.ListAsync("stages"))[0].GetProperty("errorCount").GetInt32());
    }

    [Fact]
    public async Task AClientThatComesBack_IsInTheLastStage()
    {
        using var api = await silo.CreateClientAsync();
        var script = silo.Chat.Play(request => request switch
        {
            { LastRole: "tool" } => ChatReply.Say("This is the manager."),
            _ when request.SystemPrompt.StartsWith("You are the manager.", StringComparison.Ordinal) => ChatReply.Say("Still the manager."),
            _ => ChatReply.Call("escalateToManager", new { complaintDetails = new { } }),
        });
        _body = () => JsonSerializer.Serialize(new { systemPrompt = $"You are the manager. {script.Mark}", selectedTools = Array.Empty<object>(), initialState = new { level = 2 } });
        await using var call = await LiveCall.JoinAsync(api, Request(script, """{"initialOutputMedium":"MESSAGE_MEDIUM_TEXT","firstSpeakerSettings":{"user":{}}}"""));
        await call.SendAsync("""{"type":"user_text_message","text":"Your manager, now!"}""");
        await WordsAsync(call, "This is the manager.");
        await call.ListUntilAsync("messages", list => list.Count == 4);
        await call.VanishAsync();
        await call.ListUntilAsync("events?type=connection_error", list => list.Count == 1);     // until then the server takes a second client for a stranger
        await using var again = await call.ReturnAsync();
        await again.SendAsync("""{"type":"user_text_message","text":"Hello?"}""");
        await WordsAsync(again, "Still the manager.");
        await again.LeaveAsync();
        Assert.Equal(2, (await call.ListAsync("stages")).Count);
        Assert.Equal(["Your manager, now!", "OK", "This is the manager.", "Hello?", "Still the manager."], (await call.ListAsync("messages")).Where(message => Text(message) is not """{"complaintDetails":{}}""").Select(Text));
        Assert.Empty(script.Requests[^1].ToolNames);
    }

    [Fact]
    public async Task ADataConnectionsTool_ChangesTheStage()
    {
        using var api = await silo.CreateClientAsync();
        await using var receiver = await DataReceiver.StartAsync();
        var script = silo.Chat.Play(request => request.LastRole == "tool" ? ChatReply.Say(request.SystemPrompt[..20]) : ChatReply.Call("escalate", new { }));
        var request = Request(script, $$$"""{"initialOutputMedium":"MESSAGE_MEDIUM_TEXT","firstSpeakerSettings":{"user":{}},"dataConnection":{"websocketUrl":"{{{receiver.Url}}}"} }""");
        request["selectedTools"] = JsonNode.Parse("""[{"temporaryTool":{"modelToolName":"escalate","dataConnection":{}}}]""");
        await using var call = await LiveCall.JoinAsync(api, request);
        var peer = await receiver.PeerAsync();
        await call.SendAsync("""{"type":"user_text_message","text":"Your manager, now!"}""");
        var invocation = await peer.WaitForAsync("data_connection_tool_invocation");
        var result = JsonSerializer.Serialize(new { systemPrompt = $"You are the manager. {script.Mark}", voice = ManagerVoice });
        await peer.SendAsync(new { type = "data_connection_tool_result", invocationId = invocation.GetProperty("invocationId").GetString(), responseType = "new-stage", result, updateCallState = new { by = "data" } });
        await WordsAsync(call, "You are the manager.");
        await call.LeaveAsync();
        Assert.Equal("""{"by":"data"}""", (await call.ListAsync("stages"))[1].GetProperty("initialState").GetRawText());
    }

    [Fact]
    public async Task AServer_ChangesTheStageByItself()
    {
        using var api = await silo.CreateClientAsync();
        var script = silo.Chat.Play(request => ChatReply.Say(request.SystemPrompt.StartsWith("You are the manager.", StringComparison.Ordinal) ? "Manager here." : "Welcome."));
        await using var call = await LiveCall.JoinAsync(api, Request(script, """{"initialOutputMedium":"MESSAGE_MEDIUM_TEXT"}"""));
        await WordsAsync(call, "Welcome.");
        var body = JsonSerializer.Serialize(new { systemPrompt = $"You are the manager. {script.Mark}", toolResultText = "Take over." });
        var sent = await api.PostAsync($"/api/calls/{call.CallId}/send_data_message", JsonSerializer.Serialize(new
        {
            type = "forced_agent_message",
            content = "One moment.",
            toolCalls = new[] { new { id = "1", name = "anything", arguments = new { } } },
            knownToolResults = new[] { new { invocationId = "1", responseType = "new-stage", result = body } },
        }));
        Assert.Equal(204, sent.Status);
        await WordsAsync(call, "Manager here.");
        await call.LeaveAsync();
        Assert.Equal("Take over.", script.Requests[^1].LastText);
        Assert.Equal(2, (await call.ListAsync("stages")).Count);
    }

    private static int Results(ChatRequest request) => request.Messages.Count(message => (string?)message["role"] == "tool");

    private static string? Text(JsonElement message) => message.GetProperty("text").GetString();

    private static Task<Received> WordsAsync(LiveCall call, string words)
        => call.WaitForAsync("transcript", json => json.GetProperty("final").GetBoolean() && json.TryGetProperty("text", out var text) && text.GetString() == words);

    /// <summary>The tutorial's call, with its tool.</summary>
    private JsonObject Request(Script script, string more)
    {
        var request = LiveCall.Request($"You take orders at a drive-thru. {script.Mark}", more, """{"dataMessages":{"callEvent":true}}""");
        request["model"] = ScriptedChat.Model;
        request["selectedTools"] = JsonNode.Parse($$$"""
            [{"temporaryTool":{"modelToolName":"escalateToManager","description":"Escalate to the manager in charge.",
              "dynamicParameters":[{"name":"complaintDetails","location":"PARAMETER_LOCATION_BODY","schema":{"type":"object"},"required":true}],
              "http":{"baseUrlPattern":"{{{_server.Urls.Single()}}}/api/managerEscalation","httpMethod":"POST"} } }]
            """);
        return request;
    }
}
