using System.Text.Json.Nodes;
using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.GrainInterfaces.Tools;
using VoiceGrains.Grains.Calls;
using VoiceGrains.Grains.Calls.Conversations;
using VoiceGrains.Grains.Tools;
using VoiceGrains.Providers.Language;

namespace VoiceGrains.Grains.Tests.Conversations;

/// <summary>When tools run, in which order their results come, and what the agent does afterwards.</summary>
public sealed class ConversationToolTests
{
    private static readonly ModelDelta[] SpeechThenTool = [new ModelDelta.Text("I will look that up for you."), new ModelDelta.ToolCall("i1", "look", "{}")];

    private static TimeSpan Seconds(double seconds) => TimeSpan.FromSeconds(seconds);

    private static ConversationHarness Call(params CallTool[] tools)
    {
        var call = new ConversationHarness();
        call.Stage = call.Stage with { Tools = tools };
        return call;
    }

    /// <summary>A tool that the test's invoker runs.</summary>
    private static CallTool Tool(string name, Func<CallToolDefinition, CallToolDefinition>? change = null)
        => ConversationHarness.ClientTool(name) with { Definition = (change ?? (same => same))(new CallToolDefinition { Http = new HttpToolDetails() }) };

    private static IEnumerable<string> Story(ConversationHarness call) => call.Messages.Select(message => $"{message.Role}:{message.Text}");

    [Fact]
    public async Task Tool_RunsOnlyOnceWhatWasSaidBeforeIt_WasHeard()
    {
        await using var call = Call(Tool("look"));
        TimeSpan? ran = null;
        call.Tools.Run = (_, _, _) =>
        {
            ran = call.Now;
            return Task.FromResult(new ToolOutcome("42"));
        };
        call.Model.Enqueue(SpeechThenTool);
        call.Start().Speak(Seconds(0.5));
        call.RunUntil(() => call.Model.Requests.Count == 2);
        var began = call.FarEnd.Frames[0].At;
        Assert.True(ran - began >= Seconds(7 * 0.3), $"seven words take 2.1 s, the tool ran after {ran - began}");
        Assert.Equal(["User:hello", "Agent:I will look that up for you.", "ToolCall:{}", "ToolResult:42"], Story(call));
    }

    [Fact]
    public async Task PrecomputableTool_RunsWhileTheAgentSpeaks_AndItsResultIsThereAtOnce()
    {
        await using var call = Call(Tool("look", tool => tool with { Precomputable = true }));
        call.Tools.Run = async (_, _, cancellationToken) =>
        {
            await Task.Delay(Seconds(1), call.Clock, cancellationToken);
            return new ToolOutcome("42");
        };
        call.Model.Enqueue(SpeechThenTool);
        call.Start().Speak(Seconds(0.5));
        call.RunUntil(() => call.State == "speaking");
        Assert.Equal(["look"], call.Tools.Invoked);
        Assert.DoesNotContain(call.Messages, message => message.Role == MessageRole.ToolCall);
        call.RunUntil(() => call.FarEnd.Heard.Count > 0);
        call.RunUntil(() => call.Model.Requests.Count == 2);
        var waited = call.Now - call.FarEnd.Frames[0].At;
        Assert.InRange(waited, Seconds(2.05), Seconds(2.3));
        Assert.Equal(["User:hello", "Agent:I will look that up for you.", "ToolCall:{}", "ToolResult:42"], Story(call));
    }

    [Fact]
    public async Task PrecomputableTool_OfAnInterruptedAnswer_LeavesNoRecord()
    {
        await using var call = Call(Tool("look", tool => tool with { Precomputable = true }));
        var cancelled = false;
        call.Tools.Run = async (_, _, cancellationToken) =>
        {
            using var _ = cancellationToken.Register(() => cancelled = true);
            await Task.Delay(Seconds(2), call.Clock, cancellationToken);
            return new ToolOutcome("42");
        };
        call.Model.Enqueue(SpeechThenTool);
        call.Start().Speak(Seconds(0.5));
        call.RunUntil(() => call.State == "speaking");
        call.Run(0.5);
        call.Speak(Seconds(0.5));
        call.RunUntil(() => call.Model.Requests.Count == 2);
        Assert.True(cancelled);
        Assert.DoesNotContain(call.Messages, message => message.Role is MessageRole.ToolCall or MessageRole.ToolResult);
        Assert.DoesNotContain(call.Model.Requests[1].Messages, message => message.Role is ChatRole.ToolCall);
        Assert.Contains("look", call.Journal.Events.Single(item => item.Type == "tools_discarded").Text, StringComparison.Ordinal);
        Assert.Empty(call.FarEnd.OfType("tool_used"));
    }

    [Fact]
    public async Task InterruptedAnswer_WithAHangUp_DoesNotEndTheCall()
    {
        await using var call = Call(Tool("finish"));
        call.Tools.Run = (_, _, _) => Task.FromResult(new ToolOutcome("bye") { HangsUp = true });
        call.Model.Enqueue(new ModelDelta.Text("Thank you for calling us and goodbye."), new ModelDelta.ToolCall("i1", "finish", "{}"));
        call.Start().Speak(Seconds(0.5));
        call.RunUntil(() => call.State == "speaking");
        call.Speak(Seconds(0.5));
        call.RunUntil(() => call.Model.Requests.Count == 2);
        call.Run(3);
        Assert.Null(call.Outcome);
        Assert.Empty(call.Tools.Invoked);
    }

    [Fact]
    public async Task HangUp_WaitsForTheOtherToolsOfItsRound()
    {
        await using var call = Call(Tool("finish"), Tool("save"));
        call.Tools.Run = async (invocation, _, cancellationToken) =>
        {
            if (invocation.Tool.Name == "finish") return new ToolOutcome("bye") { HangsUp = true };
            await Task.Delay(Seconds(1), call.Clock, cancellationToken);
            return new ToolOutcome("saved");
        };
        call.Model.Enqueue(new ModelDelta.ToolCall("i1", "finish", "{}"), new ModelDelta.ToolCall("i2", "save", "{}"));
        call.Start().Speak(Seconds(0.5));
        call.RunUntil(() => call.Outcome is not null);
        Assert.Equal(EndReason.AgentHangup, call.Outcome!.Reason);
        Assert.Equal(["ToolResult:bye", "ToolResult:saved"], Story(call).TakeLast(2));
    }

    [Fact]
    public async Task ParallelTools_RunTogether_AndTheirResultsComeInTheOrderOfTheCalls()
    {
        await using var call = Call(Tool("slow"), Tool("fast"));
        call.Tools.Run = async (invocation, context, cancellationToken) =>
        {
            await Task.Delay(Seconds(invocation.Tool.Name == "slow" ? 1 : 0.2), call.Clock, cancellationToken);
            return new ToolOutcome(invocation.Tool.Name) { UpdateCallState = new JsonObject { ["last"] = invocation.Tool.Name } };
        };
        call.Model.Enqueue(new ModelDelta.ToolCall("a", "slow", "{}"), new ModelDelta.ToolCall("b", "fast", "{}"));
        call.Start().Speak(Seconds(0.5));
        call.RunUntil(() => call.Tools.Invoked.Count == 2);
        var began = call.Now;
        call.RunUntil(() => call.Model.Requests.Count == 2);
        Assert.InRange(call.Now - began, Seconds(0.9), Seconds(1.1));
        Assert.Equal([("a", MessageRole.ToolCall), ("b", MessageRole.ToolCall), ("a", MessageRole.ToolResult), ("b", MessageRole.ToolResult)],
            call.Messages.Skip(1).Take(4).Select(message => (message.InvocationId!, message.Role)));
        Assert.Equal("""{"last":"fast"}""", call.Messages[4].CallState!.ToJsonString());
    }

    [Fact]
    public async Task IdsThatTheModelRepeats_AreMadeUnique()
    {
        await using var call = Call(Tool("look"));
        call.Model.Enqueue(new ModelDelta.ToolCall("call_0", "look", "{}"), new ModelDelta.ToolCall("call_0", "look", "{}"));
        call.Start().Speak(Seconds(0.5));
        call.RunUntil(() => call.Model.Requests.Count == 2);
        var ids = call.Messages.Where(message => message.Role == MessageRole.ToolCall).Select(message => message.InvocationId).ToArray();
        Assert.Equal(2, ids.Distinct().Count());
        Assert.Equal(ids, call.Messages.Where(message => message.Role == MessageRole.ToolResult).Select(message => message.InvocationId));
    }

    [Theory]
    [InlineData(AgentReaction.Speaks, null, true, true)]
    [InlineData(AgentReaction.Listens, null, true, false)]
    [InlineData(AgentReaction.SpeaksOnce, null, true, false)]
    [InlineData(AgentReaction.SpeaksOnce, null, false, true)]
    [InlineData(AgentReaction.Listens, "speaks", true, true)]
    [InlineData(AgentReaction.Speaks, "speaks-once", true, false)]
    [InlineData(AgentReaction.Speaks, "listens", false, false)]
    public async Task Reaction_ComesFromTheResult_ElseFromTheDefinition(AgentReaction byDefault, string? given, bool speaksBefore, bool speaksAfter)
    {
        await using var call = Call(Tool("look", tool => tool with { DefaultReaction = byDefault }));
        call.Tools.Run = (_, _, _) => Task.FromResult(new ToolOutcome("42") { Reaction = ToolSchema.ReadReaction(given) });
        call.Model.Enqueue(speaksBefore ? SpeechThenTool : [SpeechThenTool[1]]);
        call.Start().Speak(Seconds(0.5));
        call.RunUntil(() => call.Messages.Any(message => message.Role == MessageRole.ToolResult));
        call.Run(1);
        Assert.Equal(speaksAfter ? 2 : 1, call.Model.Requests.Count);
    }

    [Fact]
    public async Task SpeaksOnce_LooksAtItsOwnRoundOnly()
    {
        await using var call = Call(Tool("look"), Tool("save", tool => tool with { DefaultReaction = AgentReaction.SpeaksOnce }));
        call.Model.Enqueue(SpeechThenTool);
        call.Model.Enqueue(new ModelDelta.ToolCall("i2", "save", "{}"));
        call.Start().Speak(Seconds(0.5));
        call.RunUntil(() => call.Model.Requests.Count == 3);
    }

    [Fact]
    public async Task FailedTool_MakesTheAgentSpeak_EvenWhereItWouldListen()
    {
        await using var call = Call(Tool("look", tool => tool with { DefaultReaction = AgentReaction.Listens }));
        call.Tools.Run = (_, _, _) => Task.FromResult(ToolOutcome.Failed("It broke.", "Row 7 is locked."));
        call.Model.Enqueue(new ModelDelta.ToolCall("i1", "look", "{}"));
        call.Start().Speak(Seconds(0.5));
        call.RunUntil(() => call.Model.Requests.Count == 2);
        Assert.Equal("Error: It broke.", call.Model.Requests[1].Messages[^1].Text);
        Assert.Equal(("Error: It broke.", "Row 7 is locked."), (call.Messages[2].Text, call.Messages[2].ErrorDetails));
        Assert.Equal("look: Row 7 is locked.", call.Journal.Events.Single(item => item.Type == "tool_error").Text);
    }

    [Fact]
    public async Task SpeechDuringATool_GoesIntoTheNextGeneration_AndIsAnsweredOnce()
    {
        await using var call = Call(Tool("look"));
        call.Tools.Run = async (_, _, cancellationToken) =>
        {
            await Task.Delay(Seconds(2.3), call.Clock, cancellationToken);
            return new ToolOutcome("42");
        };
        call.Recognizer.Texts.Enqueue("hello");
        call.Recognizer.Texts.Enqueue("and hurry");
        call.Model.Enqueue(new ModelDelta.ToolCall("i1", "look", "{}"));
        call.Start().Speak(Seconds(0.5));
        call.RunUntil(() => call.Tools.Invoked.Count == 1);
        call.Speak(Seconds(0.5));
        call.RunUntil(() => call.Model.Requests.Count == 2);
        Assert.Equal(["hello", "{}", "and hurry", "42"], call.Model.Requests[1].Messages.Select(message => message.Text));
        call.Run(5);
        Assert.Equal(2, call.Model.Requests.Count);
    }

    [Fact]
    public async Task UserWhoStillSpeaksWhenTheToolEnds_IsHeardOutFirst()
    {
        await using var call = Call(Tool("look"));
        call.Tools.Run = async (_, _, cancellationToken) =>
        {
            await Task.Delay(Seconds(1), call.Clock, cancellationToken);
            return new ToolOutcome("42");
        };
        call.Model.Enqueue(new ModelDelta.ToolCall("i1", "look", "{}"));
        call.Start().Speak(Seconds(0.5));
        call.RunUntil(() => call.Tools.Invoked.Count == 1);
        call.Run(0.5);
        call.Speak(Seconds(1.5));
        call.RunUntil(() => call.Model.Requests.Count == 2);
        Assert.Equal(["hello", "{}", "42", "hello"], call.Model.Requests[1].Messages.Select(message => message.Text));
    }

    [Fact]
    public async Task StaticResponse_IsGivenAtOnce_AndAFailureIsStillLogged()
    {
        await using var call = Call(Tool("log", tool => tool with { StaticResponse = new() { ResponseText = "Noted." } }));
        call.Tools.Run = async (_, _, cancellationToken) =>
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, call.Clock, cancellationToken);
            return new ToolOutcome("never") { HangsUp = true };
        };
        call.Model.Enqueue(new ModelDelta.ToolCall("i1", "log", "{}"));
        call.Start().Speak(Seconds(0.5));
        call.RunUntil(() => call.Model.Requests.Count == 2);
        Assert.Equal("Noted.", call.Model.Requests[1].Messages[^1].Text);
        call.RunUntil(() => call.HasEvent("tool_error"));
        Assert.Null(call.Outcome);
        Assert.Single(call.Messages, message => message.Role == MessageRole.ToolResult);
    }

    [Fact]
    public async Task ModelThatCallsToolsForEver_GetsNoMore_AndTheCallerHearsSomething()
    {
        await using var call = Call(Tool("look"));
        for (var i = 0; i < 20; i++) call.Model.Enqueue(new ModelDelta.ToolCall($"i{i}", "look", "{}"));
        call.Start().Speak(Seconds(0.5));
        call.RunUntil(() => call.State == "listening" && call.Messages.Any(message => message.Role == MessageRole.Agent));
        Assert.Equal(call.Options.MaxModelRounds, call.Model.Requests.Count);
        Assert.Equal(call.Options.MaxModelRounds - 1, call.Tools.Invoked.Count);
        Assert.Empty(call.Model.Requests[^1].Tools);
        Assert.Equal(call.Options.NoMoreToolsPrompt, call.Model.Requests[^1].Messages[^1].Text);
        Assert.Equal(call.Options.Apology, call.Messages[^1].Text);
    }

    [Fact]
    public async Task InventedTool_IsAnsweredWithTheNamesOfThoseThatExist()
    {
        await using var call = Call(Tool("look"), Tool("save"));
        call.Model.Enqueue(new ModelDelta.ToolCall("i1", "fly", "{}"));
        call.Start().Speak(Seconds(0.5));
        call.RunUntil(() => call.Model.Requests.Count == 2);
        Assert.Equal("Error: There is no tool named 'fly'. The tools are: look, save.", call.Model.Requests[1].Messages[^1].Text);
        Assert.Empty(call.Tools.Invoked);
        Assert.True(call.HasEvent("tool_refused"));
    }

    [Fact]
    public async Task WhatTheModelMakesUp_IsKeptOnlyInPart()
    {
        await using var call = Call(Tool("look"));
        call.Model.Enqueue(new ModelDelta.ToolCall("i1", new string('n', 5000), "{}"), new ModelDelta.ToolCall("i2", "look", new string('a', 200_000)));
        call.Start().Speak(Seconds(0.5));
        call.RunUntil(() => call.Model.Requests.Count == 2);
        var calls = call.Messages.Where(message => message.Role == MessageRole.ToolCall).ToArray();
        Assert.Equal((64, 1001), (calls[0].ToolName!.Length, calls[1].Text!.Length));
        Assert.Equal("Error: The arguments are longer than 65536 characters.", call.Model.Requests[1].Messages[^1].Text);
        Assert.Empty(call.Tools.Invoked);
    }

    [Fact]
    public async Task TextMedium_HasNoPlaybackToWaitFor()
    {
        await using var call = Call(Tool("look"));
        call.Settings = call.Settings with { InitialOutputMedium = MessageMedium.Text };
        call.Model.Enqueue(SpeechThenTool);
        call.Start().Client("""{"type":"user_text_message","text":"Hi."}""");
        call.RunUntil(() => call.Model.Requests.Count == 2, limitSeconds: 0.2);
        Assert.Equal(["look"], call.Tools.Invoked);
    }

    [Fact]
    public async Task HistoryIsWrittenOut_OnlyForAToolThatAsks()
    {
        await using var call = Call(Tool("plain"), Tool("nosy", tool => tool with { AutomaticParameters = [new() { Name = "h", Location = ParameterLocation.Body, KnownValue = KnownParameter.ConversationHistory }] }));
        var histories = new List<int>();
        call.Tools.Run = (_, context, _) =>
        {
            histories.Add(context.ConversationHistory.Count);
            return Task.FromResult(new ToolOutcome("ok"));
        };
        call.Model.Enqueue(new ModelDelta.ToolCall("i1", "plain", "{}"), new ModelDelta.ToolCall("i2", "nosy", "{}"));
        call.Start().Speak(Seconds(0.5));
        call.RunUntil(() => histories.Count == 2);
        Assert.Equal([0, 3], histories);
    }

    [Fact]
    public async Task ToolThatRunsWhenTheCallEnds_IsRecordedAsLost()
    {
        await using var call = Call(Tool("look"));
        call.Tools.Run = async (_, _, cancellationToken) =>
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, call.Clock, cancellationToken);
            return new ToolOutcome("never");
        };
        call.Model.Enqueue(new ModelDelta.ToolCall("i1", "look", "{}"));
        call.Start().Speak(Seconds(0.5));
        call.RunUntil(() => call.Tools.Invoked.Count == 1);
        call.FarEnd.Leave(MediaEnd.ClosedByClient);
        call.RunUntil(() => call.Outcome is not null);
        Assert.Equal(("i1", "The call ended before the result came.", "The call ended."), (call.Messages[^1].InvocationId, call.Messages[^1].Text, call.Messages[^1].ErrorDetails));
    }

    [Fact]
    public async Task ForcedTools_RunAfterTheContentWasHeard()
    {
        await using var call = Call(Tool("look"));
        call.Start();
        call.Client("""{"type":"forced_agent_message","content":"Let me look.","toolCalls":[{"name":"look"}]}""");
        call.RunUntil(() => call.State == "speaking");
        Assert.Empty(call.Tools.Invoked);
        call.RunUntil(() => call.Model.Requests.Count == 1);
        Assert.Equal(["Agent:Let me look.", "ToolCall:{}", "ToolResult:done"], Story(call).Take(3));
    }

    [Fact]
    public async Task ForcedTools_BesideAnAnswer_AreAnsweredAfterIt()
    {
        await using var call = Call(Tool("look", tool => tool with { Timeout = Seconds(10) }));
        call.Tools.Run = async (_, _, cancellationToken) =>
        {
            await Task.Delay(Seconds(4), call.Clock, cancellationToken);
            return new ToolOutcome("42");
        };
        call.Model.DelayPerDelta = Seconds(0.5);
        call.Start().Speak(Seconds(0.5));
        call.RunUntil(() => call.Model.Requests.Count == 1);
        call.Client("""{"type":"forced_agent_message","urgency":"soon","toolCalls":[{"id":"f","name":"look"}]}""");
        call.RunUntil(() => call.Model.Requests.Count == 2);
        Assert.Equal(["User:hello", "ToolCall:{}", "Agent:All right.", "ToolResult:42"], Story(call).Take(4));
        call.Run(5);
        Assert.Equal(2, call.Model.Requests.Count);
    }

    [Fact]
    public async Task ForcedTools_OfAnInterruptedMessage_NeverRun()
    {
        await using var call = Call(Tool("look"));
        call.Start();
        call.Client("""{"type":"forced_agent_message","content":"Let me look at that for you.","toolCalls":[{"name":"look"}]}""");
        call.RunUntil(() => call.State == "speaking");
        call.Speak(Seconds(0.5));
        call.RunUntil(() => call.Model.Requests.Count == 1);
        Assert.Empty(call.Tools.Invoked);
    }

    [Fact]
    public async Task KnownResults_AreMatchedById_AndTheRestIsToldOf()
    {
        await using var call = Call(Tool("look"));
        call.Start();
        call.Client("""
            {"type":"forced_agent_message","toolCalls":[{"id":"a","name":"look"},{"id":"b","name":"look"}],
             "knownToolResults":[{"invocationId":"b","result":"from b"},{"invocationId":"b","result":"again"},{"invocationId":"z","result":"lost"}]}
            """);
        call.RunUntil(() => call.Model.Requests.Count == 1);
        Assert.Equal(["ToolCall:{}", "ToolCall:{}", "ToolResult:done", "ToolResult:again"], Story(call).Take(4));
        Assert.Equal(["look"], call.Tools.Invoked);
        Assert.Contains("'z'", call.Journal.Events.Single(item => item.Type == "unexpected_tool_result").Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task KnownHangUp_EndsTheCallOnceTheContentWasHeard()
    {
        await using var call = Call(Tool("look"));
        call.Start();
        call.Client("""{"type":"forced_agent_message","content":"one two three","toolCalls":[{"id":"a","name":"look"}],"knownToolResults":[{"invocationId":"a","result":"","responseType":"hang-up"}]}""");
        call.RunUntil(() => call.Outcome is not null);
        Assert.Equal((EndReason.AgentHangup, "one two three"), (call.Outcome!.Reason, call.Messages[0].Text));
    }
}
