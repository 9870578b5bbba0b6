using System.Text.Json;
using VoiceGrains.GrainInterfaces;

namespace VoiceGrains.Grains.Secrets;

/// <summary>The wire's JSON as it is stored in projected tables: properties with a <see cref="SecretAttribute"/> are sealed boxes.</summary>
public sealed class SealedJson(SecretKey key)
{
    private readonly JsonSerializerOptions _options = SecretState.Protect(WireJson.Options, new SecretBox(key));

    public byte[] Serialize<T>(T value) => JsonSerializer.SerializeToUtf8Bytes(value, _options);

    public T Deserialize<T>(ReadOnlySpan<byte> utf8) => JsonSerializer.Deserialize<T>(utf8, _options)!;

    public T Deserialize<T>(string json) => JsonSerializer.Deserialize<T>(json, _options)!;
}
