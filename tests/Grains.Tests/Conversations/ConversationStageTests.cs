using System.Text.Json.Nodes;
using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.GrainInterfaces.Tools;
using VoiceGrains.Grains.Calls;
using VoiceGrains.Grains.Calls.Conversations;
using VoiceGrains.Grains.Tools;
using VoiceGrains.Providers.Language;

namespace VoiceGrains.Grains.Tests.Conversations;

/// <summary>Stage changes in a live conversation: what goes over, in which order, and what becomes of those that fail.</summary>
public sealed class ConversationStageTests
{
    private static readonly CallTool Escalate = new() { CallToolId = "escalate", Name = "escalate", Definition = new CallToolDefinition() };
    private static readonly CallTool Note = Escalate with { CallToolId = "note", Name = "note" };

    [Fact]
    public async Task NewStage_TakesOverPromptTemperatureToolsAndVoice_AndGoesOnWithTheHistory()
    {
        await using var call = NewCall();
        var manager = call.Stages.Voices["manager"] = new AgentVoice(new WordSynthesizer(TimeSpan.FromMilliseconds(200), call.Clock), "m", null);
        call.Stages.Tools.Add(Note);
        call.Model.Enqueue(new ModelDelta.Text("I will get my manager."), new ModelDelta.ToolCall("i1", "escalate", "{}"));
        call.Model.Enqueue(new ModelDelta.Text("This is the manager."));
        Answer(call, """{"systemPrompt":"You are the manager.","temperature":0.7,"voice":"manager","selectedTools":[{"toolName":"note"}],"toolResultText":"(New stage) Apologize."}""");
        Ask(call);
        call.RunUntil(() => call.Messages.Any(message => message.Text == "This is the manager."));

        var request = call.Model.Requests[1];
        Assert.Equal(("You are the manager.", 0.7, "note"), (request.SystemPrompt, request.Temperature, Assert.Single(request.Tools).Name));
        Assert.Equal(["hello", "I will get my manager.", "{}", "(New stage) Apologize."], request.Messages.Select(message => message.Text));
        Assert.Equal(["This", "is", "the", "manager."], ((WordSynthesizer)manager.Synthesizer).Words);
        Assert.Equal(["I", "will", "get", "my", "manager."], call.Synthesizer.Words);
        var changed = Assert.Single(call.Journal.Events, item => item.Type == "stage_change");
        Assert.Equal(("stage-2", "stage", "stage-2", "escalate", "i1"), (
            changed.CallStageId, (string?)changed.Extras!["fromStageId"], (string?)changed.Extras["toStageId"], (string?)changed.Extras["toolName"], (string?)changed.Extras["invocationId"]));
    }

    [Fact]
    public async Task Messages_StayInTheirStage_AndTheNextOneBeginsWithThem()
    {
        await using var call = NewCall();
        call.Model.Enqueue(new ModelDelta.ToolCall("i1", "escalate", "{}"));
        Answer(call, """{"systemPrompt":"Next."}""");
        Ask(call);
        call.RunUntil(() => call.Messages.Any(message => message.Text == "All right."));

        Assert.Equal(
            [("stage", 0, "hello"), ("stage", 1, "{}"), ("stage", 2, "OK"), ("stage-2", 3, "All right.")],
            call.Messages.Select(message => (message.CallStageId!, message.CallStageMessageIndex, message.Text!)));
        var stored = Assert.Single(call.Stages.Stored);
        Assert.Equal([("stage-2", 0, "hello"), ("stage-2", 1, "{}"), ("stage-2", 2, "OK")], stored.InitialMessages.Select(message => (message.CallStageId!, message.CallStageMessageIndex, message.Text!)));
        Assert.All(stored.InitialMessages, message => Assert.True(message is { Timespan: null, WallClockTimespan: null }));
        Assert.DoesNotContain(call.Journal.All.Values, item => item.IsInitial && item.Message.CallStageId == "stage");
    }

    [Fact]
    public async Task AVoiceThatHasGone_IsToldOfInTheStageThatAskedForIt()
    {
        await using var call = NewCall();
        call.Stages.VoiceProblem = "Voice 'Anna' does not exist.";
        call.Model.Enqueue(new ModelDelta.ToolCall("i1", "escalate", "{}"));
        Answer(call, """{"systemPrompt":"Next."}""");
        Ask(call);
        call.RunUntil(() => call.Messages.Any(message => message.Text == "All right."));
        var told = Assert.Single(call.Journal.Events, item => item.Type == "voice_unavailable");
        Assert.Equal(("stage-2", Severity.Error, "Voice 'Anna' does not exist."), (told.CallStageId, told.Severity, told.Text));
    }

    [Fact]
    public async Task InitialMessages_TakeThePlaceOfTheHistory()
    {
        await using var call = NewCall();
        call.Model.Enqueue(new ModelDelta.ToolCall("i1", "escalate", "{}"));
        Answer(call, """{"initialMessages":[{"role":"MESSAGE_ROLE_USER","text":"My name is Bo."}]}""");
        Ask(call);
        call.RunUntil(() => call.Messages.Any(message => message.Text == "All right."));
        Assert.Equal(["My name is Bo."], call.Model.Requests[1].Messages.Select(message => message.Text));
        Assert.Equal(("stage-2", 1), (call.Messages[^1].CallStageId!, call.Messages[^1].CallStageMessageIndex));
        Assert.Equal("OK", call.Messages[^2].Text);
    }

    [Fact]
    public async Task AHistoryThatInvitesNobody_ComesWithAPrompt()
    {
        await using var call = NewCall();
        call.Model.Enqueue(new ModelDelta.ToolCall("i1", "escalate", "{}"));
        Answer(call, """{"initialMessages":[]}""");
        Ask(call);
        call.RunUntil(() => call.Messages.Any(message => message.Text == "All right."));
        Assert.Equal((ChatRole.System, call.Options.StagePrompt), (call.Model.Requests[1].Messages.Single().Role, call.Model.Requests[1].Messages.Single().Text));
    }

    [Theory]
    [InlineData("""{"voice":"Nobody"}""", "Voice 'Nobody' does not exist.")]
    [InlineData("<html>", "not valid JSON")]
    [InlineData("", "not valid JSON")]
    [InlineData("[1]", "must be a JSON object")]
    [InlineData("""{"temperature":7}""", "Must be between 0 and 1.")]
    [InlineData("""{"temperature":"7","systemPrompt":5}""", "A valid number is required.")]
    [InlineData("""{"systemPrompt":"a","systemPrompt":"b"}""", "not valid JSON")]
    [InlineData("""{"toolResultText":7}""", "Not a valid string.")]
    public async Task ABadBody_IsToldTheModelInWords_AndTheCallStaysInItsStage(string body, string details)
    {
        await using var call = NewCall();
        call.Model.Enqueue(new ModelDelta.ToolCall("i1", "escalate", "{}"));
        Answer(call, body);
        Ask(call);
        call.RunUntil(() => call.Messages.Any(message => message.Text == "All right."));
        var result = call.Messages.Single(message => message.Role == MessageRole.ToolResult);
        Assert.StartsWith("Error: The conversation could not be changed over", result.Text, StringComparison.Ordinal);
        Assert.Contains(details, result.ErrorDetails, StringComparison.Ordinal);
        Assert.All(call.Messages, message => Assert.Equal("stage", message.CallStageId));
        Assert.Equal("Be kind.", call.Model.Requests[1].SystemPrompt);
        Assert.Empty(call.Stages.Stored);
        Assert.Contains(call.Journal.Events, item => item.Type == "tool_error" && item.Text.Contains(details, StringComparison.Ordinal));
    }

    [Fact]
    public async Task FieldsThatNoStageChanges_AreIgnoredAndTold()
    {
        await using var call = NewCall();
        call.Model.Enqueue(new ModelDelta.ToolCall("i1", "escalate", "{}"));
        Answer(call, """{"systemPrompt":"Next.","model":"other","maxDuration":"5s","surprise":null}""");
        Ask(call);
        call.RunUntil(() => call.Model.Requests.Count == 2);
        Assert.Equal(("Next.", "test-model"), (call.Model.Requests[1].SystemPrompt, call.Model.Requests[1].Model));
        Assert.Contains("model, maxDuration, surprise", Assert.Single(call.Journal.Events, item => item.Type == "stage_fields_ignored").Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AStageThatTakesTooLong_IsGivenUp_AndComesNoMore()
    {
        await using var call = NewCall();
        var ready = new TaskCompletionSource();
        call.Stages.Ready = ready.Task;
        call.Model.Enqueue(new ModelDelta.ToolCall("i1", "escalate", "{}"));
        Answer(call, """{"systemPrompt":"Next."}""");
        Ask(call);
        call.RunUntil(() => call.Messages.Any(message => message.Text == "All right."));
        Assert.Contains("not ready within 10 s", call.Messages.Single(message => message.Role == MessageRole.ToolResult).ErrorDetails, StringComparison.Ordinal);
        ready.SetResult();
        call.Run(1);
        Assert.Empty(call.Stages.Stored);
    }

    [Fact]
    public async Task AStageThatCannotBeStored_IsNotEntered()
    {
        await using var call = NewCall();
        call.Stages.Store = () => new TaskCompletionSource<bool>().Task;
        call.Model.Enqueue(new ModelDelta.ToolCall("i1", "escalate", "{}"));
        Answer(call, """{"systemPrompt":"Next."}""");
        Ask(call);
        call.RunUntil(() => call.Messages.Any(message => message.Text == "All right."));
        Assert.Equal("Be kind.", call.Model.Requests[1].SystemPrompt);
        Assert.Contains("not stored within 10 s", call.Messages.Single(message => message.Role == MessageRole.ToolResult).ErrorDetails, StringComparison.Ordinal);
    }

    [Fact]
    public async Task NothingOfAStageIsUsed_BeforeItIsStored()
    {
        await using var call = NewCall();
        var stored = new TaskCompletionSource<bool>();
        call.Stages.Store = () => stored.Task;
        call.Model.Enqueue(new ModelDelta.ToolCall("i1", "escalate", "{}"));
        Answer(call, """{"systemPrompt":"Next."}""");
        Ask(call);
        call.RunUntil(() => call.Stages.Stored.Count == 1);
        call.Run(1);
        Assert.Single(call.Model.Requests);
        Assert.False(call.HasEvent("stage_change"));
        stored.SetResult(true);
        call.RunUntil(() => call.Model.Requests.Count == 2);
        Assert.Equal("Next.", call.Model.Requests[1].SystemPrompt);
    }

    [Theory]
    [InlineData("""{"systemPrompt":"Next."}""", new[] { "hello", "{}", "OK", "and another thing" })]
    [InlineData("""{"systemPrompt":"Next.","initialMessages":[{"role":"MESSAGE_ROLE_USER","text":"Hi."}]}""", new[] { "Hi.", "and another thing" })]
    public async Task WhatTheUserSaysWhileTheStageChanges_IsHeardByTheNewStage(string body, string[] history)
    {
        await using var call = NewCall();
        var stored = new TaskCompletionSource<bool>();
        call.Stages.Store = () => stored.Task;
        call.Recognizer.Texts.Enqueue("hello");
        call.Recognizer.Texts.Enqueue("and another thing");
        call.Model.Enqueue(new ModelDelta.ToolCall("i1", "escalate", "{}"));
        Answer(call, body);
        Ask(call);
        call.RunUntil(() => call.Stages.Stored.Count == 1);
        call.Speak(TimeSpan.FromSeconds(1));
        call.RunUntil(() => call.Messages.Any(message => message.Text == "and another thing"));
        stored.SetResult(true);
        call.RunUntil(() => call.Messages.Any(message => message.Text == "All right."));

        Assert.Equal(history, call.Model.Requests[1].Messages.Select(message => message.Text));
        var initial = call.Stages.Stored[0].InitialMessages.Concat(call.Journal.All.Values.Where(item => item.IsInitial).Select(item => item.Message))
            .Select(message => (message.CallStageMessageIndex, message.Text!)).Distinct().Order();
        Assert.Equal(history.Select((text, index) => (index, text)), initial);
        Assert.Equal(history.Length, call.Messages[^1].CallStageMessageIndex);
    }

    [Fact]
    public async Task WhatIsSpokenWhileTheStageChanges_EndsInBothStagesAsItWasHeard()
    {
        await using var call = NewCall();
        call.Client("""{"type":"forced_agent_message","content":"one two three four five six seven eight nine ten."}""");
        call.RunUntil(() => call.State == "speaking");
        call.Run(0.5);
        call.Client("""
            {"type":"forced_agent_message","urgency":"soon","toolCalls":[{"id":"k1","name":"escalate","arguments":{}}],
             "knownToolResults":[{"invocationId":"k1","responseType":"new-stage","result":"{}"}]}
            """);
        call.RunUntil(() => call.HasEvent("stage_change"));
        call.Run(0.5);
        call.Speak(TimeSpan.FromSeconds(1));
        call.RunUntil(() => call.HasEvent("interruption"));
        var original = call.Journal.All[("stage", 0)];
        var copy = call.Journal.All[("stage-2", 0)];
        Assert.InRange(original.Message.Text!.Length, "one two three".Length, 40);
        Assert.Equal((original.Message.Text, false, true), (copy.Message.Text, original.IsInitial, copy.IsInitial));
        Assert.Null(copy.Message.WallClockTimespan);
    }

    [Fact]
    public async Task OtherToolsOfTheRound_AreAwaited_AndBelongToTheStageBefore()
    {
        await using var call = NewCall(Escalate, Note);
        var note = new TaskCompletionSource();
        call.Tools.Run = async (invocation, _, _) =>
        {
            if (invocation.Tool.Name == "escalate") return new ToolOutcome("") { NewStage = """{"systemPrompt":"Next."}""" };
            await note.Task;
            return new ToolOutcome("noted") { UpdateCallState = new JsonObject { ["noted"] = true } };
        };
        call.Model.Enqueue(new ModelDelta.ToolCall("i1", "escalate", "{}"), new ModelDelta.ToolCall("i2", "note", "{}"));
        Ask(call);
        call.RunUntil(() => call.Tools.Invoked.Count == 2);
        call.Run(2);
        Assert.Empty(call.Stages.Stored);
        note.SetResult();
        call.RunUntil(() => call.Messages.Any(message => message.Text == "All right."));
        Assert.Equal(["hello", "{}", "{}", "OK", "noted"], call.Model.Requests[1].Messages.Select(message => message.Text));
        Assert.Equal("""{"noted":true}""", call.Stages.Stored[0].InitialState.ToJsonString());
    }

    [Fact]
    public async Task OfTwoStagesAtOnce_TheFirstIsEntered()
    {
        await using var call = NewCall(Escalate, Note);
        call.Tools.Run = (invocation, _, _)
            => Task.FromResult(new ToolOutcome("") { NewStage = $$"""{"systemPrompt":"From {{invocation.Tool.Name}}."}""" });
        call.Model.Enqueue(new ModelDelta.ToolCall("i1", "escalate", "{}"), new ModelDelta.ToolCall("i2", "note", "{}"));
        Ask(call);
        call.RunUntil(() => call.Model.Requests.Count == 2);
        Assert.Equal("From escalate.", call.Model.Requests[1].SystemPrompt);
        Assert.Single(call.Stages.Stored);
        Assert.Equal("Another tool is changing the stage already.", call.Messages.Single(message => message.InvocationId == "i2" && message.Role == MessageRole.ToolResult).ErrorDetails);
    }

    [Fact]
    public async Task AHangUpInTheSameRound_GoesFirst()
    {
        await using var call = NewCall(Escalate, Note);
        call.Tools.Run = (invocation, _, _) => Task.FromResult(invocation.Tool.Name == "note"
            ? new ToolOutcome("bye") { HangsUp = true }
            : new ToolOutcome("") { NewStage = "{}" });
        call.Model.Enqueue(new ModelDelta.Text("Goodbye then."), new ModelDelta.ToolCall("i1", "escalate", "{}"), new ModelDelta.ToolCall("i2", "note", "{}"));
        Ask(call);
        call.RunUntil(() => call.Outcome is not null);
        Assert.Equal(EndReason.AgentHangup, call.Outcome!.Reason);
        Assert.Empty(call.Stages.Stored);
    }

    [Fact]
    public async Task ACallThatEndsMeanwhile_EndsAtOnce()
    {
        await using var call = NewCall();
        call.Stages.Ready = new TaskCompletionSource().Task;
        call.Model.Enqueue(new ModelDelta.ToolCall("i1", "escalate", "{}"));
        Answer(call, """{"systemPrompt":"Next."}""");
        Ask(call);
        call.RunUntil(() => call.Tools.Invoked.Count == 1);
        call.FarEnd.Leave(MediaEnd.ClosedByClient);
        call.RunUntil(() => call.Outcome is not null, 1);
        Assert.Equal(EndReason.Hangup, call.Outcome!.Reason);
    }

    [Fact]
    public async Task StagesOfACall_AreBounded()
    {
        await using var call = NewCall();
        call.Options.MaxStages = 2;
        call.Options.MaxModelRounds = 4;
        for (var i = 1; i <= 3; i++) call.Model.Enqueue(new ModelDelta.ToolCall($"i{i}", "escalate", "{}"));
        Answer(call, "{}");
        Ask(call);
        call.RunUntil(() => call.Messages.Any(message => message.Text == "All right."));
        Assert.Single(call.Stages.Stored);
        Assert.Equal(2, call.Messages.Count(message => message.ErrorDetails == "The call has had 2 stages, which is the most."));
    }

    [Fact]
    public async Task State_GoesOnIntoTheNextStage_UnlessThatBringsItsOwn()
    {
        await using var call = NewCall(new JsonObject { ["a"] = 1, ["b"] = new JsonObject { ["x"] = 1 } });
        var bodies = new Queue<string>(["{}", """{"initialState":{"fresh":true}}""", "{}"]);
        var seen = new List<string>();
        call.Tools.Run = (invocation, context, _) =>
        {
            seen.Add(context.CallState.ToJsonString());
            return Task.FromResult(new ToolOutcome("") { NewStage = bodies.Dequeue(), UpdateCallState = new JsonObject { ["b"] = new JsonObject { ["y"] = seen.Count } } });
        };
        for (var i = 1; i <= 3; i++) call.Model.Enqueue(new ModelDelta.ToolCall($"i{i}", "escalate", "{}"));
        Ask(call);
        call.RunUntil(() => call.Messages.Any(message => message.Text == "All right."));
        Assert.Equal(["""{"a":1,"b":{"x":1}}""", """{"a":1,"b":{"y":1}}""", """{"fresh":true}"""], seen);
        Assert.Equal(["""{"a":1,"b":{"y":1}}""", """{"fresh":true}""", """{"fresh":true,"b":{"y":3}}"""], call.Stages.Stored.Select(stage => stage.InitialState.ToJsonString()));
        Assert.Equal("""{"a":1,"b":{"y":1}}""", call.Messages.First(message => message.Role == MessageRole.ToolResult).CallState!.ToJsonString());
    }

    [Fact]
    public async Task AStateThatIsTooLarge_StaysAsItWas()
    {
        await using var call = NewCall();
        call.Tools.Run = (invocation, _, _)
            => Task.FromResult(new ToolOutcome("done") { UpdateCallState = new JsonObject { ["big"] = new string('x', 70_000) } });
        call.Model.Enqueue(new ModelDelta.ToolCall("i1", "escalate", "{}"));
        Ask(call);
        call.RunUntil(() => call.Messages.Any(message => message.Text == "All right."));
        Assert.Null(call.Messages.Single(message => message.Role == MessageRole.ToolResult).CallState);
        Assert.True(call.HasEvent("call_state_refused"));
    }

    [Fact]
    public async Task VadAndInactivityOfTheStage_CountFromThenOn()
    {
        await using var call = NewCall();
        call.Model.Enqueue(new ModelDelta.ToolCall("i1", "escalate", "{}"));
        Answer(call, """{"vadSettings":{"minimumTurnDuration":"5s"},"inactivityMessages":[{"duration":"3s","message":"Still there?"}]}""");
        Ask(call);
        call.RunUntil(() => call.Messages.Any(message => message.Text == "All right."));
        call.RunUntil(() => call.Messages.Any(message => message.Text == "Still there?"));
        call.Speak(TimeSpan.FromSeconds(1));
        call.Run(4);
        Assert.Equal(2, call.Model.Requests.Count);
    }

    [Fact]
    public async Task Threads_EndWithTheStage()
    {
        await using var call = NewCall();
        call.Client("""{"type":"spawn_thread","newThreadId":"side"}""");
        call.RunUntil(() => call.FarEnd.OfType("thread_spawned").Any());
        call.Model.Enqueue(new ModelDelta.ToolCall("i1", "escalate", "{}"));
        Answer(call, "{}");
        Ask(call);
        call.RunUntil(() => call.HasEvent("stage_change"));
        Assert.Equal("side", (string?)call.FarEnd.OfType("thread_terminated").Single()["threadId"]);
    }

    [Fact]
    public async Task AClientTool_ChangesTheStage()
    {
        await using var call = NewCall(ConversationHarness.ClientTool("escalate"));
        call.Model.Enqueue(new ModelDelta.ToolCall("i1", "escalate", "{}"));
        Ask(call);
        call.RunUntil(() => call.FarEnd.OfType("client_tool_invocation").Any());
        call.Client("""{"type":"client_tool_result","invocationId":"i1","responseType":"new-stage","result":"{\"systemPrompt\":\"Next.\"}"}""");
        call.RunUntil(() => call.Messages.Any(message => message.Text == "All right."));
        Assert.Equal("Next.", call.Model.Requests[1].SystemPrompt);
    }

    [Fact]
    public async Task AForcedMessage_ChangesTheStageByAKnownResult()
    {
        await using var call = NewCall();
        call.Client("""
            {"type":"forced_agent_message","content":"Moving on.","toolCalls":[{"id":"k1","name":"anything","arguments":{}}],
             "knownToolResults":[{"invocationId":"k1","responseType":"new-stage","result":"{\"systemPrompt\":\"Next.\"}"}]}
            """);
        call.RunUntil(() => call.Messages.Any(message => message.Text == "All right."));
        Assert.Equal("Next.", Assert.Single(call.Model.Requests).SystemPrompt);
        Assert.Equal(["Moving on.", "{}", "OK"], call.Model.Requests[0].Messages.Select(message => message.Text));
    }

    [Fact]
    public async Task AToolThatListens_ChangesTheStageInSilence()
    {
        await using var call = NewCall();
        call.Model.Enqueue(new ModelDelta.ToolCall("i1", "escalate", "{}"));
        call.Tools.Run = (invocation, _, _)
            => Task.FromResult(new ToolOutcome("") { NewStage = """{"systemPrompt":"Next."}""", Reaction = Grains.Tools.ToolReaction.Listens });
        Ask(call);
        call.RunUntil(() => call.HasEvent("stage_change"));
        call.RunUntil(() => call.State == "listening");
        Assert.Single(call.Model.Requests);
        call.Speak(TimeSpan.FromSeconds(1));
        call.RunUntil(() => call.Model.Requests.Count == 2);
        Assert.Equal("Next.", call.Model.Requests[1].SystemPrompt);
    }

    [Fact]
    public async Task Tokens_AreCountedByStage()
    {
        await using var call = NewCall();
        call.Model.Enqueue(new ModelDelta.ToolCall("i1", "escalate", "{}"), new ModelDelta.Usage(100, 5));
        call.Model.Enqueue(new ModelDelta.Text("Yes."), new ModelDelta.Usage(40, 5));
        Answer(call, """{"systemPrompt":"Next."}""");
        Ask(call);
        call.RunUntil(() => call.Messages.Any(message => message.Text == "Yes."));
        Assert.Equal([new StageTokens("stage", 100), new StageTokens("stage-2", 40)], call.Journal.Tokens);
    }

    [Fact]
    public async Task Errors_AreCountedForTheLastStage()
    {
        await using var call = NewCall();
        call.Model.Enqueue(new ModelDelta.ToolCall("i1", "escalate", "{}"));
        call.Model.Enqueue(new ModelDelta.ToolCall("i2", "escalate", "{}"));
        var bodies = new Queue<string>(["broken", "{}"]);
        call.Tools.Run = (invocation, _, _) => Task.FromResult(new ToolOutcome("") { NewStage = bodies.Dequeue() });
        Ask(call);
        call.RunUntil(() => call.Messages.Any(message => message.Text == "All right."));
        call.FarEnd.Leave(MediaEnd.ClosedByClient);
        call.RunUntil(() => call.Outcome is not null);
        Assert.Equal(0, call.Outcome!.ErrorCount);
        Assert.Equal("stage", call.Journal.Events.Single(item => item.Severity == Severity.Error).CallStageId);
    }

    [Fact]
    public async Task AResumedStage_GoesOnWithItsHistoryAndState_AndDoesNotGreetAgain()
    {
        Message[] messages =
        [
            new() { Role = MessageRole.ToolResult, InvocationId = "i1", Text = "OK", CallStageId = "stage-2", CallStageMessageIndex = 0, CallState = new JsonObject { ["old"] = true } },
        ];
        await using var call = new ConversationHarness
        {
            Past = new CallPast { Messages = messages, InitialCount = 1, NextOrdinal = 3, Wall = TimeSpan.FromMinutes(1), Input = TimeSpan.FromMinutes(1) },
            LaterStage = new StageSettings { CallStageId = "stage-2", Model = "m", SystemPrompt = "Next.", Tools = [Escalate], InitialState = new JsonObject { ["fresh"] = true } },
        };
        call.Settings = call.Settings with { FirstSpeaker = new FirstSpeakerSettings { Agent = new AgentGreeting { Text = "Welcome!" } } };
        string? seen = null;
        call.Tools.Run = (invocation, context, _) =>
        {
            seen = context.CallState.ToJsonString();
            return Task.FromResult(new ToolOutcome("done"));
        };
        call.Model.Enqueue(new ModelDelta.ToolCall("i2", "escalate", "{}"));
        call.Start();
        call.RunUntil(() => call.Messages.Any(message => message.Text == "All right."));
        Assert.Equal("""{"fresh":true}""", seen);
        Assert.Equal("Next.", call.Model.Requests[0].SystemPrompt);
        Assert.DoesNotContain(call.Messages, message => message.Text == "Welcome!");
        Assert.All(call.Messages, message => Assert.Equal("stage-2", message.CallStageId));
    }

    private static ConversationHarness NewCall(params CallTool[] tools) => NewCall([], tools);

    private static ConversationHarness NewCall(JsonObject state, params CallTool[] tools)
    {
        var call = new ConversationHarness();
        call.Stage = call.Stage with { Tools = tools.Length > 0 ? tools : [Escalate], InitialState = state };
        call.Stages.Voices[""] = new AgentVoice(call.Synthesizer, "v", null);
        return call.Start();
    }

    /// <summary>What every tool answers.</summary>
    private static void Answer(ConversationHarness call, string body)
        => call.Tools.Run = (invocation, _, _) => Task.FromResult(new ToolOutcome("") { NewStage = body });

    private static void Ask(ConversationHarness call)
    {
        call.Speak(TimeSpan.FromSeconds(1));
        call.RunUntil(() => call.Model.Requests.Count > 0);
    }
}
