using System.ComponentModel.DataAnnotations;

namespace VoiceGrains.GrainInterfaces.Voices;

/// <summary><c>ultravox.v1.ElevenLabsVoice</c>.</summary>
public sealed record ElevenLabsVoice
{
    public string? VoiceId { get; init; }
    public string? Model { get; init; }
    [Range(0.7, 1.2)] public double? Speed { get; init; }
    public bool? UseSpeakerBoost { get; init; }
    [Range(0.0, 1.0)] public double? Style { get; init; }
    [Range(0.0, 1.0)] public double? SimilarityBoost { get; init; }
    [Range(0.0, 1.0)] public double? Stability { get; init; }
    public IReadOnlyList<PronunciationDictionary>? PronunciationDictionaries { get; init; }
    public int? OptimizeStreamingLatency { get; init; }
    public int? MaxSampleRate { get; init; }
    public bool? EnableSsmlParsing { get; init; }
}

/// <summary><c>ultravox.v1.ElevenLabsVoice_PronunciationDictionaryReference</c>.</summary>
public sealed record PronunciationDictionary { public string? DictionaryId { get; init; } public string? VersionId { get; init; } }

/// <summary><c>ultravox.v1.CartesiaVoice</c>.</summary>
public sealed record CartesiaVoice
{
    public string? VoiceId { get; init; }
    public string? Model { get; init; }
    [Range(-1.0, 1.0)] public double? Speed { get; init; }
    public string? Emotion { get; init; }
    public IReadOnlyList<string>? Emotions { get; init; }
    public CartesiaGenerationConfig? GenerationConfig { get; init; }
}

/// <summary><c>ultravox.v1.CartesiaVoice_CartesiaGenerationConfig</c>.</summary>
public sealed record CartesiaGenerationConfig
{
    [Range(0.5, 2.0)] public double? Volume { get; init; }
    [Range(0.6, 1.5)] public double? Speed { get; init; }
    public string? Emotion { get; init; }
    public string? PronunciationDictId { get; init; }
}

/// <summary><c>ultravox.v1.LmntVoice</c>.</summary>
public sealed record LmntVoice
{
    public string? VoiceId { get; init; }
    public string? Model { get; init; }
    [Range(0.25, 2.0)] public double? Speed { get; init; }
    public bool? Conversational { get; init; }
}

/// <summary><c>ultravox.v1.GoogleVoice</c>.</summary>
public sealed record GoogleVoice
{
    public string? VoiceId { get; init; }
    [Range(0.25, 2.0)] public double? SpeakingRate { get; init; }
}

/// <summary><c>ultravox.v1.InworldVoice</c>.</summary>
public sealed record InworldVoice
{
    public string? VoiceId { get; init; }
    public string? ModelId { get; init; }
    [Range(0.5, 1.5)] public double? SpeakingRate { get; init; }
    [Range(0.0, 2.0)] public double? Temperature { get; init; }
    public bool? ApplyTextNormalization { get; init; }
}

/// <summary><c>ultravox.v1.RespeecherVoice</c>.</summary>
public sealed record RespeecherVoice
{
    public string? VoiceId { get; init; }
    public string? Model { get; init; }
    public int? Seed { get; init; }
    [Range(0.0, double.MaxValue, ErrorMessage = "Must be at least 0.")] public double? Temperature { get; init; }
    [RegularExpression("^(-1|[1-9][0-9]*)$", ErrorMessage = "Must be -1 or above 0.")] public int? TopK { get; init; }
    [Range(0.0, 1.0, MinimumIsExclusive = true, ErrorMessage = "Must be above 0 and at most 1.")] public double? TopP { get; init; }
    [Range(0.0, 1.0)] public double? MinP { get; init; }
    [Range(0.0, 2.0)] public double? PresencePenalty { get; init; }
    [Range(1.0, 2.0)] public double? RepetitionPenalty { get; init; }
    [Range(0.0, 2.0)] public double? FrequencyPenalty { get; init; }
}
