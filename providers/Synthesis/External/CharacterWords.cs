using System.Text;

namespace VoiceGrains.Providers.Synthesis.External;

/// <summary>Puts the characters that a provider timed one by one together to words.</summary>
internal sealed class CharacterWords(WordAligner aligner)
{
    private const int MostCharacters = 256;   // of a word; a longer one is timed in parts
    private readonly StringBuilder _word = new();
    private TimeSpan _start, _end;

    public void Add(ReadOnlySpan<char> character, TimeSpan start, TimeSpan end, List<WordTiming> timings)
    {
        foreach (var rune in character.EnumerateRunes())
        {
            var isSpace = Rune.IsWhiteSpace(rune);
            if (isSpace || SpokenToken.StandsAlone(rune) || _word.Length > MostCharacters) EndWord(timings);
            if (isSpace) continue;
            if (_word.Length == 0) _start = start;
            _word.Append(rune.ToString());
            _end = end;
        }
    }

    /// <summary>No more characters for now: a word that is complete as far as the text tells need not wait for them.</summary>
    public void Pause(List<WordTiming> timings)
    {
        if (_word.Length > 0 && aligner.IsNext(_word.ToString())) EndWord(timings);
    }

    public void EndWord(List<WordTiming> timings)
    {
        if (_word.Length > 0) aligner.Add(_word.ToString(), _start, _end, timings);
        _word.Clear();
    }
}
