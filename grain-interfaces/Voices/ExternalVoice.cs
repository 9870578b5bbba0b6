using System.ComponentModel.DataAnnotations;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using VoiceGrains.GrainInterfaces.Validation;

namespace VoiceGrains.GrainInterfaces.Voices;

/// <summary><c>ultravox.v1.ExternalVoice</c>: exactly one is set. Named providers keep their documented fields as JSON until they are served.</summary>
[AtMostOne("elevenLabs", "cartesia", "lmnt", "google", "inworld", "respeecher", "generic", Required = true)]
public sealed record ExternalVoice
{
    [Shape(typeof(ElevenLabsVoice))] public JsonObject? ElevenLabs { get; init; }
    [Shape(typeof(CartesiaVoice))] public JsonObject? Cartesia { get; init; }
    [Shape(typeof(LmntVoice))] public JsonObject? Lmnt { get; init; }
    [Shape(typeof(GoogleVoice))] public JsonObject? Google { get; init; }
    [Shape(typeof(InworldVoice))] public JsonObject? Inworld { get; init; }
    [Shape(typeof(RespeecherVoice))] public JsonObject? Respeecher { get; init; }
    public GenericVoice? Generic { get; init; }
}

/// <summary><c>ultravox.v1.GenericVoice</c>.</summary>
public sealed record GenericVoice
{
    [Required, WireUrl("https", "http")] public string? Url { get; init; }
    [Secret] public IReadOnlyDictionary<string, string>? Headers { get; init; }
    /// <summary>Some string in it holds the placeholder <c>{text}</c>.</summary>
    [Required, SpokenText] public JsonObject? Body { get; init; }
    /// <summary>Hz.</summary>
    public int? ResponseSampleRate { get; init; }
    /// <summary>Default 150.</summary>
    public int? ResponseWordsPerMinute { get; init; }
    public string? ResponseMimeType { get; init; }
    public string? JsonAudioFieldPath { get; init; }
    public JsonByteEncoding? JsonByteEncoding { get; init; }
}

public enum JsonByteEncoding : byte
{
    [JsonStringEnumMemberName("JSON_BYTE_ENCODING_UNSPECIFIED")] Unspecified = 0,
    [JsonStringEnumMemberName("JSON_BYTE_ENCODING_BASE64")] Base64 = 1,
    [JsonStringEnumMemberName("JSON_BYTE_ENCODING_HEX")] Hex = 2,
}
