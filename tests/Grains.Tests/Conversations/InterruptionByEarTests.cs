using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging.Abstractions;
using VoiceGrains.GrainInterfaces.Calls;
using VoiceGrains.Media;
using VoiceGrains.Providers.Recognition;
using VoiceGrains.Providers.Recognition.Pocketsphinx;
using VoiceGrains.Providers.Synthesis;
using VoiceGrains.Providers.Synthesis.Flite;

namespace VoiceGrains.Grains.Tests.Conversations;

/// <summary>Real sounds over the agent, judged with the embedded recognizer: a person, a voice that says "okay", noise.</summary>
public sealed class InterruptionByEarTests(InterruptionByEarTests.Ears ears) : IClassFixture<InterruptionByEarTests.Ears>
{
    private const string Noise = "/usr/share/sounds/alsa/Noise.wav";
    private const int WordSamples = 4_800;

    [Fact]
    public async Task Person_Interrupts()
    {
        await using var call = Speaking();
        call.Speak(HumanSpeech.GoForward.AsSpan(8_000, 27_500));
        await PaceUntilAsync(call, () => call.Model.Requests.Count == 2);

        Assert.True(call.HasEvent("interruption"));
        Assert.InRange(call.FarEnd.Heard.Count, 2 * WordSamples, 8 * WordSamples);
        Assert.Contains("forward", call.Messages.Last(message => message.Role == MessageRole.User).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task SpokenOkay_IsABackchannel()
    {
        await using var call = await SpokenToAsync("okay");
        Assert.True(call.HasEvent("backchannel"));
        var heard = call.FarEnd.Heard.Count;
        call.Run(1);

        Assert.False(call.HasEvent("interruption"));
        Assert.Empty(call.FarEnd.Clears);
        Assert.Equal(heard + 16_000, call.FarEnd.Heard.Count);
        Assert.Single(call.Model.Requests);
    }

    [Theory]
    [InlineData(200, "{}")]       // as short as a cough
    [InlineData(1_400, """{"undecided":"continue"}""")]
    public async Task Noise_DoesNotInterrupt(int milliseconds, string settings)
    {
        Assert.SkipUnless(File.Exists(Noise), "The Debian package alsa-utils is not installed.");
        var wav = WavReader.Parse(await File.ReadAllBytesAsync(Noise, TestContext.Current.CancellationToken));
        using var resampler = new Resampler(wav.SampleRateHz, 16_000);
        var pcm = new short[resampler.MaxOutput(wav.Samples.Length)];
        var noise = pcm[..Math.Min(resampler.Process(wav.Samples, pcm), 16 * milliseconds)];
        await using var call = Speaking(settings);
        call.Speak(noise);
        await PaceUntilAsync(call, () => call.State == "listening");

        Assert.False(call.HasEvent("interruption"), string.Join(", ", call.Journal.Events.Select(item => item.Type)));
        Assert.Equal(10 * WordSamples, call.FarEnd.Heard.Count);
        Assert.Single(call.Model.Requests);
    }

    /// <summary>
    /// A call in which these words were said over the agent, and its recognizer understood them. A synthesized voice never sounds twice the same, and within
    /// a call it may be taken for other words than alone: then they are said again, in another call.
    /// </summary>
    private async Task<ConversationHarness> SpokenToAsync(string words)
    {
        List<string> understood = [];
        while (understood.Count < 20)
        {
            var sound = await ears.SayClearlyAsync(words);
            // A word is half a second long, and this recognizer's first text comes at its end or, where it is less sure, at the turn's.
            var call = Speaking("""{"decisionWindow":"1.5s"}""", words: 60);
            call.Speak(sound);
            await PaceUntilAsync(call, () => call.HasEvent("backchannel") || call.HasEvent("interruption") || call.State == "listening");
            if (ears.Understood == words) return call;
            understood.Add(ears.Understood ?? "nothing");
            await call.DisposeAsync();
        }
        throw new InvalidOperationException($"Within a call the recognizer never understood '{words}', but {string.Join(", ", understood)}.");
    }

    /// <summary>A call whose agent has begun a long answer.</summary>
    private ConversationHarness Speaking(string settings = "{}", int words = 10)
    {
        var call = new ConversationHarness { Ears = ears };
        call.Stage = call.Stage with { ExperimentalSettings = new JsonObject { ["interruption"] = JsonNode.Parse(settings) } };
        call.Synthesizer.Amplitude = 1_000;
        call.Model.Default = string.Join(' ', Enumerable.Range(1, words));
        call.Start();
        call.Client("""{"type":"user_text_message","text":"Go on."}""");
        call.RunUntil(() => call.FarEnd.Heard.Count > 2 * WordSamples);
        return call;
    }

    /// <summary>The call's clock waits for the decoder, however busy the machine is.</summary>
    private async Task PaceUntilAsync(ConversationHarness call, Func<bool> condition)
    {
        using var beat = new PeriodicTimer(TimeSpan.FromMilliseconds(5));
        for (var end = call.Now + TimeSpan.FromSeconds(20); !condition(); await beat.WaitForNextTickAsync(TestContext.Current.CancellationToken))
        {
            if (ears.Turn is { IsCaughtUp: false }) continue;
            Assert.True(call.Now < end, $"It did not happen: {string.Join(", ", call.Journal.Events.Select(item => $"{item.Type} {item.Text}"))}. Heard: {string.Join(" | ", call.Messages.Select(item => item.Text))}");
            call.Tick();
        }
    }

    /// <summary>A recognizer and a voice, loaded once.</summary>
    public sealed class Ears : IAsyncLifetime, IRecognizer
    {
        private readonly FliteSynthesizer _flite = new(new FliteOptions(), NullLoggerFactory.Instance);

        private readonly PocketsphinxRecognizer _recognizer = new(
            new PocketsphinxOptions { WarmDecoders = 1, PartialInterval = TimeSpan.Zero, FinishTimeout = TimeSpan.FromMinutes(5) /* a busy machine listens slowly */ },
            NullLoggerFactory.Instance, TimeProvider.System);

        /// <summary>The one that was begun last.</summary>
        internal PocketsphinxTurn? Turn { get; private set; }

        /// <summary>The text that it gave last, of the turn that was begun last.</summary>
        internal string? Understood { get; private set; }

        IRecognition IRecognizer.Start(RecognitionOptions options)
        {
            Understood = null;
            Turn = (PocketsphinxTurn)_recognizer.Start(options with
            {
                OnPartial = text =>
                {
                    Understood = text;
                    options.OnPartial?.Invoke(text);
                },
            });
            return new UnderstoodTurn(Turn, text => Understood = text);
        }

        public async ValueTask InitializeAsync()
        {
            Assert.SkipUnless(_recognizer.IsAvailable(out var why), why);
            await _recognizer.WarmAsync(TestContext.Current.CancellationToken);
        }

        public async ValueTask DisposeAsync()
        {
            await _recognizer.DisposeAsync();
            _flite.Dispose();
        }

        /// <summary>Words as this recognizer understands them: the voice mixes noise into its sound, and no two sayings are the same.</summary>
        internal async Task<short[]> SayClearlyAsync(string words)
        {
            for (var attempt = 0; attempt < 20; attempt++)
            {
                var sound = await SayAsync(words);
                await using var turn = _recognizer.Start(new RecognitionOptions(null, null));
                turn.Write([.. new short[3_200], .. sound, .. new short[3_200]]);
                if (await turn.FinishAsync(TestContext.Current.CancellationToken) == words) return sound;
            }
            throw new InvalidOperationException($"The recognizer never heard '{words}'.");
        }

        private async Task<short[]> SayAsync(string words)
        {
            var sound = new List<short>();
            await foreach (var chunk in _flite.SynthesizeAsync(new SynthesisRequest("slt", 16_000, null), OneAsync(words), TestContext.Current.CancellationToken))
            {
                Assert.Equal(16_000, chunk.SampleRateHz);
                sound.AddRange(chunk.Pcm.ToArray());
            }
            return [.. sound];
        }

        private static async IAsyncEnumerable<string> OneAsync(string words, [EnumeratorCancellation] CancellationToken cancellationToken = default)
        {
            await Task.CompletedTask;
            yield return words;
        }
    }

    private sealed class UnderstoodTurn(IRecognition turn, Action<string> understood) : IRecognition
    {
        public void Write(ReadOnlySpan<short> pcm) => turn.Write(pcm);

        public async Task<string> FinishAsync(CancellationToken cancellationToken)
        {
            var text = await turn.FinishAsync(cancellationToken);
            understood(text);
            return text;
        }

        public ValueTask DisposeAsync() => turn.DisposeAsync();
    }
}
