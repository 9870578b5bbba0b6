using System.Security.Cryptography;
using System.Text.Json.Nodes;
using VoiceGrains.Providers.Synthesis;
using VoiceGrains.Providers.Synthesis.Google;
using VoiceGrains.Providers.Synthesis.Inworld;
using VoiceGrains.Tests.Fakes.Voices;

namespace VoiceGrains.Providers.Tests.Synthesis.External;

/// <summary>Voices at providers that take a sentence for each request, against a fake of each.</summary>
public sealed class HttpVoiceTests
{
    private const string First = "Hello there, my friend. ", Second = "How are you today?";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Inworld_TellsEachWordAtItsTime_AlsoInLaterSentences()
    {
        await using var bench = await VoiceBench.StartAsync("inworld");
        var chunks = await bench.Speak(SpeechAsserts.Pieces(First, "  ", Second), Cancel).ToListAsync(Cancel);
        var spoken = new SpokenUtterance(First + "  " + Second, chunks);
        var (first, second) = (Spoken(bench, First), Spoken(bench, Second));
        Assert.Equal([.. first.Pcm, .. second.Pcm], spoken.Pcm);
        Assert.Equal([.. First.Trim().Split(' '), .. Second.Split(' ')], spoken.WordTexts);
        var expected = first.Words.Select(w => w.From).Concat(second.Words.Select(w => first.Seconds + w.From));
        Assert.All(spoken.Words.Zip(expected), pair => Assert.Equal(pair.Second, pair.First.Start.TotalSeconds, tolerance: 0.005));
        Assert.Equal([First.Length, First.Length + 2 + Second.Length], chunks.Select(c => c.TextEnd).Where(end => end >= 0));
        Assert.True(chunks.Count > 4);      // as the sound is made
        Assert.Empty(bench.Server.Violations);
    }

    [Fact]
    public async Task Google_TellsWhereEachSentenceEnds()
    {
        await using var bench = await VoiceBench.StartAsync("google");
        var chunks = await bench.Speak(SpeechAsserts.Pieces(First, Second), Cancel, 24_000).ToListAsync(Cancel);
        Assert.Equal([.. Spoken(bench, First).Pcm, .. Spoken(bench, Second).Pcm], chunks.SelectMany(c => c.Pcm.ToArray()));
        Assert.Equal([First.Length, First.Length + Second.Length], chunks.Select(c => c.TextEnd));
        Assert.All(chunks, c => Assert.Equal(24_000, c.SampleRateHz));
        Assert.Empty(bench.Server.Violations);
    }

    [Theory]
    [InlineData("de-DE-Chirp3-HD-Charon", "en", "de-DE")]
    [InlineData("cmn-CN-Wavenet-A", null, "cmn-CN")]
    [InlineData("my-own-voice", "fr-FR", "fr-FR")]
    [InlineData("custom", null, "en-US")]
    public async Task Google_LanguageComesFromTheVoicesName(string name, string? hint, string language)
    {
        await using var bench = await VoiceBench.StartAsync("google");
        bench.Key = FakeGoogle.ApiKey;
        await bench.Speak(new GoogleVoiceDefinition { VoiceId = name, SpeakingRate = 1.25 }, SpeechAsserts.Pieces("Yes."), Cancel, language: hint).ToListAsync(Cancel);
        var body = Assert.Single(((FakeHttpVoiceServer)bench.Server).Requests).Body;
        AssertJson($$$"""
            {"input":{"text":"Yes."},"voice":{"languageCode":"{{{language}}}","name":"{{{name}}}"},"audioConfig":{"audioEncoding":"LINEAR16","sampleRateHertz":16000,"speakingRate":1.25}}
            """, body);
    }

    [Fact]
    public async Task Google_SignsOneTokenForManyRequests()
    {
        await using var bench = await VoiceBench.StartAsync("google");
        await bench.Speak(SpeechAsserts.Pieces("One.", "Two.", "Three."), Cancel).ToListAsync(Cancel);
        Assert.Single(((FakeHttpVoiceServer)bench.Server).Requests.Select(r => r.Headers.Authorization.ToString()).Distinct());
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("{\"client_email\":\"a@b\",\"private_key\":\"-----BEGIN PRIVATE KEY-----\\nAAAA\\n-----END PRIVATE KEY-----\"}")]
    public async Task Google_AKeyThatCannotSign_SaysSoWithoutQuotingIt(string key)
    {
        await using var bench = await VoiceBench.StartAsync("google");
        bench.Key = key;
        await AssertFailsAsync(bench, ProviderFault.Rejected, "The account's Google key is no usable service account key.");
    }

    [Fact]
    public async Task Inworld_SendsWhatTheVoiceSays()
    {
        await using var bench = await VoiceBench.StartAsync("inworld");
        var voice = new InworldVoiceDefinition { VoiceId = "Dennis", SpeakingRate = 1.5, Temperature = 0.7, ApplyTextNormalization = false };
        await bench.Speak(voice, SpeechAsserts.Pieces("Yes."), Cancel, 48_000).ToListAsync(Cancel);
        AssertJson("""
            {"text":"Yes.","voiceId":"Dennis","modelId":"inworld-tts-1.5-max","audioConfig":{"audioEncoding":"LINEAR16","sampleRateHertz":48000,"speakingRate":1.5},
             "temperature":0.7,"applyTextNormalization":"OFF","timestampType":"WORD"}
            """, Assert.Single(((FakeHttpVoiceServer)bench.Server).Requests).Body);
    }

    [Theory]
    [InlineData("inworld", 401, "Invalid authorization credentials")]
    [InlineData("google", 400, "API key not valid. Please pass a valid API key.")]
    public async Task AWrongKey_IsToldInTheProvidersWords(string provider, int status, string words)
    {
        await using var bench = await VoiceBench.StartAsync(provider);
        bench.Key = "secret-but-wrong";
        Assert.Equal(status, (await AssertFailsAsync(bench, ProviderFault.Rejected, words)).Status);
    }

    [Fact]
    public async Task AnotherAccountsServiceKey_IsRefused()
    {
        await using var bench = await VoiceBench.StartAsync("google");
        using var other = RSA.Create(2048);
        bench.Key = FakeGoogle.ServiceAccount(other);
        await AssertFailsAsync(bench, ProviderFault.Rejected, "Request had invalid authentication credentials.");
    }

    [Theory]
    [InlineData("inworld", "You have exceeded your credit limit.", "Unknown voice: missing-voice not found!")]
    [InlineData("google", "Quota exceeded for quota metric 'All requests'", "Voice 'missing-voice' does not exist. Is it misspelled?")]
    public async Task QuotaAndVoice_AreToldInTheProvidersWords(string provider, string noQuota, string noVoice)
    {
        await using var bench = await VoiceBench.StartAsync(provider);
        bench.Server.Fault = FakeVoiceFault.QuotaExceeded;
        var exceeded = await AssertFailsAsync(bench, ProviderFault.RateLimited, noQuota);
        Assert.Equal((429, TimeSpan.FromSeconds(7)), (exceeded.Status, exceeded.RetryAfter));
        (bench.Server.Fault, bench.VoiceId) = (FakeVoiceFault.None, "missing-voice");
        await AssertFailsAsync(bench, ProviderFault.Rejected, noVoice);
    }

    [Fact]
    public async Task Inworld_AnErrorAmidTheAnswer_KeepsWhatWasSaid()
    {
        await using var bench = await VoiceBench.StartAsync("inworld");
        ((FakeInworld)bench.Server).FailsAmidAnswer = true;
        await AssertFailsAsync(bench, ProviderFault.RateLimited, "You have exceeded your credit limit.", hasSound: true);
    }

    [Theory]
    [InlineData("inworld", nameof(FakeVoiceFault.NeverAnswers), ProviderFault.TimedOut, "inworld gave no sound within 0.2 s.", false)]
    [InlineData("inworld", nameof(FakeVoiceFault.Stalls), ProviderFault.TimedOut, "inworld gave no more sound within 0.2 s.", true)]
    [InlineData("inworld", nameof(FakeVoiceFault.BreaksMidMessage), ProviderFault.BrokeOff, "inworld broke off its answer: ", true)]
    [InlineData("inworld", nameof(FakeVoiceFault.ClosesEarly), ProviderFault.BadAnswer, "inworld sent an answer that cannot be played: it is no JSON.", true)]
    [InlineData("inworld", nameof(FakeVoiceFault.SendsGarbage), ProviderFault.BadAnswer, "inworld sent an answer that cannot be played: it is no JSON.", true)]
    [InlineData("inworld", nameof(FakeVoiceFault.SendsHugeMessage), ProviderFault.BadAnswer, "inworld sent an answer that cannot be played: it has a line longer than 300000 bytes.", true)]
    [InlineData("google", nameof(FakeVoiceFault.NeverAnswers), ProviderFault.TimedOut, "google gave no sound within 0.2 s.", false)]
    [InlineData("google", nameof(FakeVoiceFault.Stalls), ProviderFault.TimedOut, "google gave no sound within 0.2 s.", false)]
    [InlineData("google", nameof(FakeVoiceFault.BreaksMidMessage), ProviderFault.BrokeOff, "google broke off its answer: ", false)]
    [InlineData("google", nameof(FakeVoiceFault.SendsGarbage), ProviderFault.BadAnswer, "google sent an answer that cannot be played: it is no JSON.", false)]
    [InlineData("google", nameof(FakeVoiceFault.SendsHugeMessage), ProviderFault.BadAnswer, "google sent an answer that cannot be played: it is longer than 300000 bytes.", false)]
    public async Task WhatGoesWrong_IsTold_AndWhatWasSaidBeforeIsKept(string provider, string what, ProviderFault fault, string words, bool hasSound)
    {
        await using var bench = await VoiceBench.StartAsync(provider);
        bench.Server.Fault = Enum.Parse<FakeVoiceFault>(what);
        bench.Settings.MaxMessageBytes = 300_000;
        if (fault == ProviderFault.TimedOut)
        {
            // The sound that comes first may take longer: flite speaks it on a busy machine.
            if (what == nameof(FakeVoiceFault.NeverAnswers) || provider == "google") bench.Settings.FirstSoundTimeout = TimeSpan.FromSeconds(0.2);
            bench.Settings.StallTimeout = TimeSpan.FromSeconds(0.2);
        }
        await AssertFailsAsync(bench, fault, words, hasSound);
    }

    [Theory]
    [InlineData("inworld")]
    [InlineData("google")]
    public async Task AProviderThatIsNotThere_IsUnreachable(string provider)
    {
        await using var bench = await VoiceBench.StartAsync(provider);
        bench.Settings.BaseUrl = "http://127.0.0.1:1";
        await AssertFailsAsync(bench, ProviderFault.Unreachable, $"{provider} could not be reached: ");
    }

    [Fact]
    public async Task LeavingTheEnumeration_AbortsTheRequest()
    {
        await using var bench = await VoiceBench.StartAsync("inworld");
        (bench.Server.PartDelay, bench.Server.PartSeconds) = (TimeSpan.FromMilliseconds(50), 0.05);
        await foreach (var _ in bench.Speak(SpeechAsserts.Pieces(First, Second), Cancel)) break;
        await ((FakeHttpVoiceServer)bench.Server).Aborted.WaitAsync(Patience, Cancel);
    }

    private static FakeSpeech Spoken(VoiceBench bench, string text) => bench.Server.Spoken.Single(s => s.Text == text.Trim());

    private static void AssertJson(string expected, JsonObject actual) => Assert.True(JsonNode.DeepEquals(JsonNode.Parse(expected), actual), actual.ToJsonString());

    private static async Task<ProviderException> AssertFailsAsync(VoiceBench bench, ProviderFault fault, string words, bool hasSound = false)
    {
        var heard = new List<SpeechChunk>();
        var failure = await Assert.ThrowsAsync<ProviderException>(async () =>
        {
            await foreach (var chunk in bench.Speak(SpeechAsserts.Pieces("Hello there, my dear old friend."), Cancel)) heard.Add(chunk);
        });
        Assert.StartsWith(words, failure.Message, StringComparison.Ordinal);
        Assert.Equal((bench.Provider, fault), (failure.Provider, failure.Fault));
        Assert.DoesNotContain(bench.Key ?? bench.Server.Key, failure.ToString(), StringComparison.Ordinal);
        Assert.Equal(hasSound, heard.Any(c => !c.Pcm.IsEmpty));
        return failure;
    }
}
