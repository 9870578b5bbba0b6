namespace VoiceGrains.Providers.Synthesis.External;

/// <summary>
/// Finds the words that a provider says it spoke in the text that it was given. Providers normalise ("$5" is spoken as "five dollars"), split, join and
/// drop words; what cannot be found shares the time between its neighbours that can. Text and time only ever go forward.
/// Text is added by the sender and timings by the receiver, hence the lock.
/// </summary>
internal sealed class WordAligner
{
    /// <summary>How far ahead a spoken word is looked for; the same word further on is another one.</summary>
    private const int LookAhead = 16;
    /// <summary>Words that a provider may leave out without having said anything else instead, such as markup.</summary>
    private const int MostDropped = 4;

    private readonly Lock _gate = new();
    private readonly List<SpokenToken> _tokens = [];
    private readonly List<SpokenToken> _spoken = [];
    private readonly List<string> _held = [];
    private int _next;
    private TimeSpan _heldFrom, _heldUntil, _told;

    /// <summary>Length of the text so far.</summary>
    public int TextLength { get; private set; }

    /// <summary>Whether every word of the text so far has been told.</summary>
    public bool HasToldAll { get { lock (_gate) return _next == _tokens.Count; } }

    /// <summary>More of the text, before it is sent.</summary>
    public void AppendText(string piece)
    {
        lock (_gate)
        {
            SpokenToken.Split(piece, TextLength, _tokens);
            _tokens.RemoveAll(static token => token.Key.Length == 0);   // what is not spoken belongs to the next word that is
            TextLength += piece.Length;
        }
    }

    /// <summary>The provider spoke a word, or several with spaces between, which then share the time by their length.</summary>
    /// <param name="start">From the utterance's first sample, as <paramref name="end"/> is.</param>
    public void Add(ReadOnlySpan<char> words, TimeSpan start, TimeSpan end, List<WordTiming> timings)
    {
        lock (_gate)
        {
            _spoken.Clear();
            SpokenToken.Split(words, 0, _spoken);
            var (first, last) = _spoken.Count == 0 ? (0, 0) : (_spoken[0].Start, _spoken[^1].End);
            foreach (var word in _spoken)
            {
                if (word.Key.Length > 0) AddWord(word.Key, Share(word.Start), Share(word.End), timings);
            }

            TimeSpan Share(int at) => start + (end - start) * ((double)(at - first) / (last - first));
        }
    }

    /// <summary>Whether the word is just the one that comes next, so that no more of it has to be waited for.</summary>
    public bool IsNext(ReadOnlySpan<char> word)
    {
        lock (_gate)
        {
            _spoken.Clear();
            SpokenToken.Split(word, 0, _spoken);
            return _held.Count == 0 && _spoken.Count == 1 && _next < _tokens.Count && _tokens[_next].Key == _spoken[0].Key;
        }
    }

    /// <summary>All was spoken: words still not found get the time of what was said instead of them.</summary>
    public void Finish(List<WordTiming> timings)
    {
        lock (_gate)
        {
            if (_held.Count > 0) Tell(_tokens.Count, _heldFrom, _heldUntil, timings);
            _held.Clear();
        }
    }

    private void AddWord(string key, TimeSpan start, TimeSpan end, List<WordTiming> timings)
    {
        if (Find(key) is var found and >= 0)
        {
            if (found > _next) Tell(found, _held.Count > 0 ? _heldFrom : _told, start, timings);
            Tell(found + 1, start, end, timings);
            _held.Clear();
            return;
        }
        if (_held.Count == 0) _heldFrom = start;
        _held.Add(key);
        _heldUntil = end;
        if (_next >= _tokens.Count) return;
        var next = _tokens[_next].Key;
        if (EndsWithHeld(next))   // said in parts: "well", "known"
        {
            Tell(_next + 1, PartStart(next), end, timings);
            _held.Clear();
        }
        else if (_held.Count > LookAhead)   // something else is read out altogether: go on word by word
        {
            Tell(_next + 1, _heldFrom, end, timings);
            _held.Clear();
        }
    }

    private int Find(string key)
    {
        var end = Math.Min(_tokens.Count, _next + Math.Min(LookAhead, MostDropped + 3 * _held.Count) + 1);
        for (var i = _next; i < end; i++)
        {
            if (_tokens[i].Key == key) return i;
        }
        return -1;
    }

    /// <summary>Whether the last words not found, run together, are the key.</summary>
    private bool EndsWithHeld(string key)
    {
        var left = key.AsSpan();
        for (var i = _held.Count - 1; i >= 0 && left.EndsWith(_held[i], StringComparison.Ordinal); i--)
        {
            left = left[..^_held[i].Length];
            if (left.IsEmpty) return true;
        }
        return false;
    }

    /// <summary>The parts' common begin, as far as it is known: exact when nothing else was held before them.</summary>
    private TimeSpan PartStart(string key)
    {
        var parts = 0;
        for (var length = 0; length < key.Length; parts++) length += _held[^(parts + 1)].Length;
        return _heldFrom + (_heldUntil - _heldFrom) * ((double)(_held.Count - parts) / _held.Count);
    }

    /// <summary>Tells the words up to <paramref name="end"/>; they share the time by their length.</summary>
    private void Tell(int end, TimeSpan from, TimeSpan until, List<WordTiming> timings)
    {
        var total = 0;
        for (var i = _next; i < end; i++) total += _tokens[i].Key.Length;
        from = from < _told ? _told : from;
        until = until < from ? from : until;
        var spoken = 0;
        for (; _next < end; _next++)
        {
            var token = _tokens[_next];
            var start = from + (until - from) * ((double)spoken / total);
            spoken += token.Key.Length;
            _told = spoken == total ? until : from + (until - from) * ((double)spoken / total);
            timings.Add(new(token.Start, token.End, start, _told));
        }
    }
}
