using System.Text.Json;
using VoiceGrains.GrainInterfaces;
using VoiceGrains.GrainInterfaces.Validation;
using VoiceGrains.Grains.Validation;

namespace VoiceGrains.Gateway.Validation;

/// <summary>A PATCH as the PUT that it amounts to, which can then be checked whole.</summary>
internal static class JsonChanges
{
    /// <summary>What is known, with each given field in place of its own. Anything but an object comes back as it is, for the reader to refuse.</summary>
    /// <exception cref="InvalidInputException">A field's name is no text.</exception>
    public static JsonElement Over<T>(T known, JsonElement given)
    {
        if (given.ValueKind != JsonValueKind.Object) return given;
        var fields = JsonSerializer.SerializeToElement(known, WireJson.Sparse).EnumerateObject().ToDictionary(f => f.Name, f => f.Value);
        foreach (var field in given.EnumerateObject())
        {
            if (!JsonLeaf.TryName(field, out var name)) throw new InvalidInputException(InputErrors.NonField, "A field's name is not valid text.");
            fields[name] = field.Value;
        }
        // As text: values that are no text either are told of by the reader, not met by a writer.
        return JsonBody.Parse(System.Text.Encoding.UTF8.GetBytes($"{{{string.Join(',', fields.Select(f => $"{JsonSerializer.Serialize(f.Key)}:{f.Value.GetRawText()}"))}}}"));
    }
}
