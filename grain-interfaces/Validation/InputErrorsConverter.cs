using System.Text.Json;
using System.Text.Json.Serialization;

namespace VoiceGrains.GrainInterfaces.Validation;

/// <summary>
/// Carries errors between processes whole: <c>{"messages": [...], "fields": {name: errors}, "items": {index: errors}}</c>, each part where there
/// is something. (<see cref="InputErrors.ToJson"/> is for clients and cannot be read back: there a field may look like an index.)
/// </summary>
internal sealed class InputErrorsConverter : JsonConverter<InputErrors>
{
    public override InputErrors Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        using var document = JsonDocument.ParseValue(ref reader);
        var errors = new InputErrors();
        Fill(errors, document.RootElement);
        return errors;
    }

    public override void Write(Utf8JsonWriter writer, InputErrors value, JsonSerializerOptions options) => value.WriteTree(writer);

    private static void Fill(InputErrors errors, JsonElement tree)
    {
        if (tree.ValueKind != JsonValueKind.Object) throw new JsonException("Input errors are an object.");
        if (tree.TryGetProperty("messages", out var messages))
            foreach (var message in messages.EnumerateArray()) errors.Add(message.GetString() ?? "");
        if (tree.TryGetProperty("fields", out var fields))
            foreach (var field in fields.EnumerateObject()) Fill(errors.Field(field.Name), field.Value);
        if (tree.TryGetProperty("items", out var items))
            foreach (var item in items.EnumerateObject()) Fill(errors.Item(int.Parse(item.Name, System.Globalization.CultureInfo.InvariantCulture)), item.Value);
    }
}
