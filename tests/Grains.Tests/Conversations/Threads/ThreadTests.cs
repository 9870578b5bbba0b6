using System.Text.Json.Nodes;
using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.GrainInterfaces.Tools;
using VoiceGrains.Grains.Calls.Conversations;
using VoiceGrains.Grains.Tools;
using VoiceGrains.Providers;
using VoiceGrains.Providers.Language;
using static VoiceGrains.Grains.Tests.Conversations.Threads.ThreadCall;

namespace VoiceGrains.Grains.Tests.Conversations.Threads;

/// <summary>Threads of a live call: spawning, how they go on and end, and that the main conversation never notices.</summary>
public class ThreadTests
{
    [Fact]
    public async Task Spawn_GeneratesFromACopyOfTheCall_AndTellsEachStep()
    {
        await using var call = New().Start();
        call.Text("UI", "I want a pizza.");
        call.RunUntil(() => call.Messages.Count == 2);
        call.Run(3);
        call.Model.Enqueue(Says("Let me "), Says("think."));
        call.Spawn("t", "Find toppings.");
        call.RunUntil(() => call.Completed("t").Count == 1);

        var request = call.Model.Requests[^1];
        Assert.Equal(["User:I want a pizza.", "Agent:All right.", "User:Find toppings."], TextsOf(request));
        Assert.Equal(("test-model", "Be kind."), (request.Model, request.SystemPrompt));
        Assert.Equal(
            ["thread_spawned", "side_generation_delta", "side_generation_delta", "side_generation_completed"],
            call.FarEnd.Messages.Select(item => (string)item.Message["type"]!).Where(type => type.StartsWith("thread", StringComparison.Ordinal) || type.StartsWith("side", StringComparison.Ordinal)));
        Assert.Equal(["Let me ", "think."], call.Sent("side_generation_delta", "delta"));
        var completed = call.FarEnd.OfType("side_generation_completed").Single();
        Assert.Equal(("t", "Let me think.", "[]"), ((string)completed["threadId"]!, (string)completed["text"]!, completed["toolCalls"]!.ToJsonString()));
        Assert.Equal(2, call.Messages.Count);       // nothing of the thread is the call's
    }

    [Fact]
    public async Task Spawn_WithoutAnId_MakesOneUp()
    {
        await using var call = New().Start();
        call.Client("""{"type":"spawn_thread","additionalMessages":[{"type":"user_text_message","text":"Go."}]}""");
        call.RunUntil(() => call.FarEnd.OfType("side_generation_completed").Any());
        var id = call.Sent("thread_spawned", "threadId").Single();
        Assert.True(Guid.TryParse(id, out _));
        Assert.Equal(["All right."], call.Completed(id));
    }

    [Theory]
    [InlineData("""[{"type":"user_text_message","text":"Hm?"}]""", "generating")]
    [InlineData("""[{"type":"user_text_message","text":"Hm?","urgency":"later"}]""", "generating")]
    [InlineData("""[{"type":"forced_agent_message","content":"Hello."}]""", "idle")]
    [InlineData("""[{"type":"user_text_message","text":"Hm?"},{"type":"forced_agent_message","content":"Hello."}]""", "idle")]
    [InlineData("""[{"type":"forced_agent_message","toolCalls":[{"id":"1","name":"ask"}],"knownToolResults":[{"invocationId":"1","result":"42"}]}]""", "generating")]
    [InlineData("""[{"type":"forced_agent_message","toolCalls":[{"id":"1","name":"ask"}],"knownToolResults":[{"invocationId":"1","result":"42","agentReaction":"listens"}]}]""", "idle")]
    [InlineData("""[{"type":"user_text_message","text":"Hm?"},{"type":"forced_agent_message","toolCalls":[{"id":"1","name":"ask"}]}]""", "calling_tool")]
    [InlineData("[]", "idle")]
    public async Task Spawn_GoesOnAsItsHistoryEnds(string messages, string state)
    {
        await using var call = New(ClientTool("ask"), Knowing("look", KnownParameter.ThreadStates)).Start();
        call.Model.Hangs = true;
        call.Spawn("t", null, $$"""{"additionalMessages":{{messages}}}""");
        Assert.Equal(["t"], call.Sent("thread_spawned", "threadId"));
        Assert.Equal(state, call.StatesSeenBy()["t"]!.GetValue<string>());
    }

    [Theory]
    [InlineData("""{"newThreadId":"UI"}""", "UI", "main conversation")]
    [InlineData("""{"newThreadId":"UI","ifExists":"replace"}""", "UI", "main conversation")]
    [InlineData("""{"newThreadId":"a"}""", "a", "already")]
    [InlineData("""{"newThreadId":"b","parentThreadId":"nobody"}""", "b", "'nobody' does not exist")]
    [InlineData("""{"newThreadId":"b","parentThreadId":"b"}""", "b", "'b' does not exist")]
    [InlineData("""{"newThreadId":"b","ifExists":"maybe"}""", "b", "ifExists: must be reject or replace.")]
    [InlineData("""{"newThreadId":"b","limits":{"generationLimit":0}}""", "b", "limits.generationLimit: must be a whole number of at least 1.")]
    [InlineData("""{"newThreadId":"b","limits":{"threadOutputTokenLimit":"many"}}""", "b", "limits.threadOutputTokenLimit")]
    [InlineData("""{"newThreadId":"b","limits":5}""", "b", "limits: must be an object.")]
    [InlineData("""{"newThreadId":"b","toolFilter":{"allowedTools":"all"}}""", "b", "toolFilter.allowedTools: must be a list of at most 256 strings.")]
    [InlineData("""{"newThreadId":"b","additionalMessages":[{"type":"hang_up"}]}""", "b", "additionalMessages[0].type: must be user_text_message or forced_agent_message.")]
    [InlineData("""{"newThreadId":"b","additionalMessages":[{"type":"user_text_message"}]}""", "b", "additionalMessages[0].text: is required")]
    [InlineData("""{"newThreadId":"b","additionalMessages":[{"type":"forced_agent_message","toolCalls":[{"name":"ask"}]},{"type":"user_text_message","text":"Go."}]}""", "b", "additionalMessages[0].knownToolResults: the result of 'ask' is missing")]
    [InlineData("""{"newThreadId":"b","additionalMessages":[{"type":"forced_agent_message","toolCalls":[{"id":"1","name":"ask"}],"knownToolResults":[{"invocationId":"1","responseType":"hang-up"}]}]}""", "b", "cannot end the call")]
    public async Task Spawn_ThatCannotBe_IsRejectedWithItsReason(string spawn, string id, string reason)
    {
        await using var call = New(ClientTool("ask")).Start();
        call.Spawn("a", null);
        var message = JsonNode.Parse(spawn)!.AsObject();
        message["type"] = "spawn_thread";
        call.Client(message.ToJsonString());
        Assert.Contains(reason, call.RejectionOf(id), StringComparison.Ordinal);
        Assert.Contains(call.Journal.Events, item => item.Type == "thread_rejected" && (string?)item.Extras!["threadId"] == id);
        Assert.Equal(["a"], call.Sent("thread_spawned", "threadId"));
    }

    [Fact]
    public async Task Replace_EndsTheOldThreadAndStartsAnew()
    {
        await using var call = New().Start();
        call.Model.Hangs = true;
        call.Spawn("t", "One.");
        call.Model.Hangs = false;
        call.Spawn("t", "Two.", """{"ifExists":"replace"}""");
        call.RunUntil(() => call.Completed("t").Count == 1);
        Assert.Equal("Another thread took its id.", call.EndOf("t"));
        Assert.Equal(1, call.Model.Cancelled);
        Assert.Equal(["User:Two."], TextsOf(call.Model.Requests[^1]));
        Assert.Equal(["t", "t"], call.Sent("thread_spawned", "threadId"));
    }

    [Fact]
    public async Task Replace_MayForkFromTheThreadThatItReplaces()
    {
        await using var call = New().Start();
        call.Spawn("t", "One.");
        call.RunUntil(() => call.Completed("t").Count == 1);
        call.Spawn("t", "Two.", """{"ifExists":"replace","parentThreadId":"t"}""");
        call.RunUntil(() => call.Completed("t").Count == 2);
        Assert.Equal(["User:One.", "Agent:All right.", "User:Two."], TextsOf(call.Model.Requests[^1]));
    }

    [Fact]
    public async Task ThreadOfAThread_HasItsParentsHistoryToolsAndState()
    {
        await using var call = New(ServerTool("look"), ServerTool("buy"), ServerTool("sell")).Start();
        call.Tools.Run = (_, _, _) => Task.FromResult(new ToolOutcome("ok") { UpdateCallState = new JsonObject { ["step"] = 2 } });
        call.Model.Enqueue(UsesTool("look"));
        call.Spawn("a", "One.", """{"toolFilter":{"disallowedTools":["sell"]}}""");
        call.RunUntil(() => call.Completed("a").Count == 2);
        JsonObject? seen = null;
        call.Tools.Run = (_, context, _) =>
        {
            seen = context.CallState;
            return Task.FromResult(new ToolOutcome("ok"));
        };
        call.Model.Enqueue(UsesTool("look"));
        call.Spawn("b", "Two.", """{"parentThreadId":"a","toolFilter":{"allowedTools":["look","sell"]}}""");
        call.RunUntil(() => call.Completed("b").Count == 2);
        Assert.Equal(["look", "buy"], call.Model.Requests[0].Tools.Select(tool => tool.Name));
        Assert.Equal(["look"], call.Model.Requests[^1].Tools.Select(tool => tool.Name));
        Assert.Equal("User:One.", TextsOf(call.Model.Requests[^1]).First());
        Assert.Equal(2, (int)seen!["step"]!);
    }

    [Fact]
    public async Task UnknownThread_IsAnEvent()
    {
        await using var call = New().Start();
        call.Text("nobody", "Hello?");
        call.Client("""{"type":"forced_agent_message","content":"Hello.","threadId":"nobody"}""");
        Assert.Equal(2, call.Journal.Events.Count(item => item.Type == "unknown_thread"));
        Assert.Empty(call.Messages);
    }

    [Fact]
    public async Task FailedModel_FailsItsThreadAlone()
    {
        await using var call = New(Knowing("states", KnownParameter.ThreadStates)).Start();
        call.Model.Failure = new ProviderException("m", ProviderFault.ServerError, "out of order");
        call.Spawn("t");
        call.RunUntil(() => call.EndOf("t") is not null);
        call.Model.Failure = null;
        Assert.Equal("failed: out of order", call.EndOf("t"));
        Assert.Equal("failed", call.StatesSeenBy("states")["t"]!.GetValue<string>());
        call.Text("t", "Anybody there?");
        Assert.True(call.HasEvent("thread_message_ignored"));
        call.Spawn("child", more: """{"parentThreadId":"t"}""");
        Assert.Contains("has failed", call.RejectionOf("child"), StringComparison.Ordinal);
        Assert.DoesNotContain(call.Messages, message => message.Text == call.Options.Apology);
        call.Spawn("t", "Once more.");          // a failed thread's id can be used again
        call.RunUntil(() => call.Completed("t").Count == 1);
        Assert.Null(call.Outcome);
    }

    [Fact]
    public async Task SilentModel_FailsTheThread()
    {
        await using var call = New().Start();
        call.Model.Hangs = true;
        call.Spawn("t");
        call.RunUntil(() => call.EndOf("t") is not null, 60);
        Assert.Equal("failed: The model was silent for 45 s.", call.EndOf("t"));
        Assert.Null(call.Outcome);
    }

    [Fact]
    public async Task EndOfTheCall_EndsItsThreads()
    {
        await using var call = New(ClientTool("slow")).Start();
        call.Model.Enqueue(UsesTool("slow"));
        call.Spawn("tool");
        call.RunUntil(() => call.FarEnd.OfType("client_tool_invocation").Any());
        call.Model.Hangs = true;
        call.Spawn("model");
        call.Spawn("idle", null);
        call.Client("""{"type":"hang_up"}""");
        call.RunUntil(() => call.Outcome is not null);
        Assert.Equal(["The call ended.", "The call ended.", "The call ended."], ((string[])["tool", "model", "idle"]).Select(call.EndOf));
        Assert.Equal(1, call.Model.Cancelled);
        Assert.Equal(EndReason.AgentHangup, call.Outcome!.Reason);
    }

    [Fact]
    public async Task StageChange_EndsThreads_AndNewOnesForkFromTheNewStage()
    {
        await using var call = New(ServerTool("escalate"));
        call.Stages.Voices[""] = new AgentVoice(call.Synthesizer, "v", null);
        call.Start();
        call.Model.Hangs = true;
        call.Spawn("t");
        call.Spawn("idle", null);
        call.Model.Hangs = false;
        call.Tools.Run = (_, _, _) => Task.FromResult(new ToolOutcome("") { NewStage = """{"systemPrompt":"You are the manager."}""" });
        call.Model.Enqueue(UsesTool("escalate"));
        call.Text("UI", "Your manager, please.");
        call.RunUntil(() => call.EndOf("idle") is not null);
        Assert.Equal(("The call's stage changed.", "The call's stage changed."), (call.EndOf("t"), call.EndOf("idle")));
        Assert.Equal(1, call.Model.Cancelled);
        call.RunUntil(() => call.Messages.Any(message => message.Text == "All right."));
        call.Spawn("t", "Anew.");
        call.RunUntil(() => call.Completed("t").Count == 1);
        Assert.Equal("You are the manager.", call.Model.Requests[^1].SystemPrompt);
        Assert.Equal("User:Your manager, please.", TextsOf(call.Model.Requests[^1]).First());
        Assert.Equal("stage-2", call.Journal.Events.Last(item => item.Type == "thread_spawned").CallStageId);
    }
}
