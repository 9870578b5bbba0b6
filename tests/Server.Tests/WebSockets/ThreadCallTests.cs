using System.Text.Json;
using System.Text.Json.Nodes;

namespace VoiceGrains.Server.Tests.WebSockets;

/// <summary>Threads of a live call as its client sees them, over real sockets and a model's real protocol.</summary>
public sealed class ThreadCallTests(LiveSilo silo)
{
    private const string Settings = """
        {"firstSpeakerSettings":{"user":{}},"selectedTools":[
         {"temporaryTool":{"modelToolName":"deliveryTimes","description":"How fast a town is reached","client":{},"timeout":"40s",
          "dynamicParameters":[{"name":"town","location":"PARAMETER_LOCATION_BODY","schema":{"type":"string"},"required":true}],
          "automaticParameters":[{"name":"thread","location":"PARAMETER_LOCATION_BODY","knownValue":"KNOWN_PARAM_THREAD_ID"},
           {"name":"threads","location":"PARAMETER_LOCATION_BODY","knownValue":"KNOWN_PARAM_THREAD_STATES"}]}},
         {"temporaryTool":{"modelToolName":"placeOrder","description":"Orders","client":{}}}]}
        """;

    [Fact]
    public async Task AThread_WorksInTheBackground_AndTellsTheAgent_WhoTalksOnUndisturbed()
    {
        using var api = await silo.CreateClientAsync();
        var script = silo.Chat.Play(request => request.LastRole switch
        {
            "tool" => ChatReply.Say($"It takes {request.LastText}."),
            _ when request.LastText.StartsWith("Find out", StringComparison.Ordinal) => ChatReply.Say("I look it up.").AndCall("deliveryTimes", new { town = "Bath" }),
            _ => ChatReply.Say($"You said: {request.LastUserText}"),
        });
        var request = LiveCall.Request($"You sell pizza. {script.Mark}", Settings);
        request["model"] = ScriptedChat.Model;
        await using var call = await LiveCall.JoinAsync(api, request);
        await TalkAsync(call, "A pizza to Bath, please.");

        await call.SendAsync("""
            {"type":"spawn_thread","newThreadId":"delivery","toolFilter":{"allowedTools":["deliveryTimes"]},"limits":{"generationLimit":5},
             "additionalMessages":[{"type":"user_text_message","text":"Find out how fast we deliver."}]}
            """);
        var invocation = (await call.WaitForAsync("client_tool_invocation")).Json;
        Assert.Equal("delivery", invocation.GetProperty("parameters").GetProperty("thread").GetString());
        Assert.Equal("calling_tool", invocation.GetProperty("parameters").GetProperty("threads").GetProperty("delivery").GetString());
        Assert.Equal("I look it up.", call.Messages.Single(m => m.Type == "side_generation_completed").Json.GetProperty("text").GetString());

        // The tool is still at it: the conversation goes on, in sound.
        var asked = call.Now;
        var answered = await TalkAsync(call, "With extra cheese.");
        Assert.True(call.HasSound(asked, answered));
        await TalkAsync(call, "And olives.");
        Assert.Single(call.Messages, m => m.Type == "side_generation_completed");

        await call.SendAsync(new JsonObject { ["type"] = "client_tool_result", ["invocationId"] = invocation.GetProperty("invocationId").GetString(), ["result"] = "30 minutes" }.ToJsonString());
        var result = await call.WaitForAsync("side_generation_completed", json => json.GetProperty("toolCalls").GetArrayLength() == 0);
        Assert.Equal("It takes 30 minutes.", result.Json.GetProperty("text").GetString());
        Assert.Equal("It takes 30 minutes.", string.Concat(call.Messages.Where(m => m.Type == "side_generation_delta").Select(m => m.Json.GetProperty("delta").GetString())).Replace("I look it up.", "", StringComparison.Ordinal));
        var inThread = script.Requests.Single(sent => sent.LastRole == "tool");
        Assert.Equal(["deliveryTimes"], inThread.ToolNames);
        Assert.DoesNotContain(inThread.Messages, message => message.ToJsonString().Contains("cheese", StringComparison.Ordinal));

        // What the thread found reaches the caller as the agent's words; and REST reaches the thread.
        await call.SendAsync("""{"type":"forced_agent_message","threadId":"UI","content":"It will be there in half an hour.","urgency":"soon"}""");
        await FinalAsync(call, "agent", "It will be there in half an hour.");
        var reply = await api.PostAsync($"/api/calls/{call.CallId}/send_data_message", """{"type":"user_text_message","threadId":"delivery","text":"Thank you."}""");
        Assert.Equal(204, reply.Status);
        await call.WaitForAsync("side_generation_completed", json => json.GetProperty("text").GetString() == "You said: Thank you.");

        var messages = await call.ListUntilAsync("messages?mode=in_call", list => list.Count == 7 && list[6].GetProperty("text").GetString() == "It will be there in half an hour.");
        Assert.Equal(
            ["A pizza to Bath, please.", "You said: A pizza to Bath, please.", "With extra cheese.", "You said: With extra cheese.", "And olives.", "You said: And olives.", "It will be there in half an hour."],
            messages.Select(message => message.GetProperty("text").GetString()));
        await call.SendAsync("""{"type":"hang_up"}""");
        var ended = await call.WaitForAsync("thread_terminated");
        Assert.Equal(("delivery", "The call ended."), (ended.Json.GetProperty("threadId").GetString(), ended.Json.GetProperty("reason").GetString()));
        Assert.Equal("agent_hangup", (await call.EndedAsync()).GetProperty("endReason").GetString());
        foreach (var type in (string[])["thread_spawned", "thread_terminated"])      // by type: a busy machine fills a page with underflows
            Assert.Equal("delivery", Assert.Single(await call.ListAsync($"events?type={type}")).GetProperty("extras").GetProperty("threadId").GetString());
    }

    [Fact]
    public async Task AThreadWhoseModelFails_IsToldToTheClient_AndTheCallGoesOn()
    {
        using var api = await silo.CreateClientAsync();
        var request = LiveCall.Request("You are kind.", """{"firstSpeakerSettings":{"user":{}},"model":"fake-fails"}""");
        await using var call = await LiveCall.JoinAsync(api, request);
        await call.SendAsync("""{"type":"spawn_thread","newThreadId":"t","additionalMessages":[{"type":"user_text_message","text":"Go."}]}""");
        var ended = await call.WaitForAsync("thread_terminated");
        Assert.StartsWith("failed: ", ended.Json.GetProperty("reason").GetString(), StringComparison.Ordinal);
        await call.SendAsync("""{"type":"ping","timestamp":1}""");
        await call.WaitForAsync("pong");
        Assert.DoesNotContain(call.Messages, m => m.Type is "audio" or "transcript");
        await call.LeaveAsync();
    }

    /// <summary>One exchange with the agent; gives when it was over.</summary>
    private static async Task<double> TalkAsync(LiveCall call, string text)
    {
        await call.SendAsync(new JsonObject { ["type"] = "user_text_message", ["text"] = text }.ToJsonString());
        return (await FinalAsync(call, "agent", $"You said: {text}")).At;
    }

    private static Task<Received> FinalAsync(LiveCall call, string role, string text)
        => call.WaitForAsync("transcript", json => json.GetProperty("role").GetString() == role && json.GetProperty("final").GetBoolean() && json.GetProperty("text").GetString() == text);
}
