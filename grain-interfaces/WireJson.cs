using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace VoiceGrains.GrainInterfaces;

/// <summary>The one JSON form of the Ultravox messages: camelCase, enums by their protobuf names, durations such as <c>"0.384s"</c>.</summary>
public static class WireJson
{
    /// <summary>For requests, stored state and data messages; absent values are null and written.</summary>
    public static JsonSerializerOptions Options { get; } = Create(JsonIgnoreCondition.Never);

    /// <summary>As <see cref="Options"/>, but null properties are left out, as protobuf JSON does for data messages.</summary>
    public static JsonSerializerOptions Sparse { get; } = Create(JsonIgnoreCondition.WhenWritingNull);

    /// <summary>What an enum's value is called in messages, such as <c>agent_hangup</c>.</summary>
    public static string NameOf<T>(T value) where T : struct, Enum => JsonSerializer.SerializeToElement(value, Options).GetString()!;

    private static JsonSerializerOptions Create(JsonIgnoreCondition ignore)
    {
        var options = new JsonSerializerOptions(JsonSerializerDefaults.Web)
        {
            NumberHandling = JsonNumberHandling.Strict,
            PropertyNameCaseInsensitive = false,
            DefaultIgnoreCondition = ignore,
            Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
            MaxDepth = 64,
            Converters = { new DurationConverter(), new InstantConverter(), new JsonStringEnumConverter() },
        };
        options.MakeReadOnly(populateMissingResolver: true);
        return options;
    }
}
