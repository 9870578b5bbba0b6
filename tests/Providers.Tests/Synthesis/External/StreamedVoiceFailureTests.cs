using VoiceGrains.Providers.Synthesis;
using VoiceGrains.Tests.Fakes.Voices;

namespace VoiceGrains.Providers.Tests.Synthesis.External;

/// <summary>Everything that can go wrong at a provider, told in its own words and never with the key.</summary>
public sealed class StreamedVoiceFailureTests
{
    private const string NoConnection = "Error initializing streaming TTS connection: ";
    private const string Text = "Hello there, my dear old friend.";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static TheoryData<string> Providers => ["eleven_labs", "cartesia", "lmnt", "respeecher"];

    [Theory]
    [InlineData("eleven_labs", ProviderFault.Rejected, NoConnection + "403 Forbidden: Invalid API key")]
    [InlineData("cartesia", ProviderFault.Rejected, NoConnection + "401 Unauthorized: The API key is not valid.")]
    [InlineData("lmnt", ProviderFault.Rejected, "Invalid API key.")]
    [InlineData("respeecher", ProviderFault.Rejected, NoConnection + "401 Unauthorized: Invalid API key")]
    public async Task AWrongKey_IsToldInTheProvidersWords(string provider, ProviderFault fault, string message)
    {
        await using var bench = await VoiceBench.StartAsync(provider);
        bench.Key = "secret-but-wrong";
        await AssertFailsAsync(bench, fault, message);
    }

    [Theory]
    [InlineData("eleven_labs", ProviderFault.Rejected, "This request exceeds your quota of 10000. You have 14 credits remaining, while 46 credits are required for this request.")]
    [InlineData("cartesia", ProviderFault.Rejected, "You have run out of credits.")]
    [InlineData("lmnt", ProviderFault.Rejected, "You have used all characters of your plan.")]
    [InlineData("respeecher", ProviderFault.Rejected, "Insufficient credits")]
    public async Task AnExceededQuota_IsToldInTheProvidersWords(string provider, ProviderFault fault, string message)
    {
        await using var bench = await VoiceBench.StartAsync(provider);
        bench.Server.Fault = FakeVoiceFault.QuotaExceeded;
        await AssertFailsAsync(bench, fault, message);
    }

    [Theory]
    [InlineData("eleven_labs", "A voice with voice_id missing-voice does not exist.", "A model with requested ID does not exist")]
    [InlineData("cartesia", "The voice you requested was not found.", "The model is not valid, make sure it is a valid model ID.")]
    [InlineData("lmnt", "Voice missing-voice does not exist.", "Unknown model: missing-model")]
    [InlineData("respeecher", "Voice missing-voice not found", NoConnection + "404 NotFound: Not Found")]
    public async Task AVoiceOrModelThatDoesNotExist_IsToldInTheProvidersWords(string provider, string noVoice, string noModel)
    {
        await using var bench = await VoiceBench.StartAsync(provider);
        bench.VoiceId = "missing-voice";
        await AssertFailsAsync(bench, ProviderFault.Rejected, noVoice);
        (bench.VoiceId, bench.Model) = ("voice-1", "missing-model");
        await AssertFailsAsync(bench, ProviderFault.Rejected, noModel);
    }

    [Fact]
    public async Task ARateThatTheTierDoesNotAllow_IsToldInTheProvidersWords()
    {
        await using var bench = await VoiceBench.StartAsync("eleven_labs");
        ((FakeElevenLabs)bench.Server).HighestRateHz = 24_000;
        await AssertFailsAsync(bench, ProviderFault.Rejected, "Requested output format pcm_44100 (PCM at 44100hz) is only allowed for Pro tier and above.", rateHz: 44_100);
    }

    [Theory, MemberData(nameof(Providers))]
    public async Task ARefusedConnection_TellsStatusAndBody(string provider)
    {
        await using var bench = await VoiceBench.StartAsync(provider);
        bench.Server.Fault = FakeVoiceFault.TooManyConnections;
        var failure = await AssertFailsAsync(bench, ProviderFault.RateLimited, NoConnection + "429 TooManyRequests: Too many connections.");
        Assert.Equal((429, TimeSpan.FromSeconds(7)), (failure.Status, failure.RetryAfter));
    }

    [Fact]
    public async Task AnOutageOfAMoment_IsNotHeard()
    {
        await using var bench = await VoiceBench.StartAsync("cartesia");
        bench.Server.Outages = 1;
        Assert.NotEmpty((await bench.SpeakAsync(Text)).Pcm);
        bench.Server.Outages = 2;
        await AssertFailsAsync(bench, ProviderFault.ServerError, NoConnection + "503 ServiceUnavailable: Back soon.");
    }

    [Theory, MemberData(nameof(Providers))]
    public async Task ACloseWithAReason_IsToldInTheProvidersWords(string provider)
    {
        await using var bench = await VoiceBench.StartAsync(provider);
        bench.Server.Fault = FakeVoiceFault.ClosesWithReason;
        await AssertFailsAsync(bench, ProviderFault.Rejected, "We are sorry, something went wrong. You are not charged for this request.", hasSound: true);
    }

    [Theory]
    [InlineData("..")]
    [InlineData("")]
    public async Task AVoiceIdThatIsNoPath_IsRefusedWithoutAsking(string voiceId)
    {
        await using var bench = await VoiceBench.StartAsync("eleven_labs");
        bench.VoiceId = voiceId;
        await AssertFailsAsync(bench, ProviderFault.Rejected, $"A voice with voice_id {voiceId} does not exist.");
        Assert.Empty(bench.Server.Sessions);
    }

    [Theory, MemberData(nameof(Providers))]
    public async Task AProviderThatIsNotThere_IsUnreachable(string provider)
    {
        await using var bench = await VoiceBench.StartAsync(provider);
        bench.Settings.BaseUrl = "ws://127.0.0.1:1";
        await AssertFailsAsync(bench, ProviderFault.Unreachable, NoConnection + "Connection refused");
    }

    [Theory, MemberData(nameof(Providers))]
    public async Task AProviderThatNeverConnects_TimesOut(string provider)
    {
        await using var bench = await VoiceBench.StartAsync(provider);
        bench.Server.Fault = FakeVoiceFault.NeverConnects;
        bench.Settings.ConnectTimeout = TimeSpan.FromSeconds(0.1);
        await AssertFailsAsync(bench, ProviderFault.TimedOut, $"{NoConnection}{provider} gave no connection within 0.1 s.");
    }

    [Theory, MemberData(nameof(Providers))]
    public async Task AProviderThatNeverSpeaks_TimesOut(string provider)
    {
        await using var bench = await VoiceBench.StartAsync(provider);
        bench.Server.Fault = FakeVoiceFault.NeverAnswers;
        bench.Settings.FirstSoundTimeout = TimeSpan.FromSeconds(0.1);
        await AssertFailsAsync(bench, ProviderFault.TimedOut, $"{provider} gave no sound within 0.1 s.");
    }

    [Theory, MemberData(nameof(Providers))]
    public async Task AProviderThatFallsSilent_TimesOutAfterWhatItSaid(string provider)
    {
        await using var bench = await VoiceBench.StartAsync(provider);
        bench.Server.Fault = FakeVoiceFault.Stalls;
        bench.Settings.StallTimeout = TimeSpan.FromSeconds(0.1);
        await AssertFailsAsync(bench, ProviderFault.TimedOut, $"{provider} gave no more sound within 0.1 s.", hasSound: true);
    }

    [Theory, MemberData(nameof(Providers))]
    public async Task ABrokenConnection_KeepsWhatWasSaid(string provider)
    {
        await using var bench = await VoiceBench.StartAsync(provider);
        bench.Server.Fault = FakeVoiceFault.BreaksMidMessage;
        await AssertFailsAsync(bench, ProviderFault.BrokeOff, $"{provider} broke off its answer: ", hasSound: true);
    }

    [Theory, MemberData(nameof(Providers))]
    public async Task AnEarlyClose_IsNoEnd(string provider)
    {
        await using var bench = await VoiceBench.StartAsync(provider);
        bench.Server.Fault = FakeVoiceFault.ClosesEarly;
        await AssertFailsAsync(bench, ProviderFault.BrokeOff, $"{provider} closed the connection before the end (1000).", hasSound: true);
    }

    [Theory, MemberData(nameof(Providers))]
    public async Task HalfAJson_IsABadAnswer(string provider)
    {
        await using var bench = await VoiceBench.StartAsync(provider);
        bench.Server.Fault = FakeVoiceFault.SendsGarbage;
        await AssertFailsAsync(bench, ProviderFault.BadAnswer, $"{provider} sent a message that cannot be read: it is no JSON.", hasSound: true);
    }

    [Theory, MemberData(nameof(Providers))]
    public async Task AMessageWithoutEnd_IsCutOff(string provider)
    {
        await using var bench = await VoiceBench.StartAsync(provider);
        bench.Server.Fault = FakeVoiceFault.SendsHugeMessage;
        bench.Settings.MaxMessageBytes = 300_000;
        await AssertFailsAsync(bench, ProviderFault.BadAnswer, $"{provider} sent a message of more than 300000 bytes.", hasSound: true);
    }

    private static async Task<ProviderException> AssertFailsAsync(VoiceBench bench, ProviderFault fault, string message, bool hasSound = false, int rateHz = 16_000)
    {
        var heard = new List<SpeechChunk>();
        var failure = await Assert.ThrowsAsync<ProviderException>(async () =>
        {
            await foreach (var chunk in bench.Speak(SpeechAsserts.Pieces(Text), Cancel, rateHz)) heard.Add(chunk);
        });
        Assert.StartsWith(message, failure.Message, StringComparison.Ordinal);
        Assert.Equal((bench.Provider, fault), (failure.Provider, failure.Fault));
        Assert.DoesNotContain(bench.Key ?? bench.Server.Key, failure.ToString(), StringComparison.Ordinal);
        Assert.Equal(hasSound, heard.Any(c => !c.Pcm.IsEmpty));
        return failure;
    }
}
