using System.Text.Json.Nodes;
using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.Grains.Calls;
using VoiceGrains.GrainInterfaces.Tools;
using VoiceGrains.Grains.Calls.Conversations;
using VoiceGrains.Grains.Tools;
using VoiceGrains.Providers.Language;

namespace VoiceGrains.Grains.Tests.Conversations;

/// <summary>A conversation that goes on where a lost one stopped.</summary>
public sealed class ConversationResumeTests
{
    private static readonly Message Question = new() { Role = MessageRole.User, Text = "Is it open?", CallStageId = "stage", CallStageMessageIndex = 0 };
    private static readonly Message Answer = new() { Role = MessageRole.Agent, Text = "Until nine.", CallStageId = "stage", CallStageMessageIndex = 1 };

    [Fact]
    public async Task AnUnansweredUser_IsAnsweredAtOnce()
    {
        await using var call = new ConversationHarness { Past = Past(Question) };
        call.Model.Enqueue(new ModelDelta.Text("Until nine."));
        call.Start();
        call.RunUntil(() => call.Messages.Any(message => message.Text == "Until nine."));
        Assert.Equal("Is it open?", Assert.Single(call.Model.Requests).Messages.Single().Text);
        var answer = call.Messages.Single(message => message.Text == "Until nine.");
        Assert.Equal(1, answer.CallStageMessageIndex);
        Assert.True(answer.WallClockTimespan!.Start >= TimeSpan.FromMinutes(5));      // since the join, not since the return
        Assert.Contains(call.FarEnd.Messages, m => m.Message["type"]!.GetValue<string>() == "transcript" && m.Message["ordinal"]!.GetValue<int>() >= 7);
        Assert.Contains(call.Journal.Events, e => e.Type == "call_resumed");
    }

    [Fact]
    public async Task AnAgentThatHadAnswered_Listens_AndDoesNotGreetAgain()
    {
        await using var call = new ConversationHarness { Past = Past(Question, Answer) };
        call.Settings = call.Settings with { FirstSpeaker = new FirstSpeakerSettings { Agent = new AgentGreeting { Text = "Hello!" } } };
        call.Start();
        call.Run(5);
        Assert.Empty(call.Model.Requests);
        Assert.Equal("listening", call.FarEnd.Messages.Last(m => m.Message["type"]!.GetValue<string>() == "state").Message["state"]!.GetValue<string>());
    }

    [Fact]
    public async Task ACallThatWasLostBeforeAWordWasSaid_Begins()
    {
        await using var call = new ConversationHarness { Past = Past() };
        call.Settings = call.Settings with { FirstSpeaker = new FirstSpeakerSettings { Agent = new AgentGreeting { Text = "Hello!" } } };
        call.Start();
        call.RunUntil(() => call.Messages.Any(message => message.Text == "Hello!"));
    }

    [Fact]
    public async Task AToolWhoseResultNeverCame_IsToldToTheModel()
    {
        var open = new Message { Role = MessageRole.ToolCall, InvocationId = "i1", ToolName = "book", Text = "{}", CallStageId = "stage", CallStageMessageIndex = 1 };
        await using var call = new ConversationHarness { Past = Past(Question, open) };
        call.Model.Enqueue(new ModelDelta.Text("I am not sure that it is booked."));
        call.Start();
        call.RunUntil(() => call.Messages.Any(message => message.Role == MessageRole.Agent));
        var result = call.Messages.Single(message => message.Role == MessageRole.ToolResult);
        Assert.Equal(("i1", "book", 2), (result.InvocationId, result.ToolName, result.CallStageMessageIndex));
        Assert.Contains("not known", call.Model.Requests[0].Messages[^1].Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task MaximumDuration_CountsFromTheJoin()
    {
        await using var call = new ConversationHarness { Past = Past(Question, Answer) };
        call.Settings = call.Settings with { MaxDuration = TimeSpan.FromMinutes(5) + TimeSpan.FromSeconds(3) };
        call.Start();
        call.RunUntil(() => call.Outcome is not null, 10);
        Assert.Equal(EndReason.Timeout, call.Outcome!.Reason);
    }

    [Fact]
    public async Task CallState_IsWhatToolsLeft()
    {
        var result = new Message { Role = MessageRole.ToolResult, InvocationId = "i", CallState = new JsonObject { ["step"] = 2 }, CallStageId = "stage", CallStageMessageIndex = 1 };
        await using var call = new ConversationHarness { Past = Past(Question, result) };
        call.Stage = call.Stage with { InitialState = new JsonObject { ["step"] = 1 }, Tools = [ConversationHarness.ClientTool("next") with { Definition = new CallToolDefinition() }] };
        JsonObject? seen = null;
        call.Tools.Run = (_, context, _) =>
        {
            seen = context.CallState;
            return Task.FromResult(new ToolOutcome("done"));
        };
        call.Model.Enqueue(new ModelDelta.ToolCall("t", "next", "{}"));
        call.Start();
        call.RunUntil(() => seen is not null);
        Assert.Equal(2, seen!["step"]!.GetValue<int>());
    }

    private static CallPast Past(params Message[] messages)
        => new() { Messages = messages, NextOrdinal = 7, Wall = TimeSpan.FromMinutes(5), Input = TimeSpan.FromMinutes(4) };
}
