using System.Text.Json;
using System.Text.Json.Nodes;
using VoiceGrains.GrainInterfaces;
using VoiceGrains.GrainInterfaces.Validation;
using VoiceGrains.GrainInterfaces.Voices;
using VoiceGrains.Grains.Voices;
using VoiceGrains.Providers.Synthesis.Cartesia;
using VoiceGrains.Providers.Synthesis.ElevenLabs;
using VoiceGrains.Providers.Synthesis.Google;
using VoiceGrains.Providers.Synthesis.Inworld;
using VoiceGrains.Providers.Synthesis.Lmnt;
using VoiceGrains.Providers.Synthesis.Respeecher;

namespace VoiceGrains.Grains.Tests.Voices;

public sealed class ExternalVoiceTests
{
    [Fact]
    public void ToDefinition_TakesEveryFieldOfTheWire()
    {
        var eleven = Assert.IsType<ElevenLabsVoiceDefinition>(Voice(
            """
            {"elevenLabs":{"voiceId":"v","model":"m","speed":1.1,"useSpeakerBoost":true,"style":0.1,"similarityBoost":0.2,"stability":0.3,
             "pronunciationDictionaries":[{"dictionaryId":"d","versionId":"1"}],"optimizeStreamingLatency":2,"maxSampleRate":24000,"enableSsmlParsing":true}}
            """).ToDefinition());
        Assert.Equal(("v", "m", 1.1, true, 0.1, 0.2, 0.3, 2, 24_000, true), (
            eleven.VoiceId, eleven.Model, eleven.Speed, eleven.UseSpeakerBoost, eleven.Style, eleven.SimilarityBoost, eleven.Stability, eleven.OptimizeStreamingLatency,
            eleven.MaxSampleRate, eleven.EnableSsmlParsing));
        Assert.Equal([new ElevenLabsPronunciation("d", "1")], eleven.PronunciationDictionaries);

        var cartesia = Assert.IsType<CartesiaVoiceDefinition>(Voice(
            """
            {"cartesia":{"voiceId":"v","model":"m","speed":-0.5,"emotion":"e","emotions":["a","b"],
             "generationConfig":{"volume":1.5,"speed":1.2,"emotion":"calm","pronunciationDictId":"p"}}}
            """).ToDefinition());
        Assert.Equal(("v", "m", -0.5, "e", new CartesiaGeneration(1.5, 1.2, "calm", "p")), (cartesia.VoiceId, cartesia.Model, cartesia.Speed, cartesia.Emotion, cartesia.GenerationConfig));
        Assert.Equal(["a", "b"], cartesia.Emotions);

        Assert.Equal(new LmntVoiceDefinition { VoiceId = "v", Model = "m", Speed = 0.5, Conversational = true },
            Voice("""{"lmnt":{"voiceId":"v","model":"m","speed":0.5,"conversational":true}}""").ToDefinition());
        Assert.Equal(new GoogleVoiceDefinition { VoiceId = "v", SpeakingRate = 1.5 }, Voice("""{"google":{"voiceId":"v","speakingRate":1.5}}""").ToDefinition());
        Assert.Equal(new InworldVoiceDefinition { VoiceId = "v", ModelId = "m", SpeakingRate = 1.5, Temperature = 0.7, ApplyTextNormalization = true },
            Voice("""{"inworld":{"voiceId":"v","modelId":"m","speakingRate":1.5,"temperature":0.7,"applyTextNormalization":true}}""").ToDefinition());
        Assert.Equal(
            new RespeecherVoiceDefinition
            {
                VoiceId = "v", Model = "m", Seed = 7, Temperature = 0.5, TopK = -1, TopP = 0.9, MinP = 0.1, PresencePenalty = 1, RepetitionPenalty = 1.5, FrequencyPenalty = 0.25,
            },
            Voice(
                """
                {"respeecher":{"voiceId":"v","model":"m","seed":7,"temperature":0.5,"topK":-1,"topP":0.9,"minP":0.1,"presencePenalty":1,"repetitionPenalty":1.5,"frequencyPenalty":0.25}}
                """).ToDefinition());
    }

    [Fact]
    public void ToDefinition_WithoutAnId_SaysSo()
        => Assert.Equal("The external voice has no 'voiceId'.", Assert.Throws<VoiceUnavailableException>(() => Voice("""{"lmnt":{"model":"m"}}""").ToDefinition()).Message);

    [Theory]
    [InlineData("""{"lmnt":{"speed":0.5,"model":null}}""", """{"voiceId":"v","model":"m","speed":0.5}""")]
    [InlineData("""{"lmnt":{"voiceId":"other","model":"other","conversational":true}}""", """{"voiceId":"v","model":"m","speed":1,"conversational":true}""")]
    [InlineData("""{"elevenLabs":{"speed":0.9}}""", """{"voiceId":"v","model":"m","speed":1}""")]
    public void Overrides_AreLaidOverWhatIsSaidForTheVoicesProvider(string overrides, string merged)
    {
        var voice = Voice("""{"lmnt":{"voiceId":"v","model":"m","speed":1}}""");
        Assert.Equal(merged, VoiceOverrides.Apply(voice, Voice(overrides)).Lmnt!.ToJsonString());
        Assert.Equal("""{"voiceId":"v","model":"m","speed":1}""", voice.Lmnt!.ToJsonString());   // which stays as it was
    }

    [Fact]
    public void NothingOfAGenericVoice_CanBeOverridden()
    {
        var voice = Voice("""{"generic":{"url":"https://a.example","body":{"t":"{text}"}}}""");
        var errors = new InputErrors();
        VoiceOverrides.Check(voice, voice, errors);
        Assert.Equal("""["The voice is a generic one, of which nothing may be overridden."]""", errors.ToJson().ToJsonString());
        Assert.Same(voice, VoiceOverrides.Apply(voice, Voice("""{"lmnt":{"speed":1}}""")));
    }

    private static ExternalVoice Voice(string json) => JsonNode.Parse(json)!.Deserialize<ExternalVoice>(WireJson.Options)!;
}
