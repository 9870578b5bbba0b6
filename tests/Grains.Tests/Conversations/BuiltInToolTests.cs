using System.Text.Json.Nodes;
using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.GrainInterfaces.Tools;
using VoiceGrains.Grains.Tools;
using VoiceGrains.Grains.Transfers;
using VoiceGrains.Media;
using VoiceGrains.Providers.Language;
using VoiceGrains.Tests.Shared;

namespace VoiceGrains.Grains.Tests.Conversations;

public class BuiltInToolTests
{
    [Fact]
    public async Task HangUp_WaitsUntilTheGoodbyeWasHeard()
    {
        await using var call = Calling("hangUp", "{}", "{}", "Good bye then.");
        call.RunUntil(() => call.Outcome is not null);

        Assert.Equal(EndReason.AgentHangup, call.Outcome!.Reason);
        Assert.Equal("The call ended: agent_hangup.", call.Journal.Events[^1].Text);
        Assert.Equal(3 * WordSamples, call.FarEnd.Heard.Count);
    }

    [Fact]
    public async Task SoftHangUp_EndsTheCall_WhenTheUserLetsIt()
    {
        await using var call = Calling("hangUp", """{"strict":false}""", "{}", "Good bye then.");
        call.RunUntil(() => call.FarEnd.Heard.Count == 3 * WordSamples);
        call.Run(1);
        Assert.Null(call.Outcome);
        call.RunUntil(() => call.Outcome is not null, 2);

        Assert.Equal(EndReason.AgentHangup, call.Outcome!.Reason);
    }

    [Fact]
    public async Task SoftHangUp_IsCalledOff_WhenTheUserSpeaks()
    {
        await using var call = Calling("hangUp", """{"strict":false}""", "{}", "Good bye then.");
        call.RunUntil(() => call.FarEnd.Heard.Count == 3 * WordSamples);
        call.Run(0.5);
        call.Speak(TimeSpan.FromSeconds(1));
        call.RunUntil(() => call.Model.Requests.Count == 2);
        call.Run(4);

        Assert.Null(call.Outcome);
    }

    [Fact]
    public async Task Voicemail_IsSaidToItsEnd_WhateverIsSpokenMeanwhile_ThenTheCallEnds()
    {
        await using var call = Calling("leaveVoicemail", "{}", """{"message":"one two three four five six seven eight"}""");
        call.RunUntil(() => call.State == "speaking");
        call.Run(0.5);
        call.Speak(TimeSpan.FromSeconds(1));
        call.RunUntil(() => call.Outcome is not null);

        Assert.Equal(EndReason.AgentHangup, call.Outcome!.Reason);
        Assert.Equal(8 * WordSamples, call.FarEnd.Heard.Count);
        Assert.False(call.HasEvent("interruption"));
        Assert.Equal("[Leaving voicemail...]", call.Messages.Single(message => message.Role == MessageRole.ToolResult).Text);
        Assert.Contains(call.Messages, message => message is { Role: MessageRole.Agent, Text: "one two three four five six seven eight" });
    }

    [Fact]
    public async Task Voicemail_ThatIsNotStrict_EndsInAConversation_WhenSomebodyAnswers()
    {
        await using var call = Calling("leaveVoicemail", """{"strict":false,"result":"Leaving it."}""", """{"message":"one two three four five six seven eight"}""");
        call.RunUntil(() => call.State == "speaking");
        call.Run(0.5);
        call.Speak(TimeSpan.FromSeconds(1));
        call.RunUntil(() => call.Model.Requests.Count == 2);
        call.Run(3);

        Assert.Null(call.Outcome);
        Assert.Equal("Leaving it.", call.Messages.Single(message => message.Role == MessageRole.ToolResult).Text);
        Assert.True(call.HasEvent("interruption"));
    }

    [Theory]
    [InlineData(8_000)]
    [InlineData(16_000)]
    [InlineData(48_000)]
    public async Task Tones_AreHeardAfterTheWords_ThoughSomebodyTalksOverThem(int rateHz)
    {
        await using var call = Calling("playDtmfSounds", "{}", """{"digits":"1590*#ad"}""", "One moment.", rateHz: rateHz);
        call.RunUntil(() => call.FarEnd.Heard.Count > 2 * rateHz * 3 / 10 + rateHz / 5);
        call.Speak(TimeSpan.FromSeconds(1));
        call.Recognizer.Default = "please hold the line";
        call.RunUntil(() => call.State == "speaking");
        call.RunUntil(() => call.FarEnd.Heard.Count >= 2 * rateHz * 3 / 10 + 8 * rateHz * 3 / 10);

        Assert.Equal("1590*#AD", Digits(call.FarEnd.Heard[(2 * rateHz * 3 / 10)..], rateHz));
        Assert.False(call.HasEvent("interruption"));
        Assert.Equal("Played 1590*#AD.", call.Messages.Single(message => message.Role == MessageRole.ToolResult).Text);
        Assert.DoesNotContain(call.Messages, message => message is { Role: MessageRole.Agent, Text: "" });
    }

    [Fact]
    public async Task Tones_HaveTheLengthsThatWereChosen()
    {
        await using var call = Calling("playDtmfSounds", """{"toneDuration":"0.5s","spaceDuration":"0.3s"}""", """{"digits":"55"}""");
        call.RunUntil(() => call.FarEnd.Heard.Count > 0);
        call.RunUntil(() => call.State == "listening");

        Assert.Equal(2 * 16_000 * 8 / 10, call.FarEnd.Heard.Count);
        Assert.Equal("55", Digits(call.FarEnd.Heard, 16_000));
        call.Run(2);
        Assert.Single(call.Model.Requests);      // the agent does not talk over the answer to its keys
        Assert.True(call.FarEnd.Heard.GetRange(16_000 / 2, 16_000 * 3 / 10).TrueForAll(sample => sample == 0));
    }

    [Fact]
    public async Task Tones_ThenHangUp_InOneBreath_AreHeardToTheEnd()
    {
        await using var call = Create(Tool("playDtmfSounds", "{}"), Tool("hangUp", "{}"));
        call.Model.Enqueue(new ModelDelta.ToolCall("a", "playDtmfSounds", """{"digits":"42"}"""), new ModelDelta.ToolCall("b", "hangUp", "{}"));
        Begin(call);
        call.RunUntil(() => call.Outcome is not null);

        Assert.Equal("42", Digits(call.FarEnd.Heard, 16_000));
    }

    [Theory]
    [InlineData(true, 1)]
    [InlineData(false, 0)]
    public async Task MediumThatSendsDigitsItself_IsAskedTo(bool sends, int times)
    {
        await using var call = Create(Tool("playDtmfSounds", "{}"));
        var phone = new TelephonyFarEnd(call.FarEnd) { SendsDtmf = sends };
        call.Port = phone;
        call.Model.Enqueue(new ModelDelta.Text("One moment."), new ModelDelta.ToolCall("a", "playDtmfSounds", """{"digits":"42"}"""));
        Begin(call);
        call.RunUntil(() => call.Messages.Any(message => message.Role == MessageRole.ToolResult));
        call.Run(2);

        Assert.Equal(times, phone.Dtmf.Count);
        Assert.Equal(sends ? "" : "42", Digits(call.FarEnd.Heard[(2 * WordSamples)..], 16_000));
        Assert.All(phone.Dtmf, sent => Assert.Equal(("42", TimeSpan.FromSeconds(0.2), TimeSpan.FromSeconds(0.1)), (sent.Digits, sent.Tone, sent.Space)));
    }

    [Theory]
    [InlineData("playDtmfSounds", """{"digits":"12E"}""", "Expected 1 to 64 of 0-9, *, # and A-D.")]
    [InlineData("playDtmfSounds", """{"digits":""}""", "Expected 1 to 64 of 0-9, *, # and A-D.")]
    [InlineData("leaveVoicemail", """{"message":" "}""", "There must be something to say.")]
    [InlineData("queryCorpus", """{"query":"opening hours"}""", "There is no knowledge base on this server")]
    [InlineData("coldTransfer", "{}", "This call cannot be transferred")]
    [InlineData("warmTransfer", """{"context":"x"}""", "This call cannot be transferred")]
    public async Task WhatCannotBeDone_IsToldInWords_AndTheAgentGoesOn(string name, string arguments, string words)
    {
        await using var call = Calling(name, name.EndsWith("Transfer", StringComparison.Ordinal) ? """{"target":"sip:a@example.com"}""" : "{}", arguments);
        call.RunUntil(() => call.Model.Requests.Count == 2);

        var result = call.Messages.Single(message => message.Role == MessageRole.ToolResult);
        Assert.StartsWith("Error: ", result.Text, StringComparison.Ordinal);
        Assert.Contains(words, result.Text, StringComparison.Ordinal);
        Assert.NotNull(result.ErrorDetails);
        Assert.Null(call.Outcome);
    }

    [Fact]
    public async Task ColdTransfer_WaitsUntilTheWordsWereHeard_ThenTheAgentLeaves()
    {
        await using var call = Create(Tool("coldTransfer", """{"target":"+15551234567","extraHeaders":{"X-Who":"me"},"sipVerb":"invite","from":"+1555","username":"u","password":"p","holdMusicUrl":"https://example.com/a.mp3"}"""));
        var phone = new TelephonyFarEnd(call.FarEnd);
        call.Port = phone;
        call.Model.Enqueue(new ModelDelta.Text("I connect you now."), new ModelDelta.ToolCall("a", "coldTransfer", "{}"));
        Begin(call);
        call.RunUntil(() => phone.Transfers.Count == 1);
        Assert.Equal(4 * WordSamples, call.FarEnd.Heard.Count);
        call.RunUntil(() => call.Outcome is not null);

        Assert.Equal(EndReason.AgentHangup, call.Outcome!.Reason);
        var transfer = Assert.IsType<ColdTransfer>(phone.Transfers[0].Transfer);
        Assert.Equal(("+15551234567", true, "me", "+1555", "u", "p", "https://example.com/a.mp3"),
            (transfer.Target, transfer.IsBridge, transfer.ExtraHeaders["X-Who"], transfer.From, transfer.Username, transfer.Password, transfer.HoldMusicUrl!.ToString()));
    }

    [Fact]
    public async Task TransferThatFails_GivesTheUserBackToTheAgent()
    {
        await using var call = Create(Tool("coldTransfer", """{"target":"sip:a@example.com"}"""));
        var phone = new TelephonyFarEnd(call.FarEnd) { Problem = "Nobody answered." };
        call.Port = phone;
        call.Model.Enqueue(new ModelDelta.ToolCall("a", "coldTransfer", "{}"));
        Begin(call);
        call.RunUntil(() => call.Model.Requests.Count == 2);
        call.Run(3);

        Assert.Null(call.Outcome);
        Assert.Contains("Nobody answered.", call.Messages.Single(message => message.Role == MessageRole.ToolResult).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task WarmTransfer_HandsOverTheContext()
    {
        await using var call = Create(Tool("warmTransfer", """{"target":"sip:a@example.com","transferType":"BRIDGE","transferSystemPromptTemplate":"Tell: {context}","inviteHeaders":{"X-A":"1"},"referHeaders":{"X-B":"2"}}"""));
        var phone = new TelephonyFarEnd(call.FarEnd);
        call.Port = phone;
        call.Model.Enqueue(new ModelDelta.ToolCall("a", "warmTransfer", """{"context":"Wants a donut."}"""));
        Begin(call);
        call.RunUntil(() => call.Outcome is not null);

        var transfer = Assert.IsType<WarmTransfer>(phone.Transfers[0].Transfer);
        Assert.Equal(("sip:a@example.com", "Wants a donut.", WarmTransferType.Bridge, "Tell: Wants a donut.", "1", "2"),
            (transfer.Target, transfer.Context, transfer.Type, transfer.SystemPrompt, transfer.InviteHeaders["X-A"], transfer.ReferHeaders["X-B"]));
    }

    private const int WordSamples = 4_800;

    private static ConversationHarness Calling(string name, string overrides, string arguments, string? words = null, int rateHz = 16_000)
    {
        var call = Create([Tool(name, overrides)], rateHz);
        ModelDelta tool = new ModelDelta.ToolCall("i1", name, arguments);
        call.Model.Enqueue(words is null ? [tool] : [new ModelDelta.Text(words), tool]);
        Begin(call);
        return call;
    }

    private static ConversationHarness Create(params CallTool[] tools) => Create(tools, 16_000);

    private static ConversationHarness Create(CallTool[] tools, int rateHz)
    {
        var call = new ConversationHarness(outputRateHz: rateHz);
        call.Stage = call.Stage with { Tools = tools };
        return call;
    }

    private static void Begin(ConversationHarness call)
    {
        call.Start();
        call.Client("""{"type":"user_text_message","text":"Go."}""");
    }

    private static CallTool Tool(string name, string overrides)
    {
        var definition = BuiltInTool.All.Single(tool => tool.Name == name).Definition;
        var given = JsonNode.Parse(overrides)!.AsObject();
        return new CallTool
        {
            CallToolId = name,
            Name = name,
            BuiltIn = name,
            Definition = new CallToolDefinition
            {
                Description = definition.Description,
                DynamicParameters = definition.DynamicParameters ?? [],
                StaticParameters = [.. definition.StaticParameters!.Select(p => given.TryGetPropertyValue(p.Name!, out var value) ? p with { Value = value?.DeepClone() } : p)],
                AutomaticParameters = definition.AutomaticParameters ?? [],
            },
        };
    }

    private static string Digits(List<short> pcm, int rateHz)
    {
        var digits = new char[100];
        return new string(digits, 0, new DtmfDetector(rateHz).Process(pcm.ToArray(), digits));
    }
}
