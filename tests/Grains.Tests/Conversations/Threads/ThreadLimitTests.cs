using VoiceGrains.Providers.Language;
using static VoiceGrains.Grains.Tests.Conversations.Threads.ThreadCall;

namespace VoiceGrains.Grains.Tests.Conversations.Threads;

/// <summary>Each limit of a thread: at the limit it lives, beyond it is terminated with the reason.</summary>
public class ThreadLimitTests
{
    private static readonly ModelDelta Usage = new ModelDelta.Usage(100, 20);

    [Theory]
    [InlineData("generationLimit", 2, 3)]
    [InlineData("threadOutputTokenLimit", 40, 3)]             // two generations of 20
    [InlineData("threadOutputTokenLimit", 39, 2)]
    [InlineData("threadFuzzyInputTokenLimit", 200, 3)]
    [InlineData("threadFuzzyInputTokenLimit", 199, 2)]
    [InlineData("generationOutputTokenLimit", 20, null)]
    [InlineData("generationOutputTokenLimit", 19, 1)]
    [InlineData("generationFuzzyInputTokenLimit", 100, null)]
    [InlineData("generationFuzzyInputTokenLimit", 99, 1)]
    public async Task PassingALimit_TerminatesTheThread_ByTheProvidersCount(string limit, long most, int? endsAtGeneration)
    {
        await using var call = New().Start();
        for (var i = 0; i < 4; i++) call.Model.Enqueue(Says("Yes."), Usage);
        call.Spawn("t", more: $$$"""{"limits":{"{{{limit}}}":{{{most}}}}}""");
        call.Run(0.1);
        for (var i = 2; i <= 4 && call.EndOf("t") is null; i++)
        {
            call.Text("t", "More?");
            call.Run(0.1);
            if (call.EndOf("t") is null) continue;
            Assert.Equal(endsAtGeneration, i);
        }
        if (endsAtGeneration is null) Assert.Null(call.EndOf("t"));
        else Assert.StartsWith($"{limit}: ", call.EndOf("t"), StringComparison.Ordinal);
        Assert.Equal(call.Completed("t").Count, call.Model.Requests.Count);
        Assert.False(call.HasEvent("thread_failed"));
    }

    [Fact]
    public async Task GenerationLimit_IsNotPassedByTheLastGenerationItself()
    {
        await using var call = New(ServerTool("look")).Start();
        call.Model.Enqueue(UsesTool("look"));
        call.Spawn("t", more: """{"limits":{"generationLimit":1}}""");
        call.RunUntil(() => call.EndOf("t") is not null);
        Assert.Equal(["look"], call.Tools.Invoked);
        Assert.Equal("generationLimit: 2 is more than the limit of 1.", call.EndOf("t"));
        Assert.Single(call.Model.Requests);
    }

    [Fact]
    public async Task WithoutAProvidersCount_FourCharactersAreAToken()
    {
        await using var call = New().Start();
        call.Model.Enqueue(Says(new string('x', 40)));
        call.Spawn("within", more: """{"limits":{"generationOutputTokenLimit":10}}""");
        call.RunUntil(() => call.Completed("within").Count == 1);
        Assert.Null(call.EndOf("within"));
        call.Model.Enqueue(Says(new string('x', 41)));
        call.Spawn("beyond", more: """{"limits":{"generationOutputTokenLimit":10}}""");
        call.RunUntil(() => call.EndOf("beyond") is not null);
        Assert.Equal("generationOutputTokenLimit: 11 is more than the limit of 10.", call.EndOf("beyond"));
        Assert.Equal([new string('x', 41)], call.Completed("beyond"));
    }

    [Fact]
    public async Task InputThatIsTooMuch_IsNeverSent()
    {
        await using var call = New().Start();
        call.Spawn("t", new string('x', 4_000), """{"limits":{"generationFuzzyInputTokenLimit":1000}}""");
        call.RunUntil(() => call.EndOf("t") is not null);
        Assert.StartsWith("generationFuzzyInputTokenLimit: 1002 ", call.EndOf("t"), StringComparison.Ordinal);       // with the system prompt
        call.Spawn("u", new string('x', 4_000), """{"limits":{"threadFuzzyInputTokenLimit":1000}}""");
        call.RunUntil(() => call.EndOf("u") is not null);
        Assert.StartsWith("threadFuzzyInputTokenLimit: 1002 ", call.EndOf("u"), StringComparison.Ordinal);
        Assert.Empty(call.Model.Requests);
    }

    [Fact]
    public async Task ModelThatWritesOnAndOn_IsCutOffAtOnce()
    {
        await using var call = New().Start();
        call.Model.DelayPerDelta = TimeSpan.FromMilliseconds(100);
        call.Model.Answers.Enqueue(_ => Enumerable.Repeat(Says("word word word word "), 1_000));
        call.Spawn("t", more: """{"limits":{"generationOutputTokenLimit":20}}""");
        call.RunUntil(() => call.EndOf("t") is not null, 5);
        Assert.StartsWith("generationOutputTokenLimit: ", call.EndOf("t"), StringComparison.Ordinal);
        Assert.InRange(call.Sent("side_generation_delta", "delta").Count, 8, 12);
        Assert.Equal(1, call.Model.Cancelled);
    }

    [Theory]
    [InlineData("""{"generationOutputTokenLimit":50}""", 51)]
    [InlineData("""{"threadOutputTokenLimit":30}""", 31)]
    [InlineData("""{"generationOutputTokenLimit":50,"threadOutputTokenLimit":30}""", 31)]
    [InlineData("""{"generationOutputTokenLimit":4095}""", 4096)]
    [InlineData("""{"generationOutputTokenLimit":4096}""", null)]       // more than some models allow
    [InlineData("""{"threadOutputTokenLimit":9223372036854775807}""", null)]
    [InlineData("{}", null)]
    public async Task Provider_IsAskedForNoMoreThanShowsThatALimitWasPassed(string limits, int? most)
    {
        await using var call = New().Start();
        call.Spawn("t", more: $$"""{"limits":{{limits}}}""");
        call.RunUntil(() => call.Model.Requests.Count == 1);
        Assert.Equal(most, call.Model.Requests[0].MaxOutputTokens);
    }

    [Fact]
    public async Task ToolsOfAGenerationThatPassedALimit_NeverRun()
    {
        await using var call = New(ServerTool("buy")).Start();
        call.Model.Enqueue(Says("Buying."), UsesTool("buy"), Usage);
        call.Spawn("t", more: """{"limits":{"threadOutputTokenLimit":19}}""");
        call.RunUntil(() => call.EndOf("t") is not null);
        Assert.Empty(call.Tools.Invoked);
        Assert.Equal(["Buying."], call.Completed("t"));
    }

    [Fact]
    public async Task GenerationWithoutEnd_IsCutAtTheLongestText()
    {
        await using var call = New().Start();
        call.Model.Answers.Enqueue(_ => Enumerable.Repeat(Says(new string('x', 1_000)), 100));
        call.Spawn("t");
        call.RunUntil(() => call.HasEvent("answer_too_long"));
        call.RunUntil(() => call.Completed("t").Count == 1);
        Assert.Equal(21_000, call.Completed("t")[0].Length);
        call.Text("t", "And?");
        call.RunUntil(() => call.Completed("t").Count == 2);
    }

    [Fact]
    public async Task HistoryThatGrowsTooLong_TerminatesTheThread()
    {
        await using var call = New();
        call.Options.MaxThreadCharacters = 1_000;
        call.Start();
        call.Spawn("long", new string('x', 1_001));
        Assert.Equal("The thread's history would be longer than 1000 characters.", call.RejectionOf("long"));
        call.Spawn("t", new string('x', 900));
        call.RunUntil(() => call.Completed("t").Count == 1);
        call.Text("t", new string('x', 100), "later");
        Assert.Equal("The thread's history is longer than 1000 characters.", call.EndOf("t"));
    }
}
