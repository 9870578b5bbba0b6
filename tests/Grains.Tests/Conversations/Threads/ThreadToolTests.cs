using System.Text.Json.Nodes;
using VoiceGrains.GrainInterfaces.Tools;
using VoiceGrains.Grains.Calls.Conversations;
using VoiceGrains.Grains.Tools;
using VoiceGrains.Providers.Language;
using static VoiceGrains.Grains.Tests.Conversations.Threads.ThreadCall;

namespace VoiceGrains.Grains.Tests.Conversations.Threads;

/// <summary>Tools of threads: which they have, how they run, and what their results may do.</summary>
public class ThreadToolTests
{
    [Theory]
    [InlineData("""{"allowedTools":["a","b"],"disallowedTools":["b","c"]}""", "a")]
    [InlineData("""{"allowedTools":[]}""", "")]
    [InlineData("""{"disallowedTools":["a"]}""", "b,c")]
    [InlineData("""{"allowedTools":["unheard-of"]}""", "")]
    [InlineData("{}", "a,b,c")]
    public async Task ToolFilter_AllowsFirstThenBlocks(string filter, string tools)
    {
        await using var call = New(ServerTool("a"), ServerTool("b"), ServerTool("c")).Start();
        call.Spawn("t", more: $$"""{"toolFilter":{{filter}}}""");
        call.RunUntil(() => call.Model.Requests.Count == 1);
        Assert.Equal(tools, string.Join(',', call.Model.Requests[0].Tools.Select(tool => tool.Name)));
    }

    [Fact]
    public async Task BlockedTool_IsRefusedToTheModelThatCallsItNevertheless()
    {
        await using var call = New(ServerTool("buy")).Start();
        call.Model.Enqueue(UsesTool("buy"));
        call.Spawn("t", more: """{"toolFilter":{"disallowedTools":["buy"]}}""");
        call.RunUntil(() => call.Completed("t").Count == 2);
        Assert.Equal("ToolResult:Error: There is no tool named 'buy'. There are no tools.", TextsOf(call.Model.Requests[^1]).Last());
        Assert.Empty(call.Tools.Invoked);
    }

    [Fact]
    public async Task ArgumentsThatAreNoText_AreRefused_AndTheCallGoesOn()
    {
        await using var call = New(ServerTool("buy")).Start();
        call.Model.Enqueue(new ModelDelta.ToolCall("i1", "buy", """{"what":"\ud800"}"""));
        call.Spawn("t");
        call.RunUntil(() => call.Completed("t").Count == 2);
        Assert.Equal("ToolResult:Error: The arguments hold text that is not valid Unicode.", TextsOf(call.Model.Requests[^1]).Last());
        Assert.False(call.HasEvent("system_error"));
    }

    [Fact]
    public async Task ToolsOfTheParentThatStillRun_AreNotRunAgain()
    {
        await using var call = New(ClientTool("order")).Start();
        call.Model.Enqueue(UsesTool("order"));
        call.Text("UI", "Order it.");
        call.RunUntil(() => call.FarEnd.OfType("client_tool_invocation").Any());
        call.Spawn("t", null);
        call.RunUntil(() => call.Completed("t").Count == 1);
        Assert.Single(call.FarEnd.OfType("client_tool_invocation"));
        Assert.Equal(["User:Order it.", "ToolCall:{}", "ToolResult:Not known here: the tool is being run by the conversation that this thread was forked from."], TextsOf(call.Model.Requests[^1]));
    }

    [Fact]
    public async Task ClientTool_OfAThread_RunsOverTheDataChannel_AndKnowsItsThread()
    {
        await using var call = New(Knowing("look", KnownParameter.ThreadId, KnownParameter.ThreadStates, KnownParameter.CallState, KnownParameter.ConversationHistory)).Start();
        call.Model.Enqueue(Says("One moment."), UsesTool("look"));
        call.Spawn("t", "Look it up.");
        call.RunUntil(() => call.FarEnd.OfType("client_tool_invocation").Any());
        var invocation = call.FarEnd.OfType("client_tool_invocation").Single();
        var parameters = invocation["parameters"]!;
        Assert.Equal("t", (string)parameters["ThreadId"]!);
        Assert.Equal("""{"UI":"idle","t":"calling_tool"}""", parameters["ThreadStates"]!.ToJsonString());
        Assert.Equal(1, (int)parameters["CallState"]!["step"]!);
        Assert.Equal(["Look it up.", "One moment.", "{}"], parameters["ConversationHistory"]!.AsArray().Select(message => (string)message!["text"]!));
        var id = (string)invocation["invocationId"]!;
        Assert.Equal(id, (string)call.FarEnd.OfType("side_generation_completed").Single()["toolCalls"]![0]!["id"]!);

        call.Client($$"""{"type":"client_tool_result","invocationId":"{{id}}","result":"found"}""");
        call.RunUntil(() => call.Completed("t").Count == 2);
        Assert.Equal("ToolResult:found", TextsOf(call.Model.Requests[^1]).Last());
        Assert.False(call.HasEvent("unexpected_tool_result"));
        call.Client($$"""{"type":"client_tool_result","invocationId":"{{id}}","result":"again"}""");
        Assert.True(call.HasEvent("unexpected_tool_result"));
    }

    [Fact]
    public async Task MainConversationsTool_SeesItsOwnThread()
    {
        await using var call = New(Knowing("look", KnownParameter.ThreadId, KnownParameter.ThreadStates)).Start();
        call.Spawn("t", null);
        call.Model.Enqueue(UsesTool("look"));
        call.Text("UI", "Look.");
        call.RunUntil(() => call.FarEnd.OfType("client_tool_invocation").Any());
        var parameters = call.FarEnd.OfType("client_tool_invocation").Single()["parameters"]!;
        Assert.Equal("UI", (string)parameters["ThreadId"]!);
        Assert.Equal("""{"UI":"calling_tool","t":"idle"}""", parameters["ThreadStates"]!.ToJsonString());
    }

    [Fact]
    public async Task CallStateOfAThread_StaysInTheThread()
    {
        await using var call = New(ServerTool("step")).Start();
        var seen = new List<string>();
        call.Tools.Run = (_, context, _) =>
        {
            seen.Add($"{context.ThreadId}:{context.CallState.ToJsonString()}");
            return Task.FromResult(new ToolOutcome("ok") { UpdateCallState = new JsonObject { ["step"] = (int)context.CallState["step"]! + 1 } });
        };
        call.Model.Enqueue(UsesTool("step"));
        call.Model.Enqueue(UsesTool("step"));
        call.Spawn("t");
        call.RunUntil(() => call.Completed("t").Count == 3);
        call.Model.Enqueue(UsesTool("step"));
        call.Text("UI", "Step.");
        call.RunUntil(() => seen.Count == 3);
        Assert.Equal(["""t:{"step":1}""", """t:{"step":2}""", """UI:{"step":1}"""], seen);
    }

    [Fact]
    public async Task CallStateThatWouldGrowTooLarge_StaysAsItWas()
    {
        await using var call = New(ServerTool("step")).Start();
        var seen = new List<int>();
        call.Tools.Run = (_, context, _) =>
        {
            seen.Add(context.CallState.Count);
            return Task.FromResult(new ToolOutcome("ok") { UpdateCallState = new JsonObject { ["more"] = new string('x', 70_000) } });
        };
        call.Model.Enqueue(UsesTool("step"));
        call.Model.Enqueue(UsesTool("step"));
        call.Spawn("t");
        call.RunUntil(() => call.Completed("t").Count == 3);
        Assert.Equal([1, 1], seen);
        Assert.True(call.HasEvent("call_state_refused"));
    }

    [Theory]
    [InlineData("hang-up", "A thread cannot end the call")]
    [InlineData("new-stage", "A thread cannot change the call's stage")]
    public async Task ResultThatActsOnTheCall_IsRefusedToTheThreadsModel(string responseType, string why)
    {
        await using var call = New(ClientTool("act")).Start();
        call.Model.Enqueue(UsesTool("act"));
        call.Spawn("t");
        call.RunUntil(() => call.FarEnd.OfType("client_tool_invocation").Any());
        var id = (string)call.FarEnd.OfType("client_tool_invocation").Single()["invocationId"]!;
        call.Client($$"""{"type":"client_tool_result","invocationId":"{{id}}","result":"{}","responseType":"{{responseType}}"}""");
        call.RunUntil(() => call.Completed("t").Count == 2);
        Assert.StartsWith($"ToolResult:Error: {why}", TextsOf(call.Model.Requests[^1]).Last(), StringComparison.Ordinal);
        call.Run(3);
        Assert.Null(call.Outcome);
        Assert.Equal("stage", call.Journal.Events[^1].CallStageId);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task ServerToolThatHangsUp_IsRefusedToo(bool softly)
    {
        await using var call = New(ServerTool("act")).Start();
        call.Tools.Run = (_, _, _) => Task.FromResult(softly ? new ToolOutcome("bye") { HangsUpUnlessUserActs = true } : new ToolOutcome("bye") { HangsUp = true });
        call.Model.Enqueue(UsesTool("act"));
        call.Spawn("t");
        call.RunUntil(() => call.Completed("t").Count == 2);
        Assert.StartsWith("ToolResult:Error: A thread cannot end the call", TextsOf(call.Model.Requests[^1]).Last(), StringComparison.Ordinal);
        Assert.Null(call.Outcome);
    }

    [Fact]
    public async Task BuiltInToolsOfTheVoiceCall_AreHiddenAndRefused()
    {
        await using var call = New(ServerTool("hangUp") with { BuiltIn = "hangUp" }, ServerTool("queryCorpus") with { BuiltIn = "queryCorpus" }).Start();
        call.Model.Enqueue(UsesTool("hangUp"));
        call.Spawn("t");
        call.RunUntil(() => call.Completed("t").Count == 2);
        Assert.Equal(["queryCorpus"], call.Model.Requests[0].Tools.Select(tool => tool.Name));
        Assert.Contains("only the main conversation", call.Model.Requests[^1].Messages[^1].Text, StringComparison.Ordinal);
        Assert.Empty(call.Tools.Invoked);
    }

    [Theory]
    [InlineData(AgentReaction.Speaks, 2)]
    [InlineData(AgentReaction.Listens, 1)]
    [InlineData(AgentReaction.SpeaksOnce, 1)]
    public async Task Reaction_DecidesWhetherTheThreadGoesOn(AgentReaction reaction, int generations)
    {
        await using var call = New(ServerTool("look", reaction), Knowing("states", KnownParameter.ThreadStates)).Start();
        call.Model.Enqueue(Says("Looking."), UsesTool("look"));
        call.Spawn("t");
        call.Run(1);
        Assert.Equal(generations, call.Model.Requests.Count);
        Assert.Equal("idle", call.StatesSeenBy("states")["t"]!.GetValue<string>());
    }

    [Fact]
    public async Task SpeaksOnce_WithoutWordsBefore_GoesOn()
    {
        await using var call = New(ServerTool("look", AgentReaction.SpeaksOnce)).Start();
        call.Model.Enqueue(UsesTool("look"));
        call.Spawn("t");
        call.RunUntil(() => call.Completed("t").Count == 2);
    }

    [Theory]
    [InlineData("not json", "not valid JSON")]
    [InlineData("{}", "city: Th")]
    [InlineData("""{"city":5}""", "city: Mu")]
    public async Task WrongArguments_GoBackToTheModel(string arguments, string why)
    {
        var tool = ClientTool("weather", new DynamicParameter { Name = "city", Location = ParameterLocation.Body, Schema = new JsonObject { ["type"] = "string" }, Required = true });
        await using var call = New(tool).Start();
        call.Model.Enqueue(UsesTool("weather", arguments));
        call.Spawn("t");
        call.RunUntil(() => call.Completed("t").Count == 2);
        Assert.Contains(why, call.Model.Requests[^1].Messages[^1].Text, StringComparison.Ordinal);
        Assert.True(call.HasEvent("tool_refused"));
        Assert.Empty(call.FarEnd.OfType("client_tool_invocation"));
    }

    [Fact]
    public async Task ToolThatNeverAnswers_TimesOut()
    {
        await using var call = New(ClientTool("slow")).Start();
        call.Model.Enqueue(UsesTool("slow"));
        call.Spawn("t");
        call.RunUntil(() => call.Completed("t").Count == 2, 5);
        Assert.Equal("ToolResult:Error: The tool did not answer within 2.5 seconds.", TextsOf(call.Model.Requests[^1]).Last());
    }

    [Fact]
    public async Task StaticResponse_DoesNotWaitForTheTool()
    {
        await using var call = New(ClientTool("note") with { Definition = new CallToolDefinition { Client = new EmptyDetails(), StaticResponse = new StaticToolResponse { ResponseText = "noted" } } }).Start();
        call.Model.Enqueue(UsesTool("note"));
        call.Spawn("t");
        call.RunUntil(() => call.Completed("t").Count == 2);
        Assert.Single(call.FarEnd.OfType("client_tool_invocation"));
        Assert.Equal("ToolResult:noted", TextsOf(call.Model.Requests[^1]).Last());
    }

    [Fact]
    public async Task RoundsOfTools_AreBounded()
    {
        await using var call = New(ServerTool("loop")).Start();
        for (var i = 0; i < 20; i++) call.Model.Enqueue(UsesTool("loop"));
        call.Spawn("t");
        call.RunUntil(() => call.HasEvent("too_many_tool_rounds"));
        call.Run(1);
        Assert.Equal(call.Options.MaxModelRounds, call.Model.Requests.Count);
        call.Model.Answers.Clear();
        call.Text("t", "Enough?");
        call.RunUntil(() => call.Completed("t")[^1] == "All right.");
    }

    [Fact]
    public async Task ParallelTools_AreBounded_AndAllAnswered()
    {
        await using var call = New(ServerTool("look")).Start();
        call.Model.Enqueue([.. Enumerable.Range(0, 20).Select(i => UsesTool("look", id: "same"))]);
        call.Spawn("t");
        call.RunUntil(() => call.Completed("t").Count == 2);
        Assert.Equal(16, call.Tools.Invoked.Count);
        Assert.Equal(16, call.Model.Requests[^1].Messages.Count(message => message.Role == ChatRole.ToolResult));
        Assert.Equal(16, call.Model.Requests[^1].Messages.Where(message => message.Role == ChatRole.ToolResult).Select(message => message.InvocationId).Distinct().Count());
        Assert.True(call.HasEvent("too_many_tools"));
    }
}
