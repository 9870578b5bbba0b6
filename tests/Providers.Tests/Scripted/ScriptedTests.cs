using VoiceGrains.Providers.Recognition;
using VoiceGrains.Providers.Scripted;
using VoiceGrains.Providers.Synthesis;

namespace VoiceGrains.Providers.Tests.Scripted;

public sealed class ScriptedTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task TheSynthesizer_TimesEachWordExactly()
    {
        var synthesizer = new ScriptedSynthesizer(new() { WordsPerMinute = 120 });
        var chunks = await synthesizer.SynthesizeAsync(new("any", 16_000), Pieces("Hi  there. ", "Bye."), Cancel).ToListAsync(Cancel);
        Assert.Equal(
            [new WordTiming(0, 2, S(0), S(0.5)), new WordTiming(4, 10, S(0.5), S(1)), new WordTiming(11, 15, S(1), S(1.5))],
            chunks.SelectMany(c => c.Words));
        Assert.All(chunks, c => Assert.Equal((8_000, 16_000), (c.Pcm.Length, c.SampleRateHz)));
        Assert.Equal([2, 10, 15], chunks.Select(c => c.TextEnd));
        Assert.InRange(chunks[0].Pcm.ToArray().Max(), (short)5_000, (short)6_000);
    }

    [Fact]
    public async Task TheRecognizer_HearsItsTranscriptInSoundOnly()
    {
        var recognizer = new ScriptedRecognizer(new() { Transcript = "yes" });
        await using var heard = recognizer.Start(new(null, null));
        heard.Write(new short[160]);
        await using var silent = recognizer.Start(new(null, null));
        Assert.Equal(("yes", ""), (await heard.FinishAsync(Cancel), await silent.FinishAsync(Cancel)));
    }

    private static TimeSpan S(double seconds) => TimeSpan.FromSeconds(seconds);

    private static async IAsyncEnumerable<string> Pieces(params string[] pieces)
    {
        foreach (var piece in pieces)
        {
            await Task.Yield();
            yield return piece;
        }
    }
}
