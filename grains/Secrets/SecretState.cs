using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using VoiceGrains.GrainInterfaces;

namespace VoiceGrains.Grains.Secrets;

/// <summary>Makes a serializer of grain state keep properties with a <see cref="SecretAttribute"/> as sealed boxes.</summary>
internal static class SecretState
{
    public static JsonSerializerOptions Protect(JsonSerializerOptions options, SecretBox box)
    {
        var resolver = options.TypeInfoResolver ?? new DefaultJsonTypeInfoResolver();
        var protecting = new JsonSerializerOptions(options) { TypeInfoResolver = resolver.WithAddedModifier(info => SealSecrets(info, options, box)) };
        protecting.MakeReadOnly();
        return protecting;
    }

    private static void SealSecrets(JsonTypeInfo info, JsonSerializerOptions plain, SecretBox box)
    {
        foreach (var property in info.Properties)
        {
            if (property.AttributeProvider?.IsDefined(typeof(SecretAttribute), inherit: true) != true) continue;
            var place = $"{info.Type.Name}.{property.Name}";
            property.CustomConverter = (JsonConverter)Activator.CreateInstance(typeof(SealedConverter<>).MakeGenericType(property.PropertyType), plain, box, place)!;
        }
    }

    /// <summary>Writes the value's JSON as a box. Reads plain JSON too, which is how it was stored before.</summary>
    private sealed class SealedConverter<T>(JsonSerializerOptions plain, SecretBox box, string place) : JsonConverter<T>
    {
        public override T? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
            => reader.TokenType == JsonTokenType.String && reader.GetString() is { } sealedValue
                ? JsonSerializer.Deserialize<T>(box.Open(sealedValue, place), plain)
                : JsonSerializer.Deserialize<T>(ref reader, plain);

        public override void Write(Utf8JsonWriter writer, T value, JsonSerializerOptions options)
            => writer.WriteStringValue(box.Seal(JsonSerializer.SerializeToUtf8Bytes(value, plain), place));
    }
}
