using System.Text.Json;
using System.Text.Json.Nodes;
using VoiceGrains.GrainInterfaces;
using VoiceGrains.GrainInterfaces.Voices;
using VoiceGrains.Providers.Synthesis.Cartesia;
using VoiceGrains.Providers.Synthesis.ElevenLabs;
using VoiceGrains.Providers.Synthesis.External;
using VoiceGrains.Providers.Synthesis.Google;
using VoiceGrains.Providers.Synthesis.Inworld;
using VoiceGrains.Providers.Synthesis.Lmnt;
using VoiceGrains.Providers.Synthesis.Respeecher;

namespace VoiceGrains.Grains.Voices;

/// <summary>From the wire's external voice to what a synthesizer is made of.</summary>
public static class ExternalVoices
{
    /// <summary>Null for a generic voice, which belongs to no provider that we know.</summary>
    public static TtsProvider? ProviderOf(this ExternalVoice voice) => TtsProvider.All.FirstOrDefault(provider => voice.SettingsAt(provider) is not null);

    /// <summary>What the voice says for a provider; null where it says nothing.</summary>
    public static JsonObject? SettingsAt(this ExternalVoice voice, TtsProvider provider) => provider.Field switch
    {
        "elevenLabs" => voice.ElevenLabs,
        "cartesia" => voice.Cartesia,
        "lmnt" => voice.Lmnt,
        "google" => voice.Google,
        "inworld" => voice.Inworld,
        "respeecher" => voice.Respeecher,
        _ => null,
    };

    /// <summary>A voice of the provider with these settings.</summary>
    public static ExternalVoice Of(TtsProvider provider, JsonObject settings)
        => new JsonObject { [provider.Field] = settings.DeepClone() }.Deserialize<ExternalVoice>(WireJson.Options)!;

    /// <summary>The definition of a voice at a provider that we know. Its ranges were checked when it was read.</summary>
    /// <exception cref="VoiceUnavailableException">It is at no provider that we know, or has no id.</exception>
    public static ExternalVoiceDefinition ToDefinition(this ExternalVoice voice) => voice switch
    {
        { ElevenLabs: { } json } => Read<ElevenLabsVoice>(json).ToDefinition(),
        { Cartesia: { } json } => Read<CartesiaVoice>(json).ToDefinition(),
        { Lmnt: { } json } => Read<LmntVoice>(json).ToDefinition(),
        { Google: { } json } => Read<GoogleVoice>(json).ToDefinition(),
        { Inworld: { } json } => Read<InworldVoice>(json).ToDefinition(),
        { Respeecher: { } json } => Read<RespeecherVoice>(json).ToDefinition(),
        _ => throw new VoiceUnavailableException("The external voice names no provider."),
    };

    private static ElevenLabsVoiceDefinition ToDefinition(this ElevenLabsVoice voice) => new()
    {
        VoiceId = Required(voice.VoiceId),
        Model = voice.Model,
        Speed = voice.Speed,
        UseSpeakerBoost = voice.UseSpeakerBoost,
        Style = voice.Style,
        SimilarityBoost = voice.SimilarityBoost,
        Stability = voice.Stability,
        PronunciationDictionaries = [.. (voice.PronunciationDictionaries ?? []).Select(d => new ElevenLabsPronunciation(d.DictionaryId ?? "", d.VersionId))],
        OptimizeStreamingLatency = voice.OptimizeStreamingLatency,
        MaxSampleRate = voice.MaxSampleRate,
        EnableSsmlParsing = voice.EnableSsmlParsing,
    };

    private static CartesiaVoiceDefinition ToDefinition(this CartesiaVoice voice) => new()
    {
        VoiceId = Required(voice.VoiceId),
        Model = voice.Model,
        Speed = voice.Speed,
        Emotion = voice.Emotion,
        Emotions = voice.Emotions ?? [],
        GenerationConfig = voice.GenerationConfig is { } g ? new(g.Volume, g.Speed, g.Emotion, g.PronunciationDictId) : null,
    };

    private static LmntVoiceDefinition ToDefinition(this LmntVoice voice) => new()
    {
        VoiceId = Required(voice.VoiceId),
        Model = voice.Model,
        Speed = voice.Speed,
        Conversational = voice.Conversational,
    };

    private static GoogleVoiceDefinition ToDefinition(this GoogleVoice voice) => new() { VoiceId = Required(voice.VoiceId), SpeakingRate = voice.SpeakingRate };

    private static InworldVoiceDefinition ToDefinition(this InworldVoice voice) => new()
    {
        VoiceId = Required(voice.VoiceId),
        ModelId = voice.ModelId,
        SpeakingRate = voice.SpeakingRate,
        Temperature = voice.Temperature,
        ApplyTextNormalization = voice.ApplyTextNormalization,
    };

    private static RespeecherVoiceDefinition ToDefinition(this RespeecherVoice voice) => new()
    {
        VoiceId = Required(voice.VoiceId),
        Model = voice.Model,
        Seed = voice.Seed,
        Temperature = voice.Temperature,
        TopK = voice.TopK,
        TopP = voice.TopP,
        MinP = voice.MinP,
        PresencePenalty = voice.PresencePenalty,
        RepetitionPenalty = voice.RepetitionPenalty,
        FrequencyPenalty = voice.FrequencyPenalty,
    };

    private static T Read<T>(JsonObject json) => json.Deserialize<T>(WireJson.Options)!;

    private static string Required(string? voiceId)
        => string.IsNullOrEmpty(voiceId) ? throw new VoiceUnavailableException("The external voice has no 'voiceId'.") : voiceId;
}
