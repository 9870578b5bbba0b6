using Microsoft.Extensions.Options;
using VoiceGrains.Providers.Http;
using VoiceGrains.Providers.Synthesis;
using VoiceGrains.Providers.Synthesis.Cartesia;
using VoiceGrains.Providers.Synthesis.ElevenLabs;
using VoiceGrains.Providers.Synthesis.External;
using VoiceGrains.Providers.Synthesis.Google;
using VoiceGrains.Providers.Synthesis.Inworld;
using VoiceGrains.Providers.Synthesis.Lmnt;
using VoiceGrains.Providers.Synthesis.Respeecher;
using VoiceGrains.Tests.Fakes.Voices;

namespace VoiceGrains.Providers.Tests.Synthesis.External;

/// <summary>A fake provider by its name, and a synthesizer that speaks through it.</summary>
internal sealed class VoiceBench : IAsyncDisposable
{
    private readonly ProviderHttpPool _pool = new(new OutboundGuard(Options.Create(new OutboundOptions())));
    private readonly ExternalVoiceOptions _options = new();

    private VoiceBench(string provider, FakeVoiceServer server) => (Provider, Server) = (provider, server);

    public string Provider { get; }

    public FakeVoiceServer Server { get; }

    public string VoiceId { get; set; } = "voice-1";

    public string? Model { get; set; }

    /// <summary>What the client sends; the server's own unless set.</summary>
    public string? Key { get; set; }

    public ExternalProviderOptions Settings => Provider switch
    {
        "eleven_labs" => _options.ElevenLabs,
        "cartesia" => _options.Cartesia,
        "google" => _options.Google,
        "inworld" => _options.Inworld,
        "respeecher" => _options.Respeecher,
        _ => _options.Lmnt,
    };

    public static async Task<VoiceBench> StartAsync(string provider)
    {
        FakeVoiceServer server = provider switch
        {
            "eleven_labs" => await FakeElevenLabs.StartNewAsync(),
            "cartesia" => await FakeCartesia.StartNewAsync(),
            "google" => await FakeGoogle.StartNewAsync(),
            "inworld" => await FakeInworld.StartNewAsync(),
            "respeecher" => await FakeRespeecher.StartNewAsync(),
            _ => await FakeLmnt.StartNewAsync(),
        };
        var bench = new VoiceBench(provider, server);
        bench.Settings.BaseUrl = server.Url;
        (bench.Settings.ConnectTimeout, bench.Settings.FirstSoundTimeout, bench.Settings.StallTimeout) = (TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(30));
        return bench;
    }

    public IAsyncEnumerable<SpeechChunk> Speak(IAsyncEnumerable<string> text, CancellationToken cancellationToken, int rateHz = 16_000)
        => Speak(Voice(), text, cancellationToken, rateHz);

    public IAsyncEnumerable<SpeechChunk> Speak(ExternalVoiceDefinition voice, IAsyncEnumerable<string> text, CancellationToken cancellationToken, int rateHz = 16_000, string? language = null)
        => voice.CreateSynthesizer(new ExternalVoiceServices(_options, _pool, TimeProvider.System), Key ?? Server.Key)
            .SynthesizeAsync(new SynthesisRequest("", rateHz, language), text, cancellationToken);

    public ExternalVoiceDefinition Voice() => Provider switch
    {
        "eleven_labs" => new ElevenLabsVoiceDefinition { VoiceId = VoiceId, Model = Model },
        "cartesia" => new CartesiaVoiceDefinition { VoiceId = VoiceId, Model = Model },
        "google" => new GoogleVoiceDefinition { VoiceId = VoiceId },
        "inworld" => new InworldVoiceDefinition { VoiceId = VoiceId, ModelId = Model },
        "respeecher" => new RespeecherVoiceDefinition { VoiceId = VoiceId, Model = Model },
        _ => new LmntVoiceDefinition { VoiceId = VoiceId, Model = Model },
    };

    /// <summary>Speaks all and checks what every voice promises.</summary>
    public async Task<SpokenUtterance> SpeakAsync(params string[] pieces)
    {
        var utterance = new SpokenUtterance(string.Concat(pieces), await Speak(SpeechAsserts.Pieces(pieces), TestContext.Current.CancellationToken).ToListAsync(TestContext.Current.CancellationToken));
        Assert.Empty(Server.Violations);
        utterance.AssertConsistent();
        return utterance;
    }

    public async ValueTask DisposeAsync()
    {
        _pool.Dispose();
        await Server.DisposeAsync();
    }
}

/// <summary>What came of a whole utterance.</summary>
internal sealed record SpokenUtterance(string Text, List<SpeechChunk> Chunks)
{
    public short[] Pcm { get; } = [.. Chunks.SelectMany(c => c.Pcm.ToArray())];

    public WordTiming[] Words { get; } = [.. Chunks.SelectMany(c => c.Words)];

    public string[] WordTexts => [.. Words.Select(w => Text[w.TextStart..w.TextEnd])];

    public void AssertConsistent()
    {
        Assert.Single(Chunks.Select(c => c.SampleRateHz).Distinct());
        Assert.Equal(Text.Length, Chunks[^1].TextEnd);
        Assert.All(Chunks.SkipLast(1), c => Assert.Equal(-1, c.TextEnd));
        var length = TimeSpan.FromSeconds((double)Pcm.Length / Chunks[0].SampleRateHz);
        AssertForward(Words, Text.Length, length + TimeSpan.FromMilliseconds(2));
    }

    /// <summary>Neither text nor time ever goes backwards, and both stay inside the utterance.</summary>
    public static void AssertForward(IEnumerable<WordTiming> words, int textLength, TimeSpan length)
    {
        var (text, time) = (0, TimeSpan.Zero);
        foreach (var word in words)
        {
            Assert.True(word.TextStart >= text && word.TextEnd > word.TextStart && word.TextEnd <= textLength, $"text of {word}");
            Assert.True(word.Start >= time && word.End >= word.Start && word.End <= length, $"time of {word} in {length}");
            (text, time) = (word.TextEnd, word.End);
        }
    }
}
