using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace VoiceGrains.GrainInterfaces;

/// <summary>Points in time: RFC 3339 in UTC to the microsecond, as PostgreSQL keeps them (<c>"2026-01-31T12:00:00.123456Z"</c>). Any offset is read.</summary>
public sealed class InstantConverter : JsonConverter<DateTimeOffset>
{
    public override DateTimeOffset Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => reader.GetDateTimeOffset();

    public override void Write(Utf8JsonWriter writer, DateTimeOffset value, JsonSerializerOptions options)
        => writer.WriteStringValue(value.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture));
}
