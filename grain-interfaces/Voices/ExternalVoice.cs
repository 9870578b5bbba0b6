using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace VoiceGrains.GrainInterfaces.Voices;

/// <summary><c>ultravox.v1.ExternalVoice</c>: exactly one is set. Named providers keep their documented fields as JSON until they are served.</summary>
public sealed record ExternalVoice
{
    public JsonObject? ElevenLabs { get; init; }
    public JsonObject? Cartesia { get; init; }
    public JsonObject? Lmnt { get; init; }
    public JsonObject? Google { get; init; }
    public JsonObject? Inworld { get; init; }
    public JsonObject? Respeecher { get; init; }
    public GenericVoice? Generic { get; init; }
}

/// <summary><c>ultravox.v1.GenericVoice</c>.</summary>
public sealed record GenericVoice
{
    public string? Url { get; init; }
    public IReadOnlyDictionary<string, string>? Headers { get; init; }
    /// <summary>Some string in it holds the placeholder <c>{text}</c>.</summary>
    public JsonObject? Body { get; init; }
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
