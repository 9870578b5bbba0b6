using System.Diagnostics;
using Microsoft.Extensions.Logging.Abstractions;
using VoiceGrains.Providers.Synthesis;
using VoiceGrains.Providers.Synthesis.Flite;

namespace VoiceGrains.Providers.Tests.Speech;

public sealed class FliteSynthesizerTests : IDisposable
{
    private readonly FliteSynthesizer flite = new(new(), NullLoggerFactory.Instance);

    public FliteSynthesizerTests() => Assert.SkipUnless(flite.IsAvailable(out var why), why);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => flite.Dispose();

    [Fact]
    public async Task Words_AreTheTokensOfTheText_WithTheirPunctuation()
    {
        var spoken = await Utterance.SpeakAsync(flite, "slt", "Hello (there), Dr. Smith's \"fine\" order: $12.50 -- in 1984!");
        Assert.Equal(["Hello", "(there),", "Dr.", "Smith's", "\"fine\"", "order:", "$12.50", "in", "1984!"], spoken.WordTexts);
        spoken.AssertConsistent();
        Assert.InRange(spoken.Duration.TotalSeconds, 4, 8);
        Assert.InRange((spoken.Words[6].End - spoken.Words[6].Start).TotalSeconds, 1.5, 3);   // twelve dollars fifty cents
    }

    [Theory]
    [InlineData("slt", 16_000)]
    [InlineData("rms", 16_000)]
    [InlineData("awb", 16_000)]
    [InlineData("kal16", 16_000)]
    [InlineData("kal", 8_000)]
    [InlineData("CMU_US_SLT", 16_000)]
    [InlineData("", 16_000)]
    public async Task EveryVoice_Speaks(string voice, int rate)
    {
        var spoken = await Utterance.SpeakAsync(flite, voice, "Good morning, how are you today?");
        Assert.Equal(rate, spoken.SampleRateHz);
        Assert.Equal(6, spoken.Words.Length);
        Assert.InRange(spoken.Duration.TotalSeconds, 1, 4);
        Assert.InRange(Loudness(spoken.Pcm), 300, 20_000);
        spoken.AssertConsistent();
    }

    [Fact]
    public async Task UnknownVoice_IsRejected_ByName()
    {
        var rejected = await Assert.ThrowsAsync<ProviderException>(() => Utterance.SpeakAsync(flite, "nobody", "Hello."));
        Assert.Equal((ProviderFault.Rejected, "flite"), (rejected.Fault, rejected.Provider));
        Assert.Contains("nobody", rejected.Message);
    }

    [Fact]
    public async Task Sound_BeginsAtOnce_AndWordsSoundWhenTheySay()
    {
        var spoken = await Utterance.SpeakAsync(flite, "slt", "Hello. ", "Goodbye.");
        Assert.InRange(spoken.Words[0].Start.TotalMilliseconds, 0, 21);
        var rest = spoken.Pcm[Sample(spoken.Words[0].End + TimeSpan.FromMilliseconds(60))..Sample(spoken.Words[1].Start - TimeSpan.FromMilliseconds(60))];
        Assert.True(rest.Length > 16 * 150, "a pause between the sentences");
        Assert.True(Loudness(rest) < 100, "and it is silent");
        Assert.True(Loudness(spoken.Pcm[Sample(spoken.Words[1].Start)..Sample(spoken.Words[1].End)]) > 300, "while the word is not");

        int Sample(TimeSpan at) => (int)(at.TotalSeconds * spoken.SampleRateHz);
    }

    [Fact]
    public async Task Pieces_ShareOneTimeLineAndTextOffsets()
    {
        var spoken = await Utterance.SpeakAsync(flite, "rms", "First, ", "the second piece. ", "", " \n", "Third?");
        Assert.Equal(["First,", "the", "second", "piece.", "Third?"], spoken.WordTexts);
        spoken.AssertConsistent();
        Assert.Equal(spoken.Text.Length, spoken.Chunks[^1].TextEnd);
        Assert.All(spoken.Chunks, chunk => Assert.InRange((double)chunk.Pcm.Length / chunk.SampleRateHz, 0.0001, 0.4));
    }

    [Theory]
    [InlineData("“Smart” quotes – it’s fine…", "“Smart”", "quotes", "it’s", "fine…")]
    [InlineData("Café Zürich façade", "Café", "Zürich", "façade")]
    [InlineData("Hello 😀 world 日本", "Hello", "world")]
    [InlineData("**Bold** and `code`\u0007\0 end", "**Bold**", "and", "`code`", "end")]
    public async Task ForeignCharacters_AreReadOrLeftOut_AndMapBackToTheText(string text, params string[] words)
    {
        var spoken = await Utterance.SpeakAsync(flite, "slt", text);
        Assert.Equal(words.Select(w => w.Trim('*', '`')), spoken.WordTexts.Select(w => w.Trim('*', '`')));
        spoken.AssertConsistent();
    }

    [Theory]
    [InlineData("")]
    [InlineData(" \t\r\n")]
    [InlineData("😀🎉")]
    [InlineData("... !!! ---")]
    [InlineData("日本語")]
    public async Task NothingSpeakable_GivesNoSound_AndNoError(string text)
        => Assert.Empty((await Utterance.SpeakAsync(flite, "slt", text, text)).Chunks);

    [Fact]
    public async Task VeryLongText_IsSpokenInParts()
    {
        var text = string.Join(' ', Enumerable.Range(0, 400).Select(i => i % 10 == 9 ? "word." : "word")) + new string('x', 2_000);
        var spoken = await Utterance.SpeakAsync(flite, "kal16", text);
        Assert.True(spoken.Words.Length > 400);
        spoken.AssertConsistent();
    }

    [Fact]
    public async Task Cancelling_StopsTheUtterance()
    {
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var heard = 0;
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (var chunk in flite.SynthesizeAsync(new("slt", 16_000), Endless(), cancel.Token))
            {
                if (++heard == 30)
                    await cancel.CancelAsync();
            }
        });
        Assert.InRange(heard, 30, 31);
        Assert.NotEmpty((await Utterance.SpeakAsync(flite, "slt", "Still here.")).Chunks);

        static async IAsyncEnumerable<string> Endless()
        {
            while (true)
            {
                await Task.Yield();
                yield return "This sentence never ends, and it is followed by itself. ";
            }
        }
    }

    [Fact]
    public async Task ParallelUtterances_AreTheSameAsAlone()
    {
        string[] texts = ["One fine day in May.", "The order costs $12.50 now.", "Please hold the line, Dr. Jones.", "1984 was not like that."];
        var alone = new List<Utterance>();
        foreach (var text in texts)
            alone.Add(await Utterance.SpeakAsync(flite, "rms", text));
        using var many = new FliteSynthesizer(new() { MaxThreads = 4 }, NullLoggerFactory.Instance);
        await Task.WhenAll(Enumerable.Range(0, 60).Select(async i =>
        {
            var spoken = await Utterance.SpeakAsync(many, "rms", texts[i % 4]);
            Assert.Equal(alone[i % 4].Words, spoken.Words);
            Assert.Equal(alone[i % 4].Pcm.Length, spoken.Pcm.Length);
        }));
    }

    [Fact]
    public async Task FullQueue_RefusesThePhrase()
    {
        using var small = new FliteSynthesizer(new() { MaxThreads = 1, MaxQueuedPhrases = 1 }, NullLoggerFactory.Instance);
        var all = Enumerable.Range(0, 50).Select(_ => Utterance.SpeakAsync(small, "slt", "A rather long sentence, so that the others have to wait for it.")).ToArray();
        var refused = await Assert.ThrowsAsync<ProviderException>(() => Task.WhenAll(all));
        Assert.Equal(ProviderFault.RateLimited, refused.Fault);
        Assert.Contains(all, task => task.IsCompletedSuccessfully);
    }

    [Fact]
    public async Task Dispose_WhileSpeaking_EndsTheUtteranceWithAnError()
    {
        var synthesizer = new FliteSynthesizer(new(), NullLoggerFactory.Instance);
        var failed = await Assert.ThrowsAsync<ProviderException>(async () =>
        {
            await foreach (var _ in synthesizer.SynthesizeAsync(new("slt", 16_000), Utterance.Pieces("One sentence. ", "Another one.", "And a third."), Cancel))
                synthesizer.Dispose();
        });
        Assert.Equal(ProviderFault.Unavailable, failed.Fault);
    }

    [Fact]
    public async Task RandomText_NeverCrashes_AndTimingsStayInRange()
    {
        var random = new Random(20_261_120);   // mostly the fast diphone voice: the text analysis, where odd text matters, is the same
        await Parallel.ForEachAsync(Enumerable.Range(0, 2_000).Select(i => (Voice: i % 20 == 0 ? "rms" : "kal16", Text: Utterance.RandomText(random))).ToArray(), Cancel,
            async (item, _) => (await Utterance.SpeakAsync(flite, item.Voice, item.Text)).AssertConsistent());
    }

    [Fact]
    public async Task RoundTrip_PocketsphinxHearsWhatFliteSays()
    {
        using var recognizer = PocketsphinxRecognizerTests.Create(new() { MaxDecoders = 1 });
        Assert.SkipUnless(recognizer.IsAvailable(out var why), why);
        string[] sentences = ["Hello, how can I help you today?", "Please tell me your name and your address.", "The train to the city leaves at nine in the morning.", "Would you like to speak with a person?"];
        var (errors, words) = (0, 0);
        foreach (var sentence in sentences)
        {
            var since = Stopwatch.GetTimestamp();
            var spoken = await Utterance.SpeakAsync(flite, "slt", sentence);
            var synthesis = Stopwatch.GetElapsedTime(since);
            var heard = await PocketsphinxRecognizerTests.HearAsync(recognizer, spoken.Pcm);
            errors += WordErrors.Count(sentence, heard);
            words += WordErrors.Words(sentence).Length;
            TestContext.Current.TestOutputHelper?.WriteLine($"said '{sentence}' ({spoken.Duration.TotalSeconds:0.0} s in {synthesis.TotalMilliseconds:0} ms), heard '{heard}'");
        }
        TestContext.Current.TestOutputHelper?.WriteLine($"Word errors {errors} of {words}");
        Assert.InRange(errors, 0, words * 3 / 10);
    }

    private static double Loudness(ReadOnlySpan<short> pcm)
    {
        var sum = 0.0;
        foreach (var sample in pcm)
            sum += (double)sample * sample;
        return Math.Sqrt(sum / Math.Max(1, pcm.Length));
    }
}
