using System.Text.Json.Nodes;
using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.GrainInterfaces.Tools;
using VoiceGrains.Grains.Calls;
using VoiceGrains.Providers.Language;

namespace VoiceGrains.Grains.Tests.Conversations;

/// <summary>Tools that the client runs: every field of a result, and results that nobody waits for.</summary>
public sealed class ClientToolTests
{
    private static TimeSpan Seconds(double seconds) => TimeSpan.FromSeconds(seconds);

    /// <summary>A call whose model has just called the client's tool <c>look</c>, invocation <c>i1</c>.</summary>
    private static ConversationHarness Invoked(Func<CallToolDefinition, CallToolDefinition>? change = null)
    {
        var call = new ConversationHarness();
        var tool = ConversationHarness.ClientTool("look");
        call.Stage = call.Stage with { Tools = [tool with { Definition = (change ?? (same => same))(tool.Definition) }] };
        call.Model.Enqueue(new ModelDelta.ToolCall("i1", "look", "{}"));
        call.Start().Speak(Seconds(0.5));
        call.RunUntil(() => call.FarEnd.OfType("client_tool_invocation").Any());
        return call;
    }

    private static Message Result(ConversationHarness call) => call.Messages.Single(message => message.Role == MessageRole.ToolResult);

    [Theory]
    [InlineData("""{"type":"client_tool_result","invocationId":"i1","errorType":"undefined"}""", "Error: The client does not implement this tool.")]
    [InlineData("""{"type":"client_tool_result","invocationId":"i1","errorType":"undefined","errorMessage":"no look here"}""", "Error: no look here")]
    [InlineData("""{"type":"client_tool_result","invocationId":"i1","errorType":"implementation-error"}""", "Error: The client's tool failed.")]
    [InlineData("""{"type":"client_tool_result","invocationId":"i1","errorType":"implementation-error","errorMessage":"boom"}""", "Error: boom")]
    [InlineData("""{"type":"client_tool_result","invocationId":"i1","errorMessage":"boom"}""", "Error: boom")]
    public async Task Failure_IsToldInWords(string result, string told)
    {
        await using var call = Invoked();
        call.Client(result);
        call.RunUntil(() => call.Model.Requests.Count == 2);
        Assert.Equal(told, call.Model.Requests[1].Messages[^1].Text);
        Assert.Equal(told["Error: ".Length..], Result(call).ErrorDetails);
        Assert.True(call.HasEvent("tool_error"));
        Assert.True((bool)call.FarEnd.OfType("tool_used").Single()["isError"]!);
    }

    [Fact]
    public async Task EveryFieldOfAResult_IsUsed()
    {
        await using var call = Invoked();
        call.Client("""{"type":"client_tool_result","invocationId":"i1","result":"42","responseType":"tool-response","agentReaction":"listens","updateCallState":{"a":1,"b":{"c":null}}}""");
        call.Run(1);
        Assert.Single(call.Model.Requests);
        Assert.Equal(("42", null, """{"a":1,"b":{"c":null}}"""), (Result(call).Text, Result(call).ErrorDetails, Result(call).CallState!.ToJsonString()));
    }

    [Fact]
    public async Task UnknownResponseType_IsAPlainResultWithAWarning()
    {
        await using var call = Invoked();
        call.Client("""{"type":"client_tool_result","invocationId":"i1","result":"42","responseType":"explode"}""");
        call.RunUntil(() => call.Model.Requests.Count == 2);
        Assert.Equal("42", Result(call).Text);
        Assert.True(call.HasEvent("tool_warning"));
    }

    [Theory]
    [InlineData("i1", "a second time")]
    [InlineData("i7", "for no invocation")]
    public async Task ResultThatNobodyAskedFor_IsIgnored(string id, string why)
    {
        await using var call = Invoked();
        call.Client("""{"type":"client_tool_result","invocationId":"i1","result":"42"}""");
        call.Client($$"""{"type":"client_tool_result","invocationId":"{{id}}","result":"43","responseType":"hang-up"}""");
        call.Run(3);
        Assert.Contains(why, call.Journal.Events.Single(item => item.Type == "unexpected_tool_result").Text, StringComparison.Ordinal);
        Assert.Equal("42", Result(call).Text);
        Assert.Null(call.Outcome);
    }

    [Fact]
    public async Task ResultAfterTheTimeout_IsIgnored()
    {
        await using var call = Invoked(tool => tool with { Timeout = Seconds(0.4) });
        var asked = call.Now;
        call.RunUntil(() => call.Model.Requests.Count == 2);
        Assert.InRange(call.Now - asked, Seconds(0.35), Seconds(0.5));
        Assert.Contains("did not answer within 0.4 seconds", Result(call).Text, StringComparison.Ordinal);
        call.Client("""{"type":"client_tool_result","invocationId":"i1","result":"42","updateCallState":{"a":1}}""");
        call.Run(1);
        Assert.Contains("came too late", call.Journal.Events.Single(item => item.Type == "unexpected_tool_result").Text, StringComparison.Ordinal);
        Assert.Single(call.Messages, message => message.Role == MessageRole.ToolResult);
    }

    [Fact]
    public async Task Timeout_IsAtMost40Seconds()
    {
        await using var call = Invoked(tool => tool with { Timeout = Seconds(500) });
        var asked = call.Now;
        call.RunUntil(() => call.Model.Requests.Count == 2, limitSeconds: 60);
        Assert.InRange(call.Now - asked, Seconds(39.9), Seconds(40.1));
    }

    [Fact]
    public async Task StaticResponse_DoesNotWaitForTheClient_WhoseResultIsDropped()
    {
        await using var call = Invoked(tool => tool with { StaticResponse = new() { ResponseText = "Shown." } });
        call.RunUntil(() => call.Model.Requests.Count == 2);
        call.Client("""{"type":"client_tool_result","invocationId":"i1","result":"42","responseType":"hang-up"}""");
        call.Run(2);
        Assert.Equal("Shown.", Result(call).Text);
        Assert.Null(call.Outcome);
        Assert.False(call.HasEvent("unexpected_tool_result"));
    }

    [Fact]
    public async Task ClientThatLeaves_EndsTheCall_AndTheToolIsRecordedAsLost()
    {
        await using var call = Invoked();
        call.FarEnd.Leave(MediaEnd.ClosedByClient);
        call.RunUntil(() => call.Outcome is not null);
        Assert.Equal((EndReason.Hangup, "The call ended before the result came."), (call.Outcome!.Reason, Result(call).Text));
    }

    [Fact]
    public async Task ConnectionThatIsLost_LeavesTheToolOpen_ForTheCallThatGoesOn()
    {
        await using var call = Invoked();
        call.FarEnd.Leave(MediaEnd.Lost);
        call.RunUntil(() => call.Outcome is not null);
        Assert.True(call.Outcome!.MayResume);
        Assert.Equal(MessageRole.ToolCall, call.Messages[^1].Role);
    }

    [Fact]
    public async Task Invocation_CarriesAllParametersAsOneObject()
    {
        var call = new ConversationHarness();
        await using var _ = call;
        var tool = ConversationHarness.ClientTool("look", new DynamicParameter { Name = "at.x", Schema = new JsonObject { ["type"] = "integer" } }, new DynamicParameter { Name = "at.y", Schema = [] });
        call.Stage = call.Stage with
        {
            InitialState = new JsonObject { ["step"] = 1 },
            Tools = [tool with
            {
                ParameterOverrides = new Dictionary<string, JsonNode?> { ["at.y"] = 9 },
                Definition = tool.Definition with
                {
                    StaticParameters = [new() { Name = "unit", Value = "m" }],
                    AutomaticParameters = [new() { Name = "state", KnownValue = KnownParameter.CallState }],
                },
            }],
        };
        call.Model.Enqueue(new ModelDelta.ToolCall("i1", "look", """{"at.x":3,"at.y":0,"made.up":1}"""));
        call.Start().Speak(Seconds(0.5));
        call.RunUntil(() => call.FarEnd.OfType("client_tool_invocation").Any());
        Assert.Equal("""{"at":{"x":3,"y":9},"unit":"m","state":{"step":1}}""", call.FarEnd.OfType("client_tool_invocation").Single()["parameters"]!.ToJsonString());
        Assert.Equal(["at.x"], call.Model.Requests[0].Tools.Single().Parameters["properties"]!.AsObject().Select(property => property.Key));
    }
}
