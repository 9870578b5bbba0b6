using System.Text.Json;

namespace VoiceGrains.Providers.Synthesis.Generic;

/// <summary>What form an answer has.</summary>
internal enum GenericAnswerKind : byte { Unknown, Audio, Json, JsonLines }

/// <summary>Understands the answers of generic voices.</summary>
internal static class GenericAnswer
{
    /// <summary>By MIME type; parameters such as <c>;rate=24000</c> are ignored. WAV and raw PCM are told apart by their bytes.</summary>
    public static GenericAnswerKind KindOf(string? mimeType) => mimeType?.Split(';')[0].Trim().ToLowerInvariant() switch
    {
        null or "" => GenericAnswerKind.Audio,
        "audio/wav" or "audio/x-wav" or "audio/wave" or "audio/vnd.wave" or "audio/l16" or "audio/pcm" or "audio/x-pcm" or "audio/raw"
            or "application/octet-stream" or "binary/octet-stream" => GenericAnswerKind.Audio,
        "application/json" => GenericAnswerKind.Json,
        "application/jsonl" or "application/jsonlines" or "application/json-lines" or "application/x-jsonlines" or "application/x-ndjson" or "application/ndjson"
            => GenericAnswerKind.JsonLines,
        _ => GenericAnswerKind.Unknown,
    };

    /// <summary>The audio at a path of a JSON value, several fields one after another; empty when there is none. Throws <see cref="InvalidDataException"/> for what is no JSON or no audio.</summary>
    public static byte[] ReadAudio(ReadOnlyMemory<byte> json, string path, AudioTextEncoding encoding)
    {
        JsonDocument document;
        try
        {
            document = JsonDocument.Parse(json);
        }
        catch (JsonException exception)
        {
            throw new InvalidDataException($"it is no JSON: {exception.Message}", exception);
        }
        using (document)
        {
            var steps = path.Replace("[", ".", StringComparison.Ordinal).Replace("]", "", StringComparison.Ordinal).Split('.', StringSplitOptions.RemoveEmptyEntries);
            var parts = new List<byte[]>();
            Collect(document.RootElement, steps, encoding, parts);
            return parts.Count == 1 ? parts[0] : [.. parts.SelectMany(p => p)];
        }
    }

    /// <summary>Follows the path; an array without a number in the path stands for all of its elements.</summary>
    private static void Collect(JsonElement at, ReadOnlySpan<string> steps, AudioTextEncoding encoding, List<byte[]> parts)
    {
        switch (at.ValueKind)
        {
            case JsonValueKind.Array when !steps.IsEmpty && int.TryParse(steps[0], out var index):
                if (index >= 0 && index < at.GetArrayLength()) Collect(at[index], steps[1..], encoding, parts);
                break;
            case JsonValueKind.Array:
                foreach (var element in at.EnumerateArray())
                    Collect(element, steps, encoding, parts);
                break;
            case JsonValueKind.Object when !steps.IsEmpty && at.TryGetProperty(steps[0], out var member):
                Collect(member, steps[1..], encoding, parts);
                break;
            case JsonValueKind.String when steps.IsEmpty:
                parts.Add(Decode(at, encoding));
                break;
        }
    }

    private static byte[] Decode(JsonElement text, AudioTextEncoding encoding)
    {
        try
        {
            return encoding == AudioTextEncoding.Hex ? Convert.FromHexString(text.GetString()!) : text.GetBytesFromBase64();
        }
        catch (FormatException exception)
        {
            throw new InvalidDataException($"its audio field is no {(encoding == AudioTextEncoding.Hex ? "hex" : "base64")}", exception);
        }
    }
}
