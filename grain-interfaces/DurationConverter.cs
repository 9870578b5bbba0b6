using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace VoiceGrains.GrainInterfaces;

/// <summary>Protobuf JSON durations: decimal seconds with an <c>s</c>, at most 12 digits before and 9 after the point (<c>"3600s"</c>, <c>"0.384s"</c>).</summary>
public sealed class DurationConverter : JsonConverter<TimeSpan>
{
    private const NumberStyles Digits = NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint;

    public override TimeSpan Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
        => TryParse(reader.GetString(), out var value) ? value : throw new JsonException("Not a duration such as \"1.5s\".");

    public override void Write(Utf8JsonWriter writer, TimeSpan value, JsonSerializerOptions options) => writer.WriteStringValue(Format(value));

    /// <summary>Reads a duration. Values beyond what <see cref="TimeSpan"/> holds are refused; precision below 100 ns is rounded.</summary>
    public static bool TryParse(string? text, out TimeSpan value)
    {
        value = default;
        if (text is not { Length: >= 2 and <= 24 } || text[^1] != 's' || text[0] == '+' || text[0] == '.') return false;
        var number = text.AsSpan(0, text.Length - 1);
        var point = number.IndexOf('.');
        if (point == number.Length - 1 || (point >= 0 && number.Length - point - 1 > 9)) return false;
        var whole = (point < 0 ? number : number[..point]).TrimStart('-');
        if (whole.Length is 0 or > 12 || (whole.Length > 1 && whole[0] == '0')) return false;
        if (!decimal.TryParse(number, Digits, CultureInfo.InvariantCulture, out var seconds)) return false;
        if (Math.Abs(seconds) > (decimal)TimeSpan.MaxValue.TotalSeconds - 1) return false;
        value = TimeSpan.FromTicks((long)Math.Round(seconds * TimeSpan.TicksPerSecond));
        return true;
    }

    public static string Format(TimeSpan value)
        => ((decimal)value.Ticks / TimeSpan.TicksPerSecond).ToString("0.#######", CultureInfo.InvariantCulture) + "s";
}
