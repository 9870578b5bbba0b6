using System.Threading.Channels;
using VoiceGrains.Providers.Synthesis;
using VoiceGrains.Tests.Fakes.Voices;

namespace VoiceGrains.Providers.Tests.Synthesis.External;

/// <summary>What all voices over WebSockets have in common, against a fake of each provider.</summary>
public sealed class StreamedVoiceTests
{
    private const string First = "Hello there, my friend. ", Second = "How are you today?";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static TheoryData<string> Providers => ["eleven_labs", "cartesia", "lmnt"];

    [Theory, MemberData(nameof(Providers))]
    public async Task Sentences_AreSpokenWhole_WithEachWordAtItsTime(string provider)
    {
        await using var bench = await VoiceBench.StartAsync(provider);
        var spoken = await bench.SpeakAsync(First, "  ", Second);

        var (first, second) = (bench.Server.Spoken.First(), bench.Server.Spoken.Last());
        Assert.Equal([.. first.Pcm, .. second.Pcm], spoken.Pcm);
        Assert.Equal((First + Second).Split(' '), spoken.WordTexts);
        var expected = first.Words.Select(w => w.From).Concat(second.Words.Select(w => first.Seconds + w.From));
        Assert.All(spoken.Words.Zip(expected), pair => Assert.Equal(pair.Second, pair.First.Start.TotalSeconds, tolerance: 0.03));
        Assert.Single(bench.Server.Sessions);
    }

    [Theory, MemberData(nameof(Providers))]
    public async Task Text_IsSpokenAsItArrives(string provider)
    {
        await using var bench = await VoiceBench.StartAsync(provider);
        var text = Channel.CreateUnbounded<string>();
        await using var chunks = bench.Speak(text.Reader.ReadAllAsync(Cancel), Cancel).GetAsyncEnumerator(Cancel);
        var next = chunks.MoveNextAsync();
        await EventuallyAsync(() => bench.Server.Sessions.Count == 1);       // connected before there is anything to say
        text.Writer.TryWrite(First);
        Assert.True(await next);                                             // the first sentence sounds while the second does not exist yet
        Assert.NotEqual(0, chunks.Current.Pcm.Length);
        text.Writer.TryWrite(Second);
        text.Writer.Complete();
        var heard = new List<SpeechChunk> { chunks.Current };
        while (await chunks.MoveNextAsync()) heard.Add(chunks.Current);
        new SpokenUtterance(First + Second, heard).AssertConsistent();
        Assert.Equal((First + Second).Split(' ').Length, heard.Sum(c => c.Words.Count));
    }

    [Theory, MemberData(nameof(Providers))]
    public async Task WithoutWords_NothingIsSaidAndAFailedConnectionIsNoFailure(string provider)
    {
        await using var bench = await VoiceBench.StartAsync(provider);
        bench.Server.Fault = FakeVoiceFault.TooManyConnections;
        Assert.Empty(await bench.Speak(SpeechAsserts.Pieces("  ", "...", "\n"), Cancel).ToListAsync(Cancel));
    }

    [Theory, MemberData(nameof(Providers))]
    public async Task Cancelling_StopsTheProviderAtOnce(string provider)
    {
        await using var bench = await VoiceBench.StartAsync(provider);
        bench.Server.PartDelay = TimeSpan.FromMilliseconds(20);
        bench.Server.PartSeconds = 0.05;
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (var _ in bench.Speak(SpeechAsserts.Pieces(First, Second), cancel.Token)) await cancel.CancelAsync();
        });
        await AssertLeftAsync(bench);
    }

    [Theory, MemberData(nameof(Providers))]
    public async Task LeavingTheEnumeration_StopsTheProviderAtOnce(string provider)
    {
        await using var bench = await VoiceBench.StartAsync(provider);
        bench.Server.PartDelay = TimeSpan.FromMilliseconds(20);
        bench.Server.PartSeconds = 0.05;
        await foreach (var _ in bench.Speak(SpeechAsserts.Pieces(First, Second), Cancel)) break;
        await AssertLeftAsync(bench);
    }

    [Theory, MemberData(nameof(Providers))]
    public async Task UtterancesAtTheSameTime_DoNotMeet(string provider)
    {
        await using var bench = await VoiceBench.StartAsync(provider);
        string[] texts = ["One is mine.", "Number two belongs to you."];
        var spoken = await Task.WhenAll(texts.Select(t => bench.SpeakAsync(t)));
        Assert.Equal(texts.Select(t => t.Split(' ')), spoken.Select(s => s.WordTexts));
        Assert.Equal(2, bench.Server.Sessions.Count);
    }

    [Theory, MemberData(nameof(Providers))]
    public async Task ATextThatFails_FailsTheSpeechAndLeavesTheProvider(string provider)
    {
        await using var bench = await VoiceBench.StartAsync(provider);
        var failure = await Assert.ThrowsAsync<InvalidOperationException>(() => bench.Speak(Failing(), Cancel).ToListAsync(Cancel).AsTask());
        Assert.Equal("no more words", failure.Message);
        await bench.Server.Sessions[0].Left.WaitAsync(Patience, Cancel);

        static async IAsyncEnumerable<string> Failing()
        {
            await Task.Yield();
            yield return First;
            throw new InvalidOperationException("no more words");
        }
    }

    [Theory]
    [InlineData("eleven_labs", 8_000, 8_000)]
    [InlineData("eleven_labs", 48_000, 48_000)]
    [InlineData("eleven_labs", 32_000, 24_000)]
    [InlineData("cartesia", 24_000, 24_000)]
    [InlineData("cartesia", 11_025, 8_000)]
    [InlineData("lmnt", 8_000, 8_000)]
    [InlineData("lmnt", 48_000, 24_000)]
    public async Task TheNearestRate_IsAskedFor(string provider, int wanted, int given)
    {
        await using var bench = await VoiceBench.StartAsync(provider);
        var chunks = await bench.Speak(SpeechAsserts.Pieces("Yes."), Cancel, wanted).ToListAsync(Cancel);
        Assert.All(chunks, c => Assert.Equal(given, c.SampleRateHz));
        Assert.Equal(bench.Server.Spoken.Single().Pcm.Length, chunks.Sum(c => c.Pcm.Length));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task LmntExtras_MayComeBeforeOrAfterTheirSound(bool first)
    {
        await using var bench = await VoiceBench.StartAsync("lmnt");
        ((FakeLmnt)bench.Server).ExtrasFirst = first;
        var spoken = await bench.SpeakAsync(First);
        var expected = bench.Server.Spoken.Single().Words;
        Assert.All(spoken.Words.Zip(expected), pair => Assert.Equal(pair.Second.From, pair.First.Start.TotalSeconds, tolerance: 0.005));
    }

    private static async Task AssertLeftAsync(VoiceBench bench)
    {
        var session = Assert.Single(bench.Server.Sessions);
        Assert.Equal("closed", await session.Left.WaitAsync(Patience, Cancel));
        if (bench.Provider == "cartesia") Assert.True(session.Messages[^1]["cancel"]!.GetValue<bool>());
        Assert.Empty(bench.Server.Violations);
    }

    private static async Task EventuallyAsync(Func<bool> condition)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        patience.CancelAfter(Patience);
        while (!condition()) await Task.Delay(5, patience.Token);
    }
}
