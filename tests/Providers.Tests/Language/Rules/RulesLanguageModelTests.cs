using System.Text.Json.Nodes;
using VoiceGrains.Providers.Language;
using VoiceGrains.Providers.Language.Rules;

namespace VoiceGrains.Providers.Tests.Language.Rules;

public sealed class RulesLanguageModelTests
{
    private static readonly RulesLanguageModel Model = new(new RulesModelOptions(), TimeProvider.System);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("You are Anna, a friendly customer support agent for Acme Inc. You help.", "Hello! This is Anna from Acme Inc. How can I help you?")]
    [InlineData("You're Mary Ann and you answer the phone.", "Hello! This is Mary Ann. How can I help you?")]
    [InlineData("You are a drive-thru order taker at a donut shop called \"Dr. Donut\".", "Hello, and welcome to Dr. Donut. How can I help you?")]
    [InlineData("You are a helpful assistant.", "Hello! How can I help you?")]
    [InlineData(null, "Hello! How can I help you?")]
    [InlineData("When the call starts: say \"Good day, this is the bakery.\"", "Good day, this is the bakery.")]
    public async Task WithoutHistory_GreetsAsWhoThePromptSays(string? prompt, string greeting)
        => Assert.Equal(greeting, (await AskAsync(prompt)).Text);

    [Fact]
    public async Task AGreetingPromptAfterAFormerCall_StillGreets()
        => Assert.Equal("Hello! This is Anna. How can I help you?", (await AskAsync(
            "You are Anna.", User("hi"), Agent("Bye."), new(ChatRole.System, "(The call has just begun. Greet the user, briefly and as your instructions say.)"))).Text);

    [Theory]
    [InlineData("(The user has joined. Greet the user.)", "Hello! This is Anna. How can I help you?")]
    [InlineData("Greet the user by saying \"Welcome back, Bob!\"", "Welcome back, Bob!")]
    public async Task AGreetingPromptAsFirstMessage_IsFollowedAndNotRepeated(string instruction, string greeting)
        => Assert.Equal(greeting, (await AskAsync("You are Anna.", User(instruction))).Text);

    private const string Shop = """
        You are Anna, the voice of Acme. Be brief.
        - When the user says "opening hours" or "when are you open": say "We are open from nine to five."
        - When the user asks "where is order *": say "Let me look." and call lookupOrder with {"orderId": "$1"}
        If the user says "set a timer for {#minutes} minutes", call setTimer with {"minutes": {minutes}, "label": "for {minutes} min"} and say "Set for {minutes} minutes."
        When the user says “speak to a human”: say "Gladly." then hang up.
        When lookupOrder answers: say "Order {orderId} is {status.text}."
        When lookupOrder fails: say "The order system is down."
        Otherwise: say "I can tell opening hours. You said {said}."
        """;

    [Theory]
    [InlineData("What are your Opening Hours?", "We are open from nine to five.")]
    [InlineData("hey, when are you open", "We are open from nine to five.")]
    [InlineData("purple elephants", "I can tell opening hours. You said purple elephants.")]
    public async Task ARule_AnswersWhatItWasTaught(string said, string answer) => Assert.Equal(answer, (await AskAsync(Shop, User(said))).Text);

    [Fact]
    public async Task ARule_CallsAToolWithItsCaptureAsWritten()
    {
        var answer = await AskAsync(Shop, User("Hi! Where is order AB-12 \"x\"?"));
        Assert.Equal("Let me look.", answer.Text);
        var call = Assert.Single(answer.Calls);
        Assert.Equal("lookupOrder", call.Name);
        Assert.Equal("AB-12 \"x", JsonNode.Parse(call.Arguments)!["orderId"]!.GetValue<string>());
    }

    [Theory]
    [InlineData("please set a timer for twenty five minutes")]
    [InlineData("Set a timer for 25 minutes.")]
    public async Task ANumber_IsTheSameInWordsAndDigits(string said)
    {
        var answer = await AskAsync(Shop, User(said));
        Assert.Equal("Set for 25 minutes.", answer.Text);
        Assert.Equal("""{"minutes": 25, "label": "for 25 min"}""", Assert.Single(answer.Calls).Arguments);
    }

    [Fact]
    public async Task HangUpInARule_CallsTheHangUpTool()
    {
        var answer = await AskAsync(Shop, User("let me speak to a human"));
        Assert.Equal("Gladly.", answer.Text);
        Assert.Equal("hangUp", Assert.Single(answer.Calls).Name);
    }

    [Theory]
    [InlineData("""{"orderId": "AB12", "status": {"text": "on its way"}}""", "Order AB12 is on its way.")]
    [InlineData("""{"error": "no such order"}""", "The order system is down.")]
    public async Task ARuleForAToolsAnswer_FillsInItsMembers(string result, string answer)
        => Assert.Equal(answer, (await AskAsync(Shop, User("where is order AB12"), Call("lookupOrder"), Result("lookupOrder", result))).Text);

    [Theory]
    [InlineData("""{"orderStatus": "shipped", "quantity": 3, "gift": true}""", "Order status is shipped, quantity is 3, gift is yes.")]
    [InlineData("It rains", "It rains.")]
    [InlineData("", "Done.")]
    public async Task AToolResultWithoutARule_IsSaidInWords(string result, string answer)
        => Assert.Equal(answer, (await AskAsync("You are Anna.", User("weather"), Call("weather"), Result("weather", result))).Text);

    [Fact]
    public async Task SeveralToolResults_AreAllAnsweredInOrder()
        => Assert.Equal("Sunny. Warm.", (await AskAsync(null, User("x"), Call("sky"), Call("air"), Result("sky", "Sunny"), Result("air", "Warm"))).Text);

    [Theory]
    [InlineData("go forward ten meters", "You said: go forward ten meters. What else can I do for you?")]
    [InlineData("Hello", "Hello! This is Anna. How can I help you?")]
    [InlineData("thank you very much", "You are welcome. Is there anything else?")]
    [InlineData("what is your name", "My name is Anna.")]
    [InlineData("please count to five", "One, two, three, four, five.")]
    [InlineData("Repeat after me: the quick brown fox", "the quick brown fox.")]
    [InlineData("can you hear me", "Yes, I can hear you.")]
    [InlineData("what did I say", "You have not said anything before that.")]
    [InlineData("  ", "Sorry, I did not understand that.")]
    public async Task WithoutRules_MakesSmallTalkOrRepeats(string said, string answer)
        => Assert.Equal(answer, (await AskAsync("You are Anna.", User(said))).Text);

    [Fact]
    public async Task AskedForAStory_SpeaksManySentences()
    {
        var story = (await AskAsync(null, User("Tell me a long story please"))).Text;
        Assert.True(story.Split(". ").Length >= 7, story);
    }

    [Theory]
    [InlineData(true, 1)]
    [InlineData(false, 0)]
    public async Task Goodbye_HangsUpWhereTheToolIsThere(bool withTool, int calls)
    {
        var answer = await AskAsync("You are Anna.", withTool ? [Tool("hangUp", "{}")] : [], User("okay thanks goodbye"));
        Assert.Equal("Goodbye!", answer.Text);
        Assert.Equal(calls, answer.Calls.Count);
    }

    [Theory]
    [InlineData("look up my order four two seven", """{"orderId":"427"}""")]
    [InlineData("Lookup order, number XY9 please", """{"orderId":"XY9"}""")]
    public async Task NamingATool_CallsItWithParametersFromTheText(string said, string arguments)
    {
        var answer = await AskAsync(null, [Tool("lookUpOrder", """{"type":"object","properties":{"orderId":{"type":"string"}},"required":["orderId"]}""")], User(said));
        var call = Assert.Single(answer.Calls);
        Assert.Equal("lookUpOrder", call.Name);
        Assert.Equal(arguments, call.Arguments);
    }

    [Fact]
    public async Task NamingAToolWithoutItsParameter_AsksForIt()
    {
        var answer = await AskAsync(null, [Tool("setTimer", """{"properties":{"minuteCount":{"type":"integer"}},"required":["minuteCount"]}""")], User("set timer"));
        Assert.Empty(answer.Calls);
        Assert.Equal("To set timer I need the minute count.", answer.Text);
    }

    [Fact]
    public async Task ASummary_QuotesWhatWasSaid()
    {
        var history = new[] { User("I want two donuts"), Agent("Sure."), Call("addToOrder"), Result("addToOrder", "ok"), User("Thanks") };
        Assert.Equal(
            "The user said \"I want two donuts\" and \"Thanks\". The agent answered \"Sure\". Tools used: add to order.",
            (await AskAsync("Summarize the following phone call.", history)).Text);
        Assert.Equal("The user said \"I want two donuts\".", (await AskAsync("Write a short summary of the conversation.", history)).Text);
        Assert.Equal(
            "The user said \"hi\". Tools used: look up.",
            (await AskAsync("Summarize the call whose transcript the user gives you.", User("User: hi\n(The agent used the tool lookUp.)\n"))).Text);
        Assert.Equal("The user said \"hi there\". The agent answered \"hello\".", (await AskAsync(null, User("Summarize this call.\nUser: hi there\nAgent: hello"))).Text);
    }

    [Fact]
    public async Task APromptThatMentionsSummaries_DoesNotMakeEveryTurnASummary()
        => Assert.StartsWith("You said:", (await AskAsync("You are Anna. At the end of the call, summarize the conversation.", User("blue paint"))).Text);

    [Fact]
    public async Task TheAnswer_IsStreamedByWordsAndEndsWithUsage()
    {
        var deltas = new List<ModelDelta>();
        await foreach (var delta in Model.GenerateAsync(new("rules", "You are Anna.", [User("blue paint")], []), Cancel))
            deltas.Add(delta);
        Assert.Equal(["You ", "said: ", "blue "], deltas.Take(3).Select(d => ((ModelDelta.Text)d).Value));
        Assert.Equal(new ModelDelta.Usage(6, 13), deltas[^1]);   // (13 + 10) / 4 and 51 / 4 characters, rounded up
    }

    [Fact]
    public async Task MaxOutputTokens_CutsTheAnswerAtAWord()
    {
        var request = new ModelRequest("rules", null, [User("tell me a story")], []) { MaxOutputTokens = 5 };
        Assert.Equal("Once upon a time ", (await CollectAsync(Model.GenerateAsync(request, Cancel))).Text);
    }

    [Fact]
    public async Task Cancelling_StopsTheStream()
    {
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var words = 0;
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (var _ in Model.GenerateAsync(new("rules", null, [User("tell me a story")], []), cancel.Token))
            {
                if (++words == 3) await cancel.CancelAsync();
            }
        });
        Assert.Equal(3, words);
    }

    [Theory]
    [InlineData("When the user says \"a\"")]                       // no action
    [InlineData("When the user says \"a\": dance")]                // no known action
    [InlineData("When the user says \"*\": say \"x\"")]            // matches everything
    [InlineData("When in doubt, ask \"why\": be kind.")]
    [InlineData("If the plan is \"gold\": say \"x\"")]             // not about what was said
    [InlineData("When the user says \"a: say x")]                  // open quote
    [InlineData("When the user says \"a\": call t with {\"x\": 1")]
    public async Task TextThatIsNoRule_IsLeftAlone(string prompt) => Assert.StartsWith("You said: a.", (await AskAsync(prompt, User("a"))).Text);

    private static ChatMessage User(string text) => new(ChatRole.User, text);

    private static ChatMessage Agent(string text) => new(ChatRole.Agent, text);

    private static ChatMessage Call(string tool) => new(ChatRole.ToolCall, "{}") { ToolName = tool, InvocationId = tool };

    private static ChatMessage Result(string tool, string result) => new(ChatRole.ToolResult, result) { ToolName = tool, InvocationId = tool };

    private static ModelTool Tool(string name, string schema) => new(name, "", JsonNode.Parse(schema)!.AsObject());

    private static Task<(string Text, List<ModelDelta.ToolCall> Calls)> AskAsync(string? prompt, params ChatMessage[] messages) => AskAsync(prompt, [], messages);

    private static Task<(string Text, List<ModelDelta.ToolCall> Calls)> AskAsync(string? prompt, ModelTool[] tools, params ChatMessage[] messages)
        => CollectAsync(Model.GenerateAsync(new("rules", prompt, messages, tools), Cancel));

    private static async Task<(string Text, List<ModelDelta.ToolCall> Calls)> CollectAsync(IAsyncEnumerable<ModelDelta> deltas)
    {
        var text = "";
        var calls = new List<ModelDelta.ToolCall>();
        await foreach (var delta in deltas)
        {
            if (delta is ModelDelta.Text words) text += words.Value;
            if (delta is ModelDelta.ToolCall call) calls.Add(call);
        }
        return (text, calls);
    }
}
