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

    /// <summary>
    /// Writes the value's JSON as a box. An empty list or object has nothing to hide and stays as it is: most tools and stages have no secrets, and to open the boxes of
    /// all of them cost more than to read the rest. Reads any plain JSON, which is how it was stored before.
    /// </summary>
    private sealed class SealedConverter<T>(JsonSerializerOptions plain, SecretBox box, string place) : JsonConverter<T>
    {
        public override T? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
            => reader.TokenType == JsonTokenType.String && reader.GetString() is { } sealedValue
                ? JsonSerializer.Deserialize<T>(box.Open(sealedValue, place), plain)
                : JsonSerializer.Deserialize<T>(ref reader, plain);

        public override void Write(Utf8JsonWriter writer, T value, JsonSerializerOptions options)
        {
            var json = JsonSerializer.SerializeToUtf8Bytes(value, plain);
            if (json.AsSpan() is [(byte)'[', (byte)']'] or [(byte)'{', (byte)'}']) writer.WriteRawValue(json);
            else writer.WriteStringValue(box.Seal(json, place));
        }
    }
}
