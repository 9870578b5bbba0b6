using System.Text.Json.Nodes;
using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.GrainInterfaces.Tools;
using VoiceGrains.Providers.Language;

namespace VoiceGrains.Grains.Tests.Conversations;

/// <summary>Every client message of the documentation's table, and tools.</summary>
public class ConversationMessageTests
{
    private static TimeSpan Seconds(double seconds) => TimeSpan.FromSeconds(seconds);

    [Fact]
    public async Task CallStarted_ComesFirst()
    {
        await using var call = new ConversationHarness().Start();
        Assert.Equal("call_started", (string?)call.FarEnd.Messages[0].Message["type"]);
        Assert.Equal(call.Settings.CallId, (string?)call.FarEnd.Messages[0].Message["callId"]);
    }

    [Fact]
    public async Task Ping_IsAnsweredWithItsTimestamp()
    {
        await using var call = new ConversationHarness().Start();
        call.Client("""{"type":"ping","timestamp":1699999999.125}""");
        Assert.Equal("1699999999.125", call.FarEnd.OfType("pong").Single()["timestamp"]!.ToJsonString());
    }

    [Fact]
    public async Task ImmediateText_InterruptsAndIsAnswered()
    {
        await using var call = new ConversationHarness().Start();
        call.Client("""{"type":"forced_agent_message","content":"one two three four five six seven eight nine ten."}""");
        call.RunUntil(() => call.State == "speaking");
        call.Run(1);
        call.Client("""{"type":"user_text_message","text":"Stop!","urgency":"immediate"}""");
        call.RunUntil(() => call.Messages.Any(message => message.Text == "All right."));
        Assert.InRange(call.Messages[0].Text!.Split(' ').Length, 2, 5);
        Assert.Equal((MessageRole.User, "Stop!", MessageMedium.Text), (call.Messages[1].Role, call.Messages[1].Text, call.Messages[1].Medium));
    }

    [Fact]
    public async Task SoonText_WaitsForTheEndOfTheUtterance()
    {
        await using var call = new ConversationHarness().Start();
        call.Client("""{"type":"forced_agent_message","content":"one two three four five."}""");
        call.RunUntil(() => call.State == "speaking");
        call.Client("""{"type":"user_text_message","text":"And you?"}""");
        call.RunUntil(() => call.Messages.Any(message => message.Text == "All right."));
        Assert.Equal("one two three four five.", call.Messages[0].Text);
        Assert.Empty(call.FarEnd.Clears);
    }

    [Theory]
    [InlineData("""{"type":"user_text_message","text":"By the way.","urgency":"later"}""")]
    [InlineData("""{"type":"input_text_message","text":"By the way.","deferResponse":true}""")]
    public async Task LaterText_IsSeenByTheNextGenerationOnly(string message)
    {
        await using var call = new ConversationHarness().Start();
        call.Client(message);
        call.Run(2);
        Assert.Empty(call.Model.Requests);
        call.Speak(Seconds(0.5));
        call.RunUntil(() => call.Model.Requests.Count == 1);
        Assert.Equal(["By the way.", "hello"], call.Model.Requests[0].Messages.Select(item => item.Text));
    }

    [Fact]
    public async Task InputText_WithoutDefer_IsAnswered()
    {
        await using var call = new ConversationHarness().Start();
        call.Client("""{"type":"input_text_message","text":"Hi."}""");
        call.RunUntil(() => call.Messages.Count == 2);
    }

    [Fact]
    public async Task TextMedium_AnswersInWritingWithoutSound()
    {
        await using var call = new ConversationHarness().Start();
        call.Client("""{"type":"set_output_medium","medium":"text"}""");
        call.Client("""{"type":"user_text_message","text":"Hi."}""");
        call.RunUntil(() => call.Messages.Count == 2);
        Assert.Equal((MessageMedium.Text, "All right."), (call.Messages[1].Medium, call.Messages[1].Text));
        Assert.Empty(call.FarEnd.Frames);
        var final = call.FarEnd.OfType("transcript").Last();
        Assert.Equal(("agent", "text", true, "All right."), ((string?)final["role"], (string?)final["medium"], (bool)final["final"]!, (string?)final["text"]));
    }

    [Fact]
    public async Task OutputMedium_ChangesAfterTheCurrentUtterance()
    {
        await using var call = new ConversationHarness().Start();
        call.Client("""{"type":"forced_agent_message","content":"one two three four five."}""");
        call.RunUntil(() => call.State == "speaking");
        call.Client("""{"type":"set_output_medium","medium":"text"}""");
        call.RunUntil(() => call.State == "listening");
        Assert.Equal((MessageMedium.Voice, "one two three four five."), (call.Messages[0].Medium, call.Messages[0].Text));
    }

    [Theory]
    [InlineData("Bye bye.", "Bye bye.")]
    [InlineData("", null)]
    public async Task HangUp_SaysTheFarewellThenEnds(string message, string? said)
    {
        await using var call = new ConversationHarness().Start();
        call.Client($$"""{"type":"hang_up","message":"{{message}}"}""");
        call.RunUntil(() => call.Outcome is not null);
        Assert.Equal(EndReason.AgentHangup, call.Outcome!.Reason);
        Assert.Equal(said, call.Messages.SingleOrDefault()?.Text);
    }

    [Fact]
    public async Task RestMessage_IsTakenLikeAClients()
    {
        await using var call = new ConversationHarness().Start();
        Assert.True(call.Live.TryPost(new JsonObject { ["type"] = "hang_up", ["message"] = "Bye." }));
        call.RunUntil(() => call.Outcome is not null);
        Assert.Equal("Bye.", call.Messages.Single().Text);
        Assert.False(call.Live.TryPost(new JsonObject { ["type"] = "hang_up" }));
    }

    [Theory]
    [InlineData("nonsense", "not valid JSON")]
    [InlineData("[1,2]", "not a JSON object")]
    [InlineData("{}", "type: is required")]
    [InlineData("""{"type":"dance"}""", "type: 'dance' is not known")]
    [InlineData("""{"type":"user_text_message"}""", "text: is required")]
    [InlineData("""{"type":"user_text_message","text":7}""", "text: must be a string")]
    [InlineData("""{"type":"user_text_message","text":"x","urgency":"never"}""", "urgency: must be")]
    [InlineData("""{"type":"set_output_medium","medium":"smell"}""", "medium: must be voice or text")]
    [InlineData("""{"type":"forced_agent_message","toolCalls":[1]}""", "toolCalls: must be a list")]
    [InlineData("""{"type":"forced_agent_message","toolCalls":[{"name":3}]}""", "toolCalls[0].name: must be a string")]
    [InlineData("""{"type":"ping","timestamp":"\ud800"}""", "not valid JSON")]           // half a surrogate pair: could not be sent back
    [InlineData("""{"type":"forced_agent_message","toolCalls":[{"name":"x","arguments":{"\ud800":1}}]}""", "not valid JSON")]
    [InlineData("""{"type":"client_tool_result","invocationId":"i","updateCallState":{"a":{"b":1,"b":2}}}""", "not valid JSON")]
    public async Task BadMessage_IsIgnoredWithAnEventThatNamesTheField(string message, string error)
    {
        await using var call = new ConversationHarness().Start();
        call.Client(message);
        var item = call.Journal.Events.Single(item => item.Type == "invalid_message");
        Assert.Contains(error, item.Text, StringComparison.Ordinal);
        call.Speak(Seconds(0.5));
        call.RunUntil(() => call.State == "speaking");
    }

    [Fact]
    public async Task ClientTool_IsInvokedAndItsResultAnswered()
    {
        var call = new ConversationHarness();
        await using var _ = call;
        call.Stage = call.Stage with { Tools = [ConversationHarness.ClientTool("lookup", new DynamicParameter { Name = "orderId", Required = true, Schema = new JsonObject { ["type"] = "string" } })] };
        call.Model.Enqueue(new ModelDelta.Text("One moment."), new ModelDelta.ToolCall("i1", "lookup", """{"orderId":"7"}"""));
        call.Model.Enqueue(new ModelDelta.Text("It ships today."));
        call.Start().Speak(Seconds(0.5));
        call.RunUntil(() => call.FarEnd.OfType("client_tool_invocation").Any());
        var invocation = call.FarEnd.OfType("client_tool_invocation").Single();
        Assert.Equal(("lookup", "i1", """{"orderId":"7"}"""), ((string?)invocation["toolName"], (string?)invocation["invocationId"], invocation["parameters"]!.ToJsonString()));

        call.Client("""{"type":"client_tool_result","invocationId":"i1","result":"shipping","updateCallState":{"seen":true}}""");
        call.RunUntil(() => call.Messages.Any(message => message.Text == "It ships today."));

        Assert.Equal([MessageRole.User, MessageRole.Agent, MessageRole.ToolCall, MessageRole.ToolResult, MessageRole.Agent], call.Messages.Select(message => message.Role));
        Assert.Equal("shipping", call.Messages[3].Text);
        Assert.Equal("""{"seen":true}""", call.Messages[3].CallState!.ToJsonString());
        Assert.Equal(["hello", "One moment.", """{"orderId":"7"}""", "shipping"], call.Model.Requests[1].Messages.Select(message => message.Text));
    }

    [Fact]
    public async Task ClientTool_ThatNeverAnswers_TimesOutInWords()
    {
        var call = new ConversationHarness();
        await using var _ = call;
        call.Stage = call.Stage with { Tools = [ConversationHarness.ClientTool("lookup")] };
        call.Model.Enqueue(new ModelDelta.ToolCall("i1", "lookup", "{}"));
        call.Start().Speak(Seconds(0.5));
        call.RunUntil(() => call.Model.Requests.Count == 2);
        Assert.Contains("did not answer within 2.5 seconds", call.Model.Requests[1].Messages[^1].Text, StringComparison.Ordinal);
        Assert.True(call.HasEvent("tool_error"));
    }

    [Fact]
    public async Task ListensReaction_KeepsTheAgentSilent()
    {
        var call = new ConversationHarness();
        await using var _ = call;
        call.Stage = call.Stage with { Tools = [ConversationHarness.ClientTool("note")] };
        call.Model.Enqueue(new ModelDelta.ToolCall("i1", "note", "{}"));
        call.Start().Speak(Seconds(0.5));
        call.RunUntil(() => call.FarEnd.OfType("client_tool_invocation").Any());
        call.Client("""{"type":"client_tool_result","invocationId":"i1","result":"ok","agentReaction":"listens"}""");
        call.Run(3);
        Assert.Single(call.Model.Requests);
        Assert.Equal("listening", call.State);
    }

    [Fact]
    public async Task HangUpResponse_EndsTheCallAfterWhatWasSaidIsHeard()
    {
        var call = new ConversationHarness();
        await using var _ = call;
        call.Stage = call.Stage with { Tools = [ConversationHarness.ClientTool("finish")] };
        call.Model.Enqueue(new ModelDelta.Text("Thank you and goodbye for now."), new ModelDelta.ToolCall("i1", "finish", "{}"));
        call.Start().Speak(Seconds(0.5));
        call.RunUntil(() => call.FarEnd.OfType("client_tool_invocation").Any());
        call.Client("""{"type":"client_tool_result","invocationId":"i1","result":"","responseType":"hang-up"}""");
        call.RunUntil(() => call.Outcome is not null);
        Assert.Equal(EndReason.AgentHangup, call.Outcome!.Reason);
        Assert.Equal("Thank you and goodbye for now.", call.Messages[1].Text);
        Assert.InRange(call.FarEnd.Heard.Count, 6 * 4800 - 960, 6 * 4800);
    }

    [Fact]
    public async Task WrongArguments_GoBackToTheModel_AndTheToolDoesNotRun()
    {
        var call = new ConversationHarness();
        await using var _ = call;
        call.Stage = call.Stage with { Tools = [ConversationHarness.ClientTool("lookup", new DynamicParameter { Name = "orderId", Required = true, Schema = new JsonObject { ["type"] = "string" } })] };
        call.Model.Enqueue(new ModelDelta.ToolCall("i1", "lookup", """{"orderId":7}"""));
        call.Start().Speak(Seconds(0.5));
        call.RunUntil(() => call.Model.Requests.Count == 2);
        Assert.Empty(call.FarEnd.OfType("client_tool_invocation"));
        Assert.Contains("orderId: Must be of type string.", call.Model.Requests[1].Messages[^1].Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ToolsOfAnInterruptedAnswer_NeverRun()
    {
        var call = new ConversationHarness();
        await using var _ = call;
        call.Stage = call.Stage with { Tools = [ConversationHarness.ClientTool("order")] };
        call.Model.DelayPerDelta = Seconds(1.5);
        call.Model.Enqueue(new ModelDelta.Text("I will order that for you right now. "), new ModelDelta.Text("Just a moment please."), new ModelDelta.ToolCall("i1", "order", "{}"));
        call.Start().Speak(Seconds(0.5));
        call.RunUntil(() => call.State == "speaking");
        call.Speak(Seconds(0.5));
        call.Run(6);
        Assert.Empty(call.FarEnd.OfType("client_tool_invocation"));
        Assert.DoesNotContain(call.Messages, message => message.Role == MessageRole.ToolCall);
    }

    [Fact]
    public async Task ForcedMessage_WithKnownResult_IsSaidAndGoesOn()
    {
        var call = new ConversationHarness();
        await using var _ = call;
        call.Stage = call.Stage with { Tools = [ConversationHarness.ClientTool("lookup")] };
        call.Start();
        call.Client("""{"type":"forced_agent_message","content":"Let me look.","toolCalls":[{"id":"i9","name":"lookup","arguments":{"a":1}}],"knownToolResults":[{"invocationId":"i9","result":"42"}]}""");
        call.RunUntil(() => call.Messages.Any(message => message.Text == "All right."));
        Assert.Equal(["Let me look.", """{"a":1}""", "42", "All right."], call.Messages.Select(message => message.Text));
        Assert.Empty(call.FarEnd.OfType("client_tool_invocation"));
    }

    [Fact]
    public async Task ModelThatCallsToolsForEver_IsStopped()
    {
        var call = new ConversationHarness();
        await using var _ = call;
        call.Stage = call.Stage with { Tools = [ConversationHarness.ClientTool("x") with { Definition = new CallToolDefinition() }] };
        for (var i = 0; i < 20; i++) call.Model.Enqueue(new ModelDelta.ToolCall($"i{i}", "x", "{}"));
        call.Start().Speak(Seconds(0.5));
        call.RunUntil(() => call.HasEvent("too_many_tool_rounds"));
        Assert.Equal(call.Options.MaxModelRounds, call.Model.Requests.Count);
        call.RunUntil(() => call.State == "listening");
    }

    [Fact]
    public async Task ModelThatHears_GetsTheTurnAsSound()
    {
        await using var call = new ConversationHarness();
        call.Model.AcceptsAudio = true;
        call.Start().Speak(Seconds(1));
        call.RunUntil(() => call.Model.Requests.Count == 1);
        Assert.InRange(call.Model.Requests[0].Messages.Single().Audio.Length, 16_000, 32_000);
        call.RunUntil(() => call.Messages[0].Text == "hello");
    }
}
