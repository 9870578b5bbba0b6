using System.Text.Json;

namespace VoiceGrains.Providers.Synthesis.External;

/// <summary>Reads providers' JSON without a document: members of the wrong kind are <see cref="InvalidDataException"/>s that name them.</summary>
internal static class JsonMessage
{
    /// <summary>Goes into the object that the message must be.</summary>
    public static Utf8JsonReader Begin(ReadOnlySpan<byte> message)
    {
        var reader = new Utf8JsonReader(message);
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject) throw new InvalidDataException("it is no object");
        return reader;
    }

    /// <summary>Goes to the next member's name; false at the object's end.</summary>
    public static bool NextMember(ref Utf8JsonReader reader) => reader.Read() && reader.TokenType == JsonTokenType.PropertyName;

    /// <summary>Whether the member's value, which is read, is an array or object to go into; null is neither.</summary>
    public static bool Enters(ref Utf8JsonReader reader, JsonTokenType start, string name)
    {
        reader.Read();
        if (reader.TokenType == JsonTokenType.Null) return false;
        return reader.TokenType == start ? true : throw new InvalidDataException($"its {name} is no {(start == JsonTokenType.StartArray ? "array" : "object")}");
    }

    /// <summary>Reads a string; null for null.</summary>
    public static string? String(ref Utf8JsonReader reader, string name)
    {
        reader.Read();
        return reader.TokenType switch
        {
            JsonTokenType.Null => null,
            JsonTokenType.String => Text(ref reader, name),
            _ => throw new InvalidDataException($"its {name} is no string"),
        };
    }

    /// <summary>Reads a truth value; null is false.</summary>
    public static bool Flag(ref Utf8JsonReader reader, string name)
    {
        reader.Read();
        return reader.TokenType switch
        {
            JsonTokenType.True => true,
            JsonTokenType.False or JsonTokenType.Null => false,
            _ => throw new InvalidDataException($"its {name} is neither true nor false"),
        };
    }

    /// <summary>Whether the member is there at all: anything but null. Its value is skipped.</summary>
    public static bool IsThere(ref Utf8JsonReader reader)
    {
        reader.Read();
        var isThere = reader.TokenType != JsonTokenType.Null;
        reader.Skip();
        return isThere;
    }

    /// <summary>Reads a number; null is 0.</summary>
    public static double Number(ref Utf8JsonReader reader, string name)
    {
        reader.Read();
        return Value(ref reader, name);
    }

    /// <summary>Reads a string's bytes, as sound is written; empty for null.</summary>
    public static ReadOnlySpan<byte> Base64(scoped ref Utf8JsonReader reader, string name)
    {
        reader.Read();
        if (reader.TokenType == JsonTokenType.Null) return default;
        if (reader.TokenType != JsonTokenType.String) throw new InvalidDataException($"its {name} is no string");
        if (!reader.ValueIsEscaped) return reader.ValueSpan;
        var plain = new byte[reader.ValueSpan.Length];                // some write "/" as "\/"
        return plain.AsSpan(0, Copy(ref reader, plain, name));
    }

    /// <summary>Reads an array of numbers; null is none.</summary>
    public static void Numbers(ref Utf8JsonReader reader, List<double> numbers, string name)
    {
        numbers.Clear();
        if (!Enters(ref reader, JsonTokenType.StartArray, name)) return;
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray) numbers.Add(Value(ref reader, name));
    }

    /// <summary>Reads an array of strings; null is none.</summary>
    public static void Strings(ref Utf8JsonReader reader, List<string> strings, string name)
    {
        strings.Clear();
        if (!Enters(ref reader, JsonTokenType.StartArray, name)) return;
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
            strings.Add(reader.TokenType == JsonTokenType.String ? Text(ref reader, name) : throw new InvalidDataException($"its {name} hold no strings"));
    }

    private static double Value(ref Utf8JsonReader reader, string name) => reader.TokenType switch
    {
        JsonTokenType.Number when reader.TryGetDouble(out var number) => number,
        JsonTokenType.Null => 0,
        _ => throw new InvalidDataException($"its {name} is no number"),
    };

    private static string Text(ref Utf8JsonReader reader, string name)
    {
        try
        {
            return reader.GetString()!;
        }
        catch (InvalidOperationException exception)   // half of a surrogate pair, or bytes that are no UTF-8
        {
            throw new InvalidDataException($"its {name} is no text", exception);
        }
    }

    private static int Copy(ref Utf8JsonReader reader, Span<byte> plain, string name)
    {
        try
        {
            return reader.CopyString(plain);
        }
        catch (InvalidOperationException exception)
        {
            throw new InvalidDataException($"its {name} is no text", exception);
        }
    }
}
