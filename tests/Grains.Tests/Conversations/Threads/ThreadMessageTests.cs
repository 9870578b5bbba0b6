using System.Text.Json.Nodes;
using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.GrainInterfaces.Tools;
using VoiceGrains.Grains.Calls;
using VoiceGrains.Providers;
using VoiceGrains.Providers.Language;
using static VoiceGrains.Grains.Tests.Conversations.Threads.ThreadCall;

namespace VoiceGrains.Grains.Tests.Conversations.Threads;

/// <summary>Messages to threads and between them, the queue for the model, and clients that mean no good.</summary>
public class ThreadMessageTests
{
    [Fact]
    public async Task ImmediateText_CutsTheGenerationShort_AndKeepsWhatWasWritten()
    {
        await using var call = Writing();
        call.Text("t", "Stop. Something else.", "immediate");
        call.RunUntil(() => call.Completed("t").Count == 2);
        Assert.Equal(["one two ", "All right."], call.Completed("t"));
        Assert.Equal(["User:Go.", "Agent:one two", "User:Stop. Something else."], TextsOf(call.Model.Requests[^1]));
        Assert.Equal(1, call.Model.Cancelled);
    }

    [Fact]
    public async Task SoonText_WaitsForTheEndOfTheGeneration()
    {
        await using var call = Writing();
        call.Text("t", "And then?");
        call.RunUntil(() => call.Completed("t").Count == 2);
        Assert.Equal(["User:Go.", "Agent:one two three four", "User:And then?"], TextsOf(call.Model.Requests[^1]));
        Assert.Equal(0, call.Model.Cancelled);
    }

    [Fact]
    public async Task LaterText_IsSeenByTheNextGenerationOnly()
    {
        await using var call = Writing();
        call.Text("t", "By the way.", "later");
        call.Run(3);
        Assert.Single(call.Model.Requests);
        call.Text("t", "And this.", "later");
        call.Run(1);
        Assert.Single(call.Model.Requests);
        call.Text("t", "Now.");
        call.RunUntil(() => call.Completed("t").Count == 2);
        Assert.Equal(["User:By the way.", "User:And this.", "User:Now."], TextsOf(call.Model.Requests[^1]).TakeLast(3));
    }

    [Fact]
    public async Task Texts_KeepTheirOrder_AlsoBeforeAnImmediateOne()
    {
        await using var call = Writing();
        call.Text("t", "first");
        call.Text("t", "second", "later");
        call.Text("t", "third", "immediate");
        call.RunUntil(() => call.Completed("t").Count == 2);
        Assert.Equal(["Agent:one two", "User:first", "User:second", "User:third"], TextsOf(call.Model.Requests[^1]).Skip(1));
    }

    [Fact]
    public async Task TextWhileToolsRun_IsReadWithTheirResults_WhateverTheUrgency()
    {
        await using var call = New(ConversationHarness.ClientTool("look") with { Definition = new CallToolDefinition { Client = new EmptyDetails(), DefaultReaction = AgentReaction.Listens } }).Start();
        call.Model.Enqueue(UsesTool("look"));
        call.Spawn("t");
        call.RunUntil(() => call.FarEnd.OfType("client_tool_invocation").Any());
        call.Text("t", "Hurry!", "immediate");
        call.Run(0.5);
        Assert.Single(call.Model.Requests);
        var id = (string)call.FarEnd.OfType("client_tool_invocation").Single()["invocationId"]!;
        call.Client($$"""{"type":"client_tool_result","invocationId":"{{id}}","result":"found"}""");
        call.RunUntil(() => call.Completed("t").Count == 2);
        Assert.Equal(["ToolCall:{}", "ToolResult:found", "User:Hurry!"], TextsOf(call.Model.Requests[^1]).Skip(1));
    }

    [Fact]
    public async Task ForcedMessage_PutsWordsIntoTheThreadsMouth_AndRunsItsTools()
    {
        await using var call = New(ServerTool("look")).Start();
        call.Spawn("t", null);
        call.Client("""{"type":"forced_agent_message","threadId":"t","content":"I shall look."}""");
        call.Run(1);
        Assert.Empty(call.Model.Requests);
        call.Client("""{"type":"forced_agent_message","threadId":"t","toolCalls":[{"id":"x","name":"look"},{"id":"y","name":"nothing"},{"id":"z","name":"look"}],"knownToolResults":[{"invocationId":"z","result":"known"}]}""");
        call.RunUntil(() => call.Completed("t").Count == 1);
        Assert.Equal(["look"], call.Tools.Invoked);
        Assert.Equal(
            ["Agent:I shall look.", "ToolCall:{}", "ToolCall:{}", "ToolCall:{}", "ToolResult:Error: There is no tool named 'nothing'. The tools are: look.", "ToolResult:known", "ToolResult:done"],
            TextsOf(call.Model.Requests[0]));
        Assert.Empty(call.FarEnd.OfType("transcript"));
        Assert.Empty(call.FarEnd.Frames);
    }

    [Theory]
    [InlineData("immediate", "one two ")]
    [InlineData("soon", "one two three four")]
    public async Task ForcedMessage_ToABusyThread_ComesAsItsUrgencySays(string urgency, string written)
    {
        await using var call = Writing();
        call.Client($$"""{"type":"forced_agent_message","threadId":"t","content":"Enough.","urgency":"{{urgency}}"}""");
        call.Run(3);
        Assert.Equal([written], call.Completed("t"));
        Assert.Single(call.Model.Requests);
        call.Text("t", "Go on.");
        call.RunUntil(() => call.Completed("t").Count == 2);
        Assert.Equal([$"Agent:{written.Trim()}", "Agent:Enough."], TextsOf(call.Model.Requests[^1]).Skip(1).Take(2));
    }

    [Fact]
    public async Task RestMessages_ReachThreads_AndTheMainConversationFromThem()
    {
        await using var call = New().Start();
        call.Spawn("t", null);
        Assert.True(call.Live.TryPost(new JsonObject { ["type"] = "user_text_message", ["text"] = "Hello thread.", ["threadId"] = "t" }));
        call.RunUntil(() => call.Completed("t").Count == 1);
        Assert.Empty(call.Messages);
        Assert.True(call.Live.TryPost(new JsonObject { ["type"] = "forced_agent_message", ["content"] = "A thread told me.", ["threadId"] = "UI" }));
        call.RunUntil(() => call.Messages.Any(message => message.Text == "A thread told me."));
    }

    [Fact]
    public async Task MessagesThatWait_AreBounded()
    {
        await using var call = Writing();
        for (var i = 0; i < 20; i++) call.Text("t", $"message {i}");
        Assert.Equal(4, call.Journal.Events.Count(item => item.Type == "thread_message_ignored"));
        call.RunUntil(() => call.Completed("t").Count == 2);
        Assert.Equal("User:message 15", TextsOf(call.Model.Requests[^1]).Last());
    }

    [Fact]
    public async Task OnlySoManyThreadsGenerateAtOnce_TheOthersInTheirOrder()
    {
        await using var call = New();
        call.Options.MaxGeneratingThreads = 2;
        call.Start();
        call.Model.Delay = TimeSpan.FromSeconds(1);
        for (var i = 0; i < 5; i++) call.Spawn($"t{i}", $"{i}");
        Assert.Equal(["User:0", "User:1"], call.Model.Requests.Select(request => TextsOf(request).Single()));
        call.RunUntil(() => call.Completed("t1").Count == 1);
        Assert.Equal(["User:2", "User:3"], call.Model.Requests.Skip(2).Select(request => TextsOf(request).Single()));
        call.Spawn("t3", null, """{"ifExists":"replace"}""");            // gives its turn to the next
        call.Run(0.1);
        Assert.Equal("User:4", TextsOf(call.Model.Requests[^1]).Single());
        call.RunUntil(() => call.Completed("t4").Count == 1);
        Assert.Empty(call.Completed("t3"));
    }

    [Fact]
    public async Task WaitingThread_ThatGetsAnImmediateMessage_AnswersBothAtOnce()
    {
        await using var call = New();
        call.Options.MaxGeneratingThreads = 1;
        call.Start();
        call.Model.Delay = TimeSpan.FromSeconds(1);
        call.Spawn("a", "A.");
        call.Spawn("b", "B.");
        call.Text("b", "B again.", "immediate");
        call.RunUntil(() => call.Completed("b").Count == 1);
        Assert.Equal(["User:B.", "User:B again."], TextsOf(call.Model.Requests[^1]));
        Assert.Equal(2, call.Model.Requests.Count);
    }

    [Fact]
    public async Task HangingThreads_NeverHoldUpTheMainConversation()
    {
        await using var call = New(ConversationHarness.ClientTool("slow") with { Definition = new CallToolDefinition { Client = new EmptyDetails(), Timeout = TimeSpan.FromSeconds(40) } }).Start();
        call.Model.Enqueue(UsesTool("slow"));
        call.Spawn("tool");
        call.RunUntil(() => call.FarEnd.OfType("client_tool_invocation").Any());
        call.Model.Hangs = true;
        for (var i = 0; i < 8; i++) call.Spawn($"t{i}");
        call.Model.Hangs = false;
        var asked = call.Now;
        call.Text("UI", "Are you there?");
        call.RunUntil(() => call.FarEnd.OfType("transcript").Any(message => (string?)message["role"] == "agent" && (bool)message["final"]!));
        Assert.True(call.Now - asked < TimeSpan.FromSeconds(2));
        Assert.Equal(["Are you there?", "All right."], call.Messages.Select(message => message.Text));
    }

    [Fact]
    public async Task AThousandSpawns_AreRejectedBeyondTheBound_AndTheCallGoesOn()
    {
        await using var call = New().Start();
        call.Model.Hangs = true;
        for (var i = 0; i < 1_000; i++) call.Spawn($"t{i}");
        call.Model.Hangs = false;
        Assert.Equal(32, call.Sent("thread_spawned", "threadId").Count);
        Assert.Equal(968, call.Sent("thread_rejected", "threadId").Count);
        Assert.Contains("32 threads", call.RejectionOf("t999"), StringComparison.Ordinal);
        Assert.Equal(4, call.Model.Requests.Count);
        call.Spawn("t0", null, """{"ifExists":"replace"}""");       // which makes no more of them
        Assert.Equal(33, call.Sent("thread_spawned", "threadId").Count);
        call.Text("UI", "Still there?");
        call.RunUntil(() => call.Messages.Count == 2);
    }

    [Fact]
    public async Task FailedThreads_MakeRoom()
    {
        await using var call = New();
        call.Options.MaxThreads = 2;
        call.Start();
        call.Model.Failure = new ProviderException("m", ProviderFault.ServerError, "out of order");
        for (var i = 0; i < 5; i++) call.Spawn($"t{i}");
        call.RunUntil(() => call.Sent("thread_terminated", "threadId").Count == 5);
        Assert.Empty(call.FarEnd.OfType("thread_rejected"));
        call.Text("t0", "Gone?");
        Assert.True(call.HasEvent("unknown_thread"));
        call.Text("t4", "Failed?");
        Assert.True(call.HasEvent("thread_message_ignored"));
    }

    [Fact]
    public async Task TooManyMessages_AreRejected()
    {
        await using var call = New().Start();
        var messages = new JsonArray([.. Enumerable.Range(0, 65).Select(i => new JsonObject { ["type"] = "user_text_message", ["text"] = $"{i}" })]);
        call.Spawn("t", null, new JsonObject { ["additionalMessages"] = messages }.ToJsonString());
        Assert.Equal("additionalMessages: must be a list of at most 64 objects.", call.RejectionOf("t"));
        messages.RemoveAt(0);
        foreach (var message in messages) message!["text"] = new string('x', 60_000);
        call.Spawn("u", null, new JsonObject { ["additionalMessages"] = messages.DeepClone() }.ToJsonString());
        Assert.Contains("longer than 500000 characters", call.RejectionOf("u"), StringComparison.Ordinal);
        Assert.Empty(call.Model.Requests);
    }

    [Fact]
    public async Task OddIds_AreRejected_OrWorkAsTheyAre()
    {
        await using var call = New().Start();
        call.Spawn(new string('x', 65));
        Assert.Contains("newThreadId: must be at most 64 characters", call.Sent("thread_rejected", "reason").Single(), StringComparison.Ordinal);
        call.Spawn("a\nb");
        Assert.Equal(2, call.FarEnd.OfType("thread_rejected").Count());
        foreach (var id in (string[])["ui", " ", "{}", "idle", "Fäden 🧵"])
        {
            call.Spawn(id);
            call.RunUntil(() => call.Completed(id).Count == 1);
        }
    }

    [Fact]
    public async Task MessagesThatAreSwitchedOff_AreNotSent()
    {
        await using var call = New();
        call.Settings = call.Settings with
        {
            Medium = new CallMedium
            {
                ServerWebSocket = new WebSocketMedium
                {
                    InputSampleRate = 16_000,
                    DataMessages = new EnabledDataMessages { ThreadSpawned = false, ThreadRejected = false, ThreadTerminated = false, SideGenerationDelta = false },
                },
            },
        };
        call.Start();
        call.Spawn("t", more: """{"limits":{"generationLimit":1}}""");
        call.Spawn("t");
        call.RunUntil(() => call.Completed("t").Count == 1);
        call.Text("t", "More.");
        call.Run(1);
        Assert.True(call.HasEvent("thread_terminated") && call.HasEvent("thread_rejected"));
        Assert.DoesNotContain(call.FarEnd.Messages, item => (string)item.Message["type"]! is "thread_spawned" or "thread_rejected" or "thread_terminated" or "side_generation_delta");
    }

    [Fact]
    public async Task ThreadsOfALostConversation_AreToldWhenTheCallGoesOn()
    {
        await using var call = new ConversationHarness
        {
            Past = new CallPast { Messages = [], NextOrdinal = 0, Wall = TimeSpan.FromMinutes(1), Input = TimeSpan.FromMinutes(1), LostThreads = ["a", "b"] },
        };
        call.Start();
        Assert.Equal(["call_started", "thread_terminated", "thread_terminated"], call.FarEnd.Messages.Where(item => (string?)item.Message["type"] != "call_event").Take(3).Select(item => (string)item.Message["type"]!));
        Assert.Equal(["a", "b"], call.Sent("thread_terminated", "threadId"));
        Assert.Equal(2, call.Journal.Events.Count(item => item.Type == "thread_terminated"));
        call.Spawn("a");                 // nothing is left of it
        call.RunUntil(() => call.Completed("a").Count == 1);
    }

    /// <summary>A thread in the middle of "one two three four", a word each 200 ms.</summary>
    private static ConversationHarness Writing()
    {
        var call = New().Start();
        call.Model.DelayPerDelta = TimeSpan.FromSeconds(0.2);
        call.Model.Enqueue(Says("one "), Says("two "), Says("three "), Says("four"));
        call.Spawn("t");
        call.RunUntil(() => call.Sent("side_generation_delta", "delta").Count == 2);
        return call;
    }
}
