using System.Net.WebSockets;
using System.Text.Json;
using VoiceGrains.Server.Tests.WebSockets;

namespace VoiceGrains.Server.Tests.DataConnections;

/// <summary>A customer's server beside a live call: what it is told, what it may say, and the tools that it runs.</summary>
public sealed class DataConnectionTests(LiveSilo silo)
{
    private const string UserFirst = "\"firstSpeakerSettings\":{\"user\":{}}";

    private const string Tools = """
        "selectedTools":[{"temporaryTool":{"modelToolName":"lookUpOrder","description":"Finds an order","dataConnection":{},
         "dynamicParameters":[{"name":"orderId","location":"PARAMETER_LOCATION_BODY","schema":{"type":"string"},"required":true}]}}]
        """;

    private const string ToolPrompt = """
        When the user says "order *": call lookUpOrder with {"orderId": "$1"}
        When lookUpOrder answers: say "Your order is {status}."
        When lookUpOrder fails: say "The order system is down."
        """;

    [Fact]
    public async Task ItIsToldWhatItAsksFor_FromTheStartOfTheCallToItsEnd()
    {
        using var api = await silo.CreateClientAsync();
        await using var receiver = await DataReceiver.StartAsync();
        const string more = "\"headers\":{\"X-Customer\":\"acme\",\"Authorization\":\"Bearer s3cret\"},\"dataMessages\":{\"state\":false,\"callEvent\":true}";
        await using var call = await JoinAsync(api, """When the user says "weather": say "It rains today." """, receiver.Config(more));
        var peer = await receiver.PeerAsync();
        await call.SendAsync("""{"type":"user_text_message","text":"How is the weather?"}""");
        await peer.WaitForFinalAsync("agent", "It rains today.");
        await call.LeaveAsync();
        await peer.WaitForEndAsync();

        Assert.Equal(("acme", "Bearer s3cret", "/data?customer=7"), (peer.Headers["X-Customer"], peer.Headers["Authorization"], peer.PathAndQuery));
        var first = peer.Messages[0];
        Assert.Equal(("call_started", call.CallId), (DataPeer.TypeOf(first), first.GetProperty("callId").GetString()));
        Assert.Equal(["call_event", "call_started", "transcript"], peer.Types.Distinct().Order());
        var last = peer.Messages[^1];
        Assert.Equal(("call_event", "call_ended"), (DataPeer.TypeOf(last), last.GetProperty("eventType").GetString()));
        Assert.Equal(WebSocketCloseStatus.NormalClosure, peer.CloseStatus);
        Assert.Empty(peer.AudioLengths);
        // The client's own messages are as ever.
        Assert.Contains(call.Messages, m => m.Type == "state");
        Assert.DoesNotContain(call.Messages, m => m.Type == "call_event");
        Assert.Single(await call.ListAsync("events?type=data_connection_open"));
    }

    [Fact]
    public async Task ItMayWriteAsTheUserAndAsTheAgent_PingAndEndTheCall()
    {
        using var api = await silo.CreateClientAsync();
        await using var receiver = await DataReceiver.StartAsync();
        await using var call = await JoinAsync(api, """When the user says "weather": say "It rains today." """, receiver.Config());
        var peer = await receiver.PeerAsync();
        await peer.SendAsync(new { type = "ping", timestamp = 4.5 });
        Assert.Equal(4.5, (await peer.WaitForAsync("pong")).GetProperty("timestamp").GetDouble());
        await peer.SendAsync(new { type = "set_output_medium", medium = "text" });
        // Text in the older form waits for the next natural answer, whatever it asks for.
        await peer.SendAsync(new { type = "input_text_message", text = "The customer is in Rome.", deferResponse = false });
        await peer.WaitForFinalAsync("user", "The customer is in Rome.");
        await peer.SendAsync(new { type = "user_text_message", text = "How is the weather?" });
        await peer.WaitForFinalAsync("agent", "It rains today.");
        await peer.SendAsync(new { type = "forced_agent_message", content = "One more thing." });
        await peer.WaitForFinalAsync("agent", "One more thing.");
        await peer.SendAsync("no JSON");
        await call.ListUntilAsync("events?type=invalid_message", list => list.Count == 1);
        await peer.SendAsync(new { type = "hang_up", message = "Good night." });
        await call.WaitForCloseAsync();
        Assert.Equal("agent_hangup", (await call.EndedAsync()).GetProperty("endReason").GetString());

        var messages = await call.ListUntilAsync("messages?mode=in_call", list => list.Count == 5);
        Assert.Equal(
            ["The customer is in Rome.", "How is the weather?", "It rains today.", "One more thing.", "Good night."], messages.Select(m => m.GetProperty("text").GetString()));
        Assert.DoesNotContain(call.Messages, m => m.Type == "pong");
    }

    [Fact]
    public async Task ItRunsTools_AndNobodyElseAnswersForIt()
    {
        using var api = await silo.CreateClientAsync();
        await using var receiver = await DataReceiver.StartAsync();
        await using var call = await JoinAsync(api, ToolPrompt, receiver.Config(), Tools);
        var peer = await receiver.PeerAsync();
        await call.SendAsync("""{"type":"user_text_message","text":"Where is order seven"}""");
        var invocation = await peer.WaitForAsync("data_connection_tool_invocation");
        Assert.Equal(("lookUpOrder", """{"orderId":"seven"}"""), (invocation.GetProperty("toolName").GetString(), invocation.GetProperty("parameters").GetRawText()));
        var invocationId = invocation.GetProperty("invocationId").GetString();
        await call.SendAsync(JsonSerializer.Serialize(new { type = "client_tool_result", invocationId, result = """{"status":"stolen"}""" }));
        await call.SendAsync(JsonSerializer.Serialize(new { type = "data_connection_tool_result", invocationId, result = """{"status":"stolen"}""" }));
        await call.ListUntilAsync("events?type=unexpected_tool_result", list => list.Count == 2);
        await peer.SendAsync(new { type = "data_connection_tool_result", invocationId, result = """{"status":"shipped"}""" });
        await peer.WaitForFinalAsync("agent", "Your order is shipped.");
        Assert.DoesNotContain(call.Messages, m => m.Type is "client_tool_invocation" or "data_connection_tool_invocation");
        await call.LeaveAsync();
    }

    [Fact]
    public async Task WithoutIt_ItsToolsFailInWords()
    {
        using var api = await silo.CreateClientAsync();
        await using var receiver = await DataReceiver.StartAsync();
        receiver.Refuses = (http, _) =>
        {
            http.Response.StatusCode = 403;
            return Task.FromResult(true);
        };
        await using var call = await JoinAsync(api, ToolPrompt, receiver.Config(), Tools);
        var failed = await call.ListUntilAsync("events?type=data_connection_failed", list => list.Count > 0);
        Assert.Contains("status 403", failed[0].GetProperty("text").GetString(), StringComparison.Ordinal);
        await call.SendAsync("""{"type":"user_text_message","text":"Where is order seven"}""");
        await call.WaitForAsync("transcript", json => json.GetProperty("final").GetBoolean() && json.GetProperty("text").GetString() == "The order system is down.");
        await call.LeaveAsync();
    }

    [Fact]
    public async Task ACallThatGoesOn_OpensItAnew()
    {
        using var api = await silo.CreateClientAsync();
        await using var receiver = await DataReceiver.StartAsync();
        await using var call = await JoinAsync(api, """When the user says "weather": say "It rains today." """, receiver.Config());
        var peer = await receiver.PeerAsync();
        await peer.WaitForAsync("call_started");
        await call.VanishAsync();
        await peer.WaitForEndAsync();
        Assert.Equal(WebSocketCloseStatus.EndpointUnavailable, peer.CloseStatus);

        await using var back = await call.ReturnAsync();
        var again = await receiver.PeerAsync(1);
        Assert.Equal(call.CallId, (await again.WaitForAsync("call_started")).GetProperty("callId").GetString());
        await again.SendAsync(new { type = "user_text_message", text = "How is the weather?" });
        await again.WaitForFinalAsync("agent", "It rains today.");
        await back.LeaveAsync();
    }

    [Theory]
    [InlineData("{\"Bad Name\":\"x\"}")]
    [InlineData("{\"Sec-WebSocket-Key\":\"x\"}")]
    [InlineData("{\"X-Key\":\"a\\r\\nX-Other: b\"}")]
    public async Task HeadersThatCannotBeSent_AreRefused(string headers)
    {
        using var api = await silo.CreateClientAsync();
        var reply = await api.PostAsync("/api/calls", $"{{\"dataConnection\":{{\"websocketUrl\":\"wss://data.example\",\"headers\":{headers}}}}}");
        Assert.Equal(400, reply.Status);
        Assert.StartsWith("Names must be header names", reply.Json.GetProperty("dataConnection").GetProperty("headers")[0].GetString(), StringComparison.Ordinal);
    }

    private static Task<LiveCall> JoinAsync(Hosting.ApiClient api, string prompt, string config, string more = "\"metadata\":{}")
        => LiveCall.JoinAsync(api, LiveCall.Request(prompt, $"{{{UserFirst},{more},{config[1..]}"));
}
