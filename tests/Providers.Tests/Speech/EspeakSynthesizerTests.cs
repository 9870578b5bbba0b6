using System.Diagnostics;
using Microsoft.Extensions.Logging.Abstractions;
using VoiceGrains.Providers.Synthesis.Embedded;
using VoiceGrains.Providers.Synthesis.Espeak;

namespace VoiceGrains.Providers.Tests.Speech;

public sealed class EspeakSynthesizerTests : IDisposable
{
    private readonly EspeakSynthesizer espeak = new(new(), NullLoggerFactory.Instance);

    public EspeakSynthesizerTests() => Assert.SkipUnless(espeak.IsAvailable(out var why), why);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => espeak.Dispose();

    [Fact]
    public async Task Words_AreTheTokensOfTheText_WithTheirPunctuation()
    {
        var spoken = await Utterance.SpeakAsync(espeak, "en-us", "Hello (there), it costs 1,234 dollars. ", "Goodbye in 1984!");
        Assert.Equal(["Hello", "(there),", "it", "costs", "1,234", "dollars.", "Goodbye", "in", "1984!"], spoken.WordTexts);
        spoken.AssertConsistent();
        Assert.Equal(22_050, spoken.SampleRateHz);
        Assert.InRange(spoken.Duration.TotalSeconds, 3, 8);
        Assert.InRange(spoken.Words[0].Start.TotalMilliseconds, 0, 30);
        Assert.InRange((spoken.Words[4].End - spoken.Words[4].Start).TotalSeconds, 0.8, 2.5);   // one thousand two hundred thirty four
        Assert.Equal(spoken.Text.Length, spoken.Chunks[^1].TextEnd);
    }

    [Theory]
    [InlineData("de", "Guten Tag, schöne Grüße aus Köln.", 6)]
    [InlineData("fr-fr", "Où est la bibliothèque ?", 4)]
    [InlineData("ru", "Привет, как дела?", 3)]
    [InlineData("en-us+f3", "A woman's voice.", 3)]
    public async Task Languages_AndVariants_Speak(string voice, string text, int words)
    {
        var spoken = await Utterance.SpeakAsync(espeak, voice, text);
        spoken.AssertConsistent();
        Assert.Equal(words, spoken.Words.Length);
        Assert.InRange(spoken.Duration.TotalSeconds, 0.5, 5);
    }

    [Fact]
    public async Task LanguageHint_ChoosesTheVoice_WhereNoneIsNamed()
    {
        var german = await Utterance.SpeakAsync(espeak, "de", "W W W W");
        var hinted = 0;
        await foreach (var chunk in espeak.SynthesizeAsync(new("", 16_000, "de-DE"), Utterance.Pieces("W W W W"), Cancel))
            hinted += chunk.Pcm.Length;
        var unhinted = (await Utterance.SpeakAsync(espeak, "", "W W W W")).Pcm.Length;
        Assert.InRange((double)hinted / german.Pcm.Length, 0.95, 1.05);   // its noise is random, and where silence begins with it
        Assert.NotInRange((double)unhinted / german.Pcm.Length, 0.9, 1.1);
    }

    [Theory]
    [InlineData("xx-nowhere")]
    [InlineData("../../../etc/passwd")]
    [InlineData("en+f3+f4")]
    public async Task UnknownVoice_IsRejected(string voice)
        => Assert.Equal(ProviderFault.Rejected, (await Assert.ThrowsAsync<ProviderException>(() => Utterance.SpeakAsync(espeak, voice, "Hello."))).Fault);

    [Theory]
    [InlineData("")]
    [InlineData(" \r\n")]
    [InlineData("😀🎉")]
    [InlineData("... !!!")]
    public async Task NothingSpeakable_GivesNoSound_AndNoError(string text)
        => Assert.Empty((await Utterance.SpeakAsync(espeak, "en-us", text)).Chunks);

    [Fact]
    public async Task ParallelUtterances_AreEachSpokenWhole()
    {
        using var second = new EspeakSynthesizer(new(), NullLoggerFactory.Instance);
        (string Voice, string Text)[] texts = [("de", "Eins und zwei."), ("en-us", "The quick brown fox."), ("es", "Buenos días, señora."), ("ru", "Привет.")];
        var alone = new List<Utterance>();
        foreach (var (voice, text) in texts)
            alone.Add(await Utterance.SpeakAsync(espeak, voice, text));
        await Task.WhenAll(Enumerable.Range(0, 40).Select(async i =>
        {
            var (voice, text) = texts[i % texts.Length];
            var spoken = await Utterance.SpeakAsync(i % 3 == 0 ? second : espeak, voice, text);
            Assert.Equal(alone[i % texts.Length].WordTexts, spoken.WordTexts);
            Assert.InRange(spoken.Pcm.Length, alone[i % texts.Length].Pcm.Length * 0.9, alone[i % texts.Length].Pcm.Length * 1.1);
        }));
    }

    [Fact]
    public void DeadWorker_IsReplaced_AndThePhraseStillSpoken()
    {
        using var client = new EspeakClient(new());
        Assert.True(Speak("Before."));
        var first = client.WorkerId!.Value;
        using (var worker = Process.GetProcessById(first))
        {
            worker.Kill();   // as a crash would
            Assert.True(worker.WaitForExit(TimeSpan.FromSeconds(30)));
        }
        Assert.True(Speak("After."));
        Assert.NotEqual(first, client.WorkerId);

        bool Speak(string text)
        {
            var job = new PhraseJob("en-us", text, null);
            client.Speak(job);
            return job.Parts.TryRead(out var part) && part.Pcm.Length > 0 && part.Words.Count == 1;
        }
    }

    [Fact]
    public void Dispose_EndsTheWorker()
    {
        var client = new EspeakClient(new());
        client.Speak(new("en-us", "Hello.", null));
        using var worker = Process.GetProcessById(client.WorkerId!.Value);
        client.Dispose();
        Assert.True(worker.WaitForExit(TimeSpan.FromSeconds(30)));
        client.Dispose();   // twice is once
    }

    [Fact]
    public void HungWorker_IsKilled_AndThePhraseFails()
    {
        using var client = new EspeakClient(new() { PhraseTimeout = TimeSpan.Zero });
        var failed = Assert.Throws<ProviderException>(() => client.Speak(new("en-us", "Hello.", null)));
        Assert.Equal(ProviderFault.ServerError, failed.Fault);
    }

    [Fact]
    public void Voices_AreListed_ByLanguage()
    {
        var voices = espeak.ListVoices();
        Assert.Contains(voices, voice => voice.Name == "de" && voice.Title == "German");
        Assert.Contains(voices, voice => voice.Name == "en-us");
        Assert.True(voices.Count > 50);
    }

    [Fact]
    public async Task Dispose_WhileSpeaking_EndsTheUtteranceWithAnError()
    {
        var synthesizer = new EspeakSynthesizer(new(), NullLoggerFactory.Instance);
        var failed = await Assert.ThrowsAsync<ProviderException>(async () =>
        {
            await foreach (var _ in synthesizer.SynthesizeAsync(new("en-us", 16_000), Utterance.Pieces("One sentence. ", "Another one."), Cancel))
                synthesizer.Dispose();
        });
        Assert.Equal(ProviderFault.Unavailable, failed.Fault);
    }

    [Fact]
    public async Task RandomText_NeverCrashes_AndTimingsStayInRange()
    {
        var random = new Random(20_261_120);
        string[] voices = ["en-us", "de", "fr-fr", "ru", "cmn", "ja", "ar", "hi"];
        for (var i = 0; i < 2_000; i++)
            (await Utterance.SpeakAsync(espeak, voices[i / 50 % voices.Length], Utterance.RandomText(random))).AssertConsistent();
    }
}
