using System.Text.Json.Nodes;
using VoiceGrains.Providers.Synthesis.Respeecher;

namespace VoiceGrains.Providers.Tests.Synthesis.External;

/// <summary>What is Respeecher's own; failures are those of all voices over WebSockets.</summary>
public sealed class RespeecherTests
{
    private const string First = "Hello there, my friend. ", Second = "How are you today?";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Sentences_AreSpokenWholeInOneContext()
    {
        await using var bench = await VoiceBench.StartAsync("respeecher");
        var spoken = await bench.SpeakAsync(First, Second);
        Assert.Equal(bench.Server.Spoken.SelectMany(s => s.Pcm), spoken.Pcm);
        Assert.Empty(spoken.Words);
        var session = Assert.Single(bench.Server.Sessions);
        Assert.Equal([(First, true), (Second, true), ("", false)], session.Messages.Select(m => ((string)m["transcript"]!, (bool)m["continue"]!)));
        Assert.Equal("/v1/public/tts/ua-rt/tts/websocket", session.Address);
    }

    [Theory]
    [InlineData(null, "en-GB", "/v1/public/tts/en-rt/tts/websocket")]
    [InlineData(null, "uk", "/v1/public/tts/ua-rt/tts/websocket")]
    [InlineData("/v1/private/tts/mine", "en", "/v1/private/tts/mine/tts/websocket")]
    public async Task Model_IsTheVoices_OrThatOfTheLanguage(string? model, string language, string address)
    {
        await using var bench = await VoiceBench.StartAsync("respeecher");
        var voice = new RespeecherVoiceDefinition { VoiceId = "samantha", Model = model, Seed = 7, Temperature = 0.5, TopK = -1, TopP = 0.9, MinP = 0.1, PresencePenalty = 1, RepetitionPenalty = 1.5, FrequencyPenalty = 0.25 };
        await bench.Speak(voice, SpeechAsserts.Pieces("Yes."), Cancel, 24_000, language).ToListAsync(Cancel);
        var session = Assert.Single(bench.Server.Sessions);
        Assert.Equal(address, session.Address);
        const string Expected = """
            {"id":"samantha","sampling_params":{"seed":7,"temperature":0.5,"top_k":-1,"top_p":0.9,"min_p":0.1,"presence_penalty":1,"repetition_penalty":1.5,"frequency_penalty":0.25}}
            """;
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(Expected), session.Messages[0]["voice"]), session.Messages[0].ToJsonString());
        Assert.Equal(24_000, (int)session.Messages[0]["output_format"]!["sample_rate"]!);
    }

    [Theory]
    [InlineData("/v1/../../admin")]
    [InlineData("v1?x=")]
    [InlineData("a b")]
    public async Task AModelThatWouldLeadElsewhere_IsRefused(string model)
    {
        await using var bench = await VoiceBench.StartAsync("respeecher");
        bench.Model = model;
        var failure = await Assert.ThrowsAsync<ProviderException>(() => bench.Speak(SpeechAsserts.Pieces("Yes."), Cancel).ToListAsync(Cancel).AsTask());
        Assert.Equal(($"The model {model} does not exist.", 0), (failure.Message, bench.Server.Sessions.Count));
    }

    [Fact]
    public async Task LeavingTheEnumeration_CancelsTheContext()
    {
        await using var bench = await VoiceBench.StartAsync("respeecher");
        bench.Server.PartDelay = TimeSpan.FromMilliseconds(20);
        await foreach (var _ in bench.Speak(SpeechAsserts.Pieces(First, Second), Cancel)) break;
        var session = Assert.Single(bench.Server.Sessions);
        Assert.Equal("closed", await session.Left.WaitAsync(TimeSpan.FromSeconds(30), Cancel));
        Assert.True((bool)session.Messages[^1]["cancel"]!);
        Assert.Empty(bench.Server.Violations);
    }
}
