using VoiceGrains.Providers.Synthesis;

namespace VoiceGrains.Grains.Calls.Conversations;

/// <summary>
/// Tells how much of an utterance's text has been heard when so many of its samples were played. Fed by the synthesis pump,
/// asked by the conversation's loop, hence the lock (taken per chunk, never per frame).
/// </summary>
internal sealed class WordTimeline
{
    /// <summary>A word that lacks less than this was heard: timings and samples are rounded, each in its own way.</summary>
    private const double InaudibleSeconds = 0.005;

    private readonly Lock _gate = new();
    private readonly List<(int TextEnd, double StartSeconds, double EndSeconds)> _words = [];
    private readonly System.Text.StringBuilder _text = new();
    private string? _whole;
    // Until a provider tells or guesses how long its sound is: 150 words a minute, the documented estimate, at 6 characters a word.
    private double _charactersPerSecond = 15;
    private double _knownSeconds;
    private int _knownText;
    private bool _tellsWords;
    private bool _complete;
    private bool _isSealed;

    /// <summary>The utterance's whole text so far.</summary>
    public string Text { get { lock (_gate) return _whole ??= _text.ToString(); } }

    public void AppendText(string piece)
    {
        lock (_gate)
        {
            if (_isSealed) return;
            _text.Append(piece);
            _whole = null;
        }
    }

    /// <summary>The last word that <paramref name="soundSeconds"/> of sound have to its end: where another voice can go on.</summary>
    public (int TextEnd, double Seconds) LastWord(double soundSeconds)
    {
        lock (_gate)
        {
            var last = _words.FindLast(word => word.EndSeconds <= soundSeconds + InaudibleSeconds);
            return (last.TextEnd, Math.Min(last.EndSeconds, soundSeconds));
        }
    }

    /// <summary>
    /// What was told of the sound behind <paramref name="soundSeconds"/> is void: sound of what follows the text that is heard by then comes next.
    /// Returns that text's length.
    /// </summary>
    public int CutAt(double soundSeconds)
    {
        lock (_gate)
        {
            _words.RemoveAll(word => word.EndSeconds > soundSeconds + InaudibleSeconds);
            var (told, toldSeconds) = _words.Count == 0 ? (0, 0) : (_words[^1].TextEnd, _words[^1].EndSeconds);
            (_knownText, _knownSeconds) = (told, toldSeconds);
            // A voice that tells its words has none beyond those told; with others the speaking rate says which there were.
            if (!_tellsWords && Find(soundSeconds, started: false) is var length && length > told) Spread(length, soundSeconds);
            (_knownSeconds, _tellsWords) = (soundSeconds, false);
            return _knownText;
        }
    }

    /// <summary>Nothing is said behind <paramref name="length"/> characters, whatever is written yet.</summary>
    public void Seal(int length)
    {
        lock (_gate)
        {
            (_isSealed, _complete, _whole) = (true, true, null);
            _text.Length = Math.Min(length, _text.Length);
        }
    }

    /// <summary>Takes what a chunk tells about the words. <paramref name="soundSeconds"/> is the utterance's length with this chunk.</summary>
    public void Add(SpeechChunk chunk, double soundSeconds)
    {
        lock (_gate)
        {
            _tellsWords |= chunk.Words.Count > 0;
            foreach (var word in chunk.Words) Add(word.TextEnd, word.Start.TotalSeconds, word.End.TotalSeconds);
            if (chunk.TextEnd >= 0) Spread(chunk.TextEnd, soundSeconds);
            else if (chunk.EstimatedTextEnd > _knownText && soundSeconds > _knownSeconds)
                _charactersPerSecond = (chunk.EstimatedTextEnd - _knownText) / (soundSeconds - _knownSeconds);
        }
    }

    /// <summary>All sound is known: words without timing are spread over what is left of it.</summary>
    public void Complete(double soundSeconds)
    {
        lock (_gate)
        {
            Spread(_text.Length, soundSeconds);
            _complete = true;
        }
    }

    /// <summary>Length of the text that began to sound by <paramref name="seconds"/>, for live transcripts.</summary>
    public int StartedBy(double seconds) { lock (_gate) return Find(seconds, started: true); }

    /// <summary>Length of the text whose words were heard to their end by <paramref name="seconds"/>, for the history.</summary>
    public int HeardBy(double seconds) { lock (_gate) return Find(seconds, started: false); }

    private int Find(double seconds, bool started)
    {
        var end = 0;
        foreach (var word in _words)
        {
            if (started ? word.StartSeconds > seconds + 1e-6 || seconds <= 0 : word.EndSeconds > seconds + InaudibleSeconds) return end;
            end = word.TextEnd;
        }
        if (_complete || seconds <= _knownSeconds) return end;
        var estimate = _knownText + (int)((seconds - _knownSeconds) * _charactersPerSecond);
        return Math.Max(end, WholeWords(Math.Min(estimate, _text.Length)));
    }

    private void Add(int textEnd, double start, double end)
    {
        if (textEnd <= _knownText || textEnd > _text.Length) return;
        _words.Add((textEnd, start, end));
        (_knownText, _knownSeconds) = (textEnd, Math.Max(_knownSeconds, end));
    }

    /// <summary>Gives the words between what is known and <paramref name="textEnd"/> each a share of the sound by their characters.</summary>
    private void Spread(int textEnd, double soundSeconds)
    {
        textEnd = Math.Min(textEnd, _text.Length);
        var (from, fromSeconds) = (_knownText, _knownSeconds);
        if (textEnd <= from) return;
        var perCharacter = Math.Max(0, soundSeconds - fromSeconds) / (textEnd - from);
        var wordStart = from;
        for (var i = from; i < textEnd; i++)
        {
            var last = i == textEnd - 1;
            if (!last && !(!char.IsWhiteSpace(_text[i]) && char.IsWhiteSpace(_text[i + 1]))) continue;
            if (last && string.IsNullOrWhiteSpace(_text.ToString(wordStart, i + 1 - wordStart))) break;
            _words.Add((i + 1, fromSeconds + (wordStart - from) * perCharacter, fromSeconds + (i + 1 - from) * perCharacter));
            wordStart = i + 1;
        }
        (_knownText, _knownSeconds) = (textEnd, Math.Max(fromSeconds, soundSeconds));
    }

    private int WholeWords(int length)
    {
        if (length >= _text.Length) return _text.Length;
        while (length > 0 && !char.IsWhiteSpace(_text[length])) length--;
        return length;
    }
}
