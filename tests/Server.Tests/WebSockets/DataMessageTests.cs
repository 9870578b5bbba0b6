using System.Text.Json;
using VoiceGrains.Server.Tests.Hosting;

namespace VoiceGrains.Server.Tests.WebSockets;

/// <summary>Data messages of a live call, from the client and over REST.</summary>
public sealed class DataMessageTests(LiveSilo silo)
{
    private const string UserFirst = """{"firstSpeakerSettings":{"user":{}}}""";

    [Fact]
    public async Task Text_IsAnsweredInText_WhenTextIsAskedFor()
    {
        using var api = await silo.CreateClientAsync();
        await using var call = await LiveCall.JoinAsync(api, LiveCall.Request("""When the user says "weather": say "It rains today." """, UserFirst));
        await call.SendAsync("""{"type":"set_output_medium","medium":"text"}""");
        await call.SendAsync("""{"type":"user_text_message","text":"How is the weather?"}""");
        var answer = await call.WaitForFinalAsync("agent");
        Assert.Equal(("text", "It rains today."), (answer.Json.GetProperty("medium").GetString(), answer.Json.GetProperty("text").GetString()));
        Assert.DoesNotContain(call.Messages, m => m.Type == "audio");

        await call.SendAsync("""{"type":"set_output_medium","medium":"voice"}""");
        await call.SendAsync("""{"type":"input_text_message","text":"And the weather tomorrow?"}""");
        var spoken = await call.WaitForFinalAsync("agent", answer.At + 0.001);
        Assert.Equal(("voice", "It rains today."), (spoken.Json.GetProperty("medium").GetString(), spoken.Json.GetProperty("text").GetString()));
        Assert.True(call.HasSound(answer.At, spoken.At));

        var messages = await call.ListUntilAsync("messages?mode=in_call", list => list.Count == 4);
        Assert.Equal(
            ["MESSAGE_MEDIUM_TEXT", "MESSAGE_MEDIUM_TEXT", "MESSAGE_MEDIUM_TEXT", "MESSAGE_MEDIUM_VOICE"], messages.Select(m => m.GetProperty("medium").GetString()));
        await call.LeaveAsync();
    }

    [Fact]
    public async Task Ping_IsAnsweredWithItsTimestamp()
    {
        using var api = await silo.CreateClientAsync();
        await using var call = await LiveCall.JoinAsync(api, LiveCall.Request(null, UserFirst));
        await call.SendAsync("""{"type":"ping","timestamp":12.25}""");
        Assert.Equal(12.25, (await call.WaitForAsync("pong")).Json.GetProperty("timestamp").GetDouble());
        await call.LeaveAsync();
    }

    [Fact]
    public async Task AClientTool_IsCalledAndItsResultSpoken()
    {
        using var api = await silo.CreateClientAsync();
        const string prompt = """
            When the user says "order *": say "Let me look." and call lookUpOrder with {"orderId": "$1"}
            When lookUpOrder answers: say "Your order is {status}."
            """;
        const string tools = """
            {"firstSpeakerSettings":{"user":{}},"selectedTools":[{"temporaryTool":{"modelToolName":"lookUpOrder","description":"Finds an order","client":{},
             "dynamicParameters":[{"name":"orderId","location":"PARAMETER_LOCATION_BODY","schema":{"type":"string"},"required":true}]}}]}
            """;
        await using var call = await LiveCall.JoinAsync(api, LiveCall.Request(prompt, tools));
        await call.SendAsync("""{"type":"user_text_message","text":"Where is order seven"}""");
        var invocation = (await call.WaitForAsync("client_tool_invocation")).Json;
        Assert.Equal("lookUpOrder", invocation.GetProperty("toolName").GetString());
        Assert.Equal("""{"orderId":"seven"}""", invocation.GetProperty("parameters").GetRawText());
        var id = invocation.GetProperty("invocationId").GetString();
        await call.SendAsync(JsonSerializer.Serialize(new { type = "client_tool_result", invocationId = id, result = """{"status":"shipped"}""" }));
        await call.WaitForAsync("transcript", json => json.GetProperty("final").GetBoolean() && json.GetProperty("text").GetString() == "Your order is shipped.");

        var messages = await call.ListUntilAsync("messages?mode=in_call", list => list.Count == 5);
        Assert.Equal(
            ["MESSAGE_ROLE_USER", "MESSAGE_ROLE_AGENT", "MESSAGE_ROLE_TOOL_CALL", "MESSAGE_ROLE_TOOL_RESULT", "MESSAGE_ROLE_AGENT"],
            messages.Select(m => m.GetProperty("role").GetString()));
        Assert.All(messages.Where(m => m.GetProperty("role").GetString()!.Contains("TOOL", StringComparison.Ordinal)), m => Assert.Equal(id, m.GetProperty("invocationId").GetString()));
        await call.LeaveAsync();
    }

    [Fact]
    public async Task HangUp_SaysTheFarewellAndEndsTheCall()
    {
        using var api = await silo.CreateClientAsync();
        await using var call = await LiveCall.JoinAsync(api, LiveCall.Request(null, UserFirst));
        await call.SendAsync("""{"type":"hang_up","message":"Good night."}""");
        var farewell = await call.WaitForFinalAsync("agent");
        await call.WaitForCloseAsync();
        Assert.Equal("Good night.", farewell.Json.GetProperty("text").GetString());
        Assert.True(call.HasSound(0, farewell.At));
        Assert.Equal(System.Net.WebSockets.WebSocketCloseStatus.NormalClosure, call.Socket.CloseStatus);
        var ended = await call.EndedAsync();
        Assert.Equal(("agent_hangup", LiveCall.BilledDuration(ended)), (ended.GetProperty("endReason").GetString(), ended.GetProperty("billedDuration").GetString()));
    }

    [Fact]
    public async Task RestMessages_ReachTheLiveCall_AndNoOther()
    {
        using var api = await silo.CreateClientAsync();
        await using var call = await LiveCall.CreateAsync(api, LiveCall.Request("""When the user says "weather": say "It rains today." """, UserFirst));
        var path = $"/api/calls/{call.CallId}/send_data_message";
        Assert.Equal(422, (await api.PostAsync(path, """{"type":"hang_up"}""")).Status);

        await call.JoinAsync();
        await call.WaitForStateAsync("listening");
        Assert.Equal(204, (await api.PostAsync(path, """{"type":"user_text_message","text":"How is the weather?"}""")).Status);
        var answer = await call.WaitForFinalAsync("agent");
        Assert.Equal("It rains today.", answer.Json.GetProperty("text").GetString());
        Assert.Equal(204, (await api.PostAsync(path, """{"type":"forced_agent_message","content":"This is forced."}""")).Status);
        var forced = await call.WaitForFinalAsync("agent", answer.At + 0.001);
        Assert.Equal("This is forced.", forced.Json.GetProperty("text").GetString());
        Assert.Equal(204, (await api.PostAsync(path, """{"type":"hang_up","message":"Bye."}""")).Status);
        await call.WaitForCloseAsync();
        Assert.Equal("agent_hangup", (await call.EndedAsync()).GetProperty("endReason").GetString());
        Assert.Equal(422, (await api.PostAsync(path, """{"type":"hang_up"}""")).Status);
    }
}
