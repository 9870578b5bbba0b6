using System.Text.Json;

namespace VoiceGrains.Providers.Synthesis.External;

/// <summary>Words of a message with their times, which come as three lists of the same length. It is filled anew by each message.</summary>
/// <param name="name">Of the object that holds the lists, for errors.</param>
/// <param name="start">Name of the list of starts, in seconds.</param>
/// <param name="end">Name of the list of ends.</param>
/// <param name="unequal">What is said when one is shorter than another.</param>
internal sealed class TimedWords(string name, string start, string end, string unequal)
{
    private readonly List<string> _words = [];
    private readonly List<double> _starts = [], _ends = [];

    public int Count => _words.Count;

    /// <summary>A word and its times, in seconds.</summary>
    public (string Word, double Start, double End) this[int index] => (_words[index], _starts[index], _ends[index]);

    public void Clear()
    {
        _words.Clear();
        _starts.Clear();
        _ends.Clear();
    }

    /// <summary>Reads the object that comes next; a null has no words.</summary>
    /// <exception cref="InvalidDataException">It is no object, or its lists are of different lengths.</exception>
    public void Read(ref Utf8JsonReader reader)
    {
        Clear();
        if (!JsonMessage.Enters(ref reader, JsonTokenType.StartObject, name)) return;
        while (JsonMessage.NextMember(ref reader))
        {
            if (reader.ValueTextEquals("words"u8)) JsonMessage.Strings(ref reader, _words, "words");
            else if (reader.ValueTextEquals(start)) JsonMessage.Numbers(ref reader, _starts, start);
            else if (reader.ValueTextEquals(end)) JsonMessage.Numbers(ref reader, _ends, end);
            else reader.Skip();
        }
        if (_starts.Count != _words.Count || _ends.Count != _words.Count) throw new InvalidDataException(unequal);
    }
}
