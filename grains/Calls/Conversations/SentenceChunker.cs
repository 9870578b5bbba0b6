using System.Text;

namespace VoiceGrains.Grains.Calls.Conversations;

/// <summary>
/// Cuts a model's stream of deltas into pieces worth speaking: sentences, and for the first piece also a clause, so that sound begins early.
/// The pieces' concatenation is the stream, to the character.
/// </summary>
internal sealed class SentenceChunker
{
    // A first clause shorter than this sounds chopped; a piece longer than the maximum would delay its sound too much.
    private const int ShortestFirstClause = 24;
    private const int LongestPiece = 240;

    private readonly StringBuilder _pending = new();
    private bool _first = true;

    /// <summary>Adds a delta; calls <paramref name="onPiece"/> for each piece that is now whole.</summary>
    public void Add(string delta, Action<string> onPiece)
    {
        _pending.Append(delta);
        while (FindCut() is > 0 and var cut) Take(cut, onPiece);
    }

    /// <summary>Hands over what is left.</summary>
    public void Finish(Action<string> onPiece)
    {
        if (_pending.Length > 0) Take(_pending.Length, onPiece);
    }

    private void Take(int length, Action<string> onPiece)
    {
        var piece = _pending.ToString(0, length);
        _pending.Remove(0, length);
        _first = false;
        onPiece(piece);
    }

    /// <summary>A cut lies after punctuation and the space behind it; the space must have come, else "3.5" and "e.g." would be cut.</summary>
    private int FindCut()
    {
        for (var i = 0; i < _pending.Length; i++)
        {
            var c = _pending[i];
            if (c == '\n' && i > 0) return i + 1;
            if (c is '。' or '！' or '？') return i + 1;
            if (i + 1 >= _pending.Length || !char.IsWhiteSpace(_pending[i + 1])) continue;
            if (c is '.' or '!' or '?' or '…' && !IsAbbreviation(i)) return i + 2;
            if (c is ',' or ';' or ':' && _first && i >= ShortestFirstClause) return i + 2;
            if (i >= LongestPiece) return i + 2;
        }
        return 0;
    }

    /// <summary>"Dr. ", "Mr. ", "St. ", single initials: a point that ends no sentence.</summary>
    private bool IsAbbreviation(int point)
    {
        if (_pending[point] != '.') return false;
        var start = point;
        while (start > 0 && char.IsLetter(_pending[start - 1])) start--;
        var word = _pending.ToString(start, point - start);
        return (word.Length == 1 && char.IsUpper(word[0]) && word != "I") || word is "Dr" or "Mr" or "Mrs" or "Ms" or "St" or "Prof" or "vs" or "No";
    }
}
