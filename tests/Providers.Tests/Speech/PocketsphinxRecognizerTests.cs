using Microsoft.Extensions.Logging.Abstractions;
using VoiceGrains.Providers.Recognition;
using VoiceGrains.Providers.Recognition.Pocketsphinx;

namespace VoiceGrains.Providers.Tests.Speech;

public sealed class PocketsphinxRecognizerTests : IDisposable
{
    /// <summary>All recordings, one after another, by one decoder: listening is the most work that these tests do.</summary>
    private static readonly Lazy<Task<Dictionary<string, string>>> HeardOnce = new(HearAllAsync);
    private readonly PocketsphinxRecognizer recognizer = Create(new() { MaxDecoders = 1, WarmDecoders = 1 });

    public PocketsphinxRecognizerTests()
    {
        Assert.SkipUnless(recognizer.IsAvailable(out var why), why);
        HumanSpeech.SkipUnlessInstalled();
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => recognizer.Dispose();

    [Fact]
    public async Task GoForward_IsHeardExactly()
        => Assert.Equal("go forward ten meters", await HearAsync(recognizer, HumanSpeech.GoForward().Pcm));

    [Fact]
    public async Task HumanRecordings_AreHeardWithFewWordErrors()
    {
        var (errors, words) = (0, 0);
        var once = await HeardOnce.Value;
        foreach (var recording in HumanSpeech.All())
        {
            errors += WordErrors.Count(recording.Said, once[recording.Name]);
            words += WordErrors.Words(recording.Said).Length;
            TestContext.Current.TestOutputHelper?.WriteLine($"{recording.Name}: said '{recording.Said}', heard '{once[recording.Name]}'");
        }
        TestContext.Current.TestOutputHelper?.WriteLine($"Word errors {errors} of {words} ({100.0 * errors / words:0.0} %)");
        Assert.InRange(errors, 0, (int)(0.40 * words));
    }

    [Fact]
    public async Task SameAudio_GivesSameText_WhateverTheDecoderHeardBefore()
    {
        var once = await HeardOnce.Value;
        foreach (var recording in HumanSpeech.All().Where(r => r.Seconds < 3).Reverse())
            Assert.Equal(once[recording.Name], await HearAsync(recognizer, recording.Pcm));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(160)]
    [InlineData(8_000)]
    [InlineData(80_000)]
    public async Task Silence_OfAnyLength_GivesNoText(int samples)
        => Assert.Equal("", await HearAsync(recognizer, new short[samples]));

    [Fact]
    public async Task ShortestCutsOfSpeech_NeverFail()
    {
        var pcm = HumanSpeech.GoForward().Pcm;
        foreach (var samples in new[] { 2, 50, 399, 410, 1000, 5000, 15_999, 16_000, 16_001 })
            Assert.NotNull(await HearAsync(recognizer, pcm.AsSpan(8000, samples).ToArray()));
    }

    [Fact]
    public async Task Partials_GrowIntoTheText_WhileAudioArrives()
    {
        await using var fast = Create(new() { MaxDecoders = 1, PartialInterval = TimeSpan.Zero });
        var partials = new List<string>();
        var some = new TaskCompletionSource();
        var pcm = HumanSpeech.GoForward().Pcm;
        await using var turn = fast.Start(new("en-US", text =>
        {
            lock (partials)
                partials.Add(text);
            if (text.Contains("ten"))
                some.TrySetResult();
        }));
        Write(turn, pcm);
        await some.Task.WaitAsync(TimeSpan.FromSeconds(30), Cancel);   // before the turn is finished
        Assert.Equal("go forward ten meters", await turn.FinishAsync(Cancel));
        lock (partials)
            Assert.Equal(partials.Distinct(), partials);
    }

    [Fact]
    public async Task MoreTurnsThanDecoders_AreAllHeard_InTheEnd()
    {
        var pcm = HumanSpeech.GoForward().Pcm;
        var turns = Enumerable.Range(0, 4).Select(_ => recognizer.Start(new(null, null))).ToArray();
        foreach (var turn in turns)
            Write(turn, pcm);
        var finished = turns.Reverse().Select(turn => turn.FinishAsync(Cancel)).ToArray();   // the last in the queue is asked first
        Assert.All(await Task.WhenAll(finished), text => Assert.Equal("go forward ten meters", text));
    }

    [Fact]
    public async Task FullQueue_RefusesTheTurn_AtOnce()
    {
        await using var small = Create(new() { MaxDecoders = 1, MaxQueuedTurns = 1 });
        var pcm = HumanSpeech.GoForward().Pcm;
        var turns = Enumerable.Range(0, 4).Select(_ => small.Start(new(null, null))).ToArray();
        foreach (var turn in turns)
            Write(turn, pcm);
        var refused = await Assert.ThrowsAsync<ProviderException>(() => turns[^1].FinishAsync(Cancel));
        Assert.Equal(ProviderFault.RateLimited, refused.Fault);
        Assert.Equal("go forward ten meters", await turns[0].FinishAsync(Cancel));
    }

    [Fact]
    public async Task AudioBeyondTheBound_IsDroppedAndCounted()
    {
        await using var blocked = Create(new() { MaxDecoders = 1, MaxQueuedAudio = TimeSpan.FromSeconds(1) });
        await using var first = blocked.Start(new(null, null));   // holds the only decoder
        Write(first, new short[320]);
        await using var second = blocked.Start(new(null, null));
        Write(second, new short[20_000]);
        Assert.Equal(4_000, blocked.DroppedSamples);
    }

    [Fact]
    public async Task Cancellation_EndsTheWait_AndFreesTheDecoder()
    {
        await using var held = recognizer.Start(new(null, null));
        Write(held, HumanSpeech.GoForward().Pcm);
        await using var second = recognizer.Start(new(null, null));
        Write(second, new short[320]);
        using var cancel = new CancellationTokenSource();
        var finish = second.FinishAsync(cancel.Token);   // waits for the decoder that the first turn holds
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => finish);
        await held.DisposeAsync();                       // thrown away half-way
        Assert.Equal("go forward ten meters", await HearAsync(recognizer, HumanSpeech.GoForward().Pcm));
    }

    [Fact]
    public async Task Dispose_DuringDecoding_EndsTheTurnsWithAnError()
    {
        var pcm = HumanSpeech.All().First(r => r.Seconds > 6).Pcm;
        var turns = Enumerable.Range(0, 3).Select(_ => recognizer.Start(new(null, null))).ToArray();
        foreach (var turn in turns)
            Write(turn, [.. pcm, .. pcm, .. pcm]);
        var finished = turns.Select(turn => turn.FinishAsync(Cancel)).ToArray();
        recognizer.Dispose();
        foreach (var finish in finished)
            Assert.Equal(ProviderFault.Unavailable, (await Assert.ThrowsAsync<ProviderException>(() => finish)).Fault);
        var late = recognizer.Start(new(null, null));
        Write(late, pcm);
        Assert.Equal(ProviderFault.Unavailable, (await Assert.ThrowsAsync<ProviderException>(() => late.FinishAsync(Cancel))).Fault);
    }

    [Fact]
    public async Task MissingModel_IsSaid_WithItsPackage()
    {
        await using var missing = Create(new() { AcousticModel = "/nonexistent" });
        Assert.False(missing.IsAvailable(out var why));
        Assert.Contains("pocketsphinx-en-us", why);
        var failed = await Assert.ThrowsAsync<ProviderException>(() => HearAsync(missing, new short[320]));
        Assert.Equal((ProviderFault.Unavailable, why), (failed.Fault, failed.Message));
        Assert.Equal(ProviderFault.Unavailable, (await Assert.ThrowsAsync<ProviderException>(() => missing.WarmAsync(Cancel))).Fault);
    }

    [Fact]
    public async Task Grammar_LimitsWhatIsHeard()
    {
        await using var cards = Create(new() { MaxDecoders = 1, Grammar = "/usr/share/pocketsphinx/test/data/cards/cards.gram" });
        Assert.Equal("eight of spades four of clubs seven of hearts", await HearAsync(cards, HumanSpeech.All().Single(r => r.Name == "005").Pcm));
    }

    [Fact]
    public async Task LongTurn_IsDividedAtPauses_AndNothingIsLost()
    {
        var pcm = HumanSpeech.GoForward().Pcm;
        await using var dividing = Create(new() { MaxDecoders = 1, SegmentAfter = TimeSpan.FromSeconds(1) });
        var heard = await HearAsync(dividing, [.. pcm, .. new short[16_000], .. pcm, .. new short[16_000], .. pcm]);
        Assert.Equal(3, heard.Split("go forward ten meters").Length - 1);
    }

    internal static PocketsphinxRecognizer Create(PocketsphinxOptions options)
    {
        options.FinishTimeout = TimeSpan.FromMinutes(5);      // a busy machine listens slowly
        return new(options, NullLoggerFactory.Instance, TimeProvider.System);
    }

    internal static async Task<string> HearAsync(PocketsphinxRecognizer recognizer, short[] pcm)
    {
        await using var turn = recognizer.Start(new("en-US", null));
        Write(turn, pcm);
        return await turn.FinishAsync(Cancel);
    }

    private static async Task<Dictionary<string, string>> HearAllAsync()
    {
        await using var listener = Create(new() { MaxDecoders = 1, WarmDecoders = 1 });
        var heard = new Dictionary<string, string>();
        foreach (var recording in HumanSpeech.All()) heard[recording.Name] = await HearAsync(listener, recording.Pcm);
        return heard;
    }

    private static void Write(IRecognition turn, short[] pcm)
    {
        for (var at = 0; at < pcm.Length; at += 320)
            turn.Write(pcm.AsSpan(at, Math.Min(320, pcm.Length - at)));
    }
}
