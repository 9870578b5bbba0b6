namespace VoiceGrains.Providers.Language.Rules;

/// <summary>
/// The words between quotes in a rule. Matches anywhere in what was said, ignoring case and punctuation, numbers in digits or words alike.
/// <c>*</c> stands for one or more words, <c>#</c> for a number (also dictated digit by digit), <c>{name}</c> and <c>{#name}</c> for the same with a name.
/// </summary>
/// <remarks>Wildcards split the pattern into segments; taking the leftmost place of each is complete, so matching is at most words × pattern long.</remarks>
internal sealed class RulePattern
{
    private readonly List<Part> _parts;

    private RulePattern(List<Part> parts) => _parts = parts;

    private enum PartKind : byte { Word, Words, Number }

    /// <summary>Reads a pattern; null where it has neither a word nor a number, since it would match everything.</summary>
    public static RulePattern? TryParse(string pattern)
    {
        var parts = new List<Part>();
        var plain = 0;
        for (var i = 0; i < pattern.Length; i++)
        {
            var close = pattern[i] == '{' ? pattern.IndexOf('}', i) : -1;
            if (pattern[i] is not ('*' or '#') && close < 0) continue;
            AddWords(parts, pattern[plain..i]);
            if (close < 0)
            {
                parts.Add(new(pattern[i] == '#' ? PartKind.Number : PartKind.Words, ""));
            }
            else
            {
                var name = pattern[(i + 1)..close].Trim();
                var isNumber = name.StartsWith('#');
                parts.Add(new(isNumber ? PartKind.Number : PartKind.Words, isNumber ? name[1..].Trim() : name));
                i = close;
            }
            plain = i + 1;
        }
        AddWords(parts, pattern[plain..]);
        return parts.Exists(p => p.Kind != PartKind.Words) ? new(parts) : null;
    }

    /// <summary>Whether the text says this; the captures are then filled in order.</summary>
    public bool TryMatch(string text, List<RuleToken> tokens, out RuleCaptures captures)
    {
        captures = new();
        var found = new List<(Part Part, int From, int To)>();
        var position = 0;
        var pending = default(Part?);      // a wildcard that waits for the segment after it
        var pendingFrom = 0;
        for (var i = 0; i < _parts.Count;)
        {
            if (_parts[i].Kind == PartKind.Words)
            {
                if (pending is { } former)                       // "* *": the first takes one word
                    found.Add((former, pendingFrom, ++position));
                (pending, pendingFrom) = (_parts[i++], position);
                continue;
            }
            var end = i;
            while (end < _parts.Count && _parts[end].Kind != PartKind.Words)
                end++;
            if (!FindSegment(tokens, i, end, position + (pending is null ? 0 : 1), found, out var start, out var after)) return false;
            if (pending is { } wildcard)
                found.Insert(found.Count - CountNumbers(i, end), (wildcard, pendingFrom, start));
            (pending, position, i) = (null, after, end);
        }
        if (pending is { } last)
        {
            if (pendingFrom >= tokens.Count) return false;
            found.Add((last, pendingFrom, tokens.Count));
        }
        foreach (var (part, from, to) in found)
        {
            if (to > tokens.Count || from >= to) return false;
            captures.Add(part.Name, part.Kind == PartKind.Number
                ? string.Concat(tokens.GetRange(from, to - from).Select(t => t.Key))
                : text[tokens[from].Start..tokens[to - 1].End]);
        }
        return true;
    }

    private static void AddWords(List<Part> parts, string words)
        => parts.AddRange(RuleToken.Split(words).Select(token => new Part(PartKind.Word, token.Key)));

    private int CountNumbers(int from, int to) => _parts.GetRange(from, to - from).Count(p => p.Kind == PartKind.Number);

    private bool FindSegment(List<RuleToken> tokens, int from, int to, int earliest, List<(Part, int, int)> found, out int start, out int after)
    {
        var kept = found.Count;
        for (start = earliest; start < tokens.Count; start++)
        {
            after = start;
            var part = from;
            for (; part < to && after < tokens.Count; part++)
            {
                var width = Width(tokens, after, _parts[part]);
                if (width == 0) break;
                if (_parts[part].Kind == PartKind.Number) found.Add((_parts[part], after, after + width));
                after += width;
            }
            if (part == to) return true;
            found.RemoveRange(kept, found.Count - kept);
        }
        after = start;
        return false;
    }

    /// <summary>How many tokens the part takes at a place; a number dictated as single digits takes them all.</summary>
    private static int Width(List<RuleToken> tokens, int at, Part part)
    {
        if (part.Kind == PartKind.Word) return tokens[at].Key == part.Name ? 1 : 0;
        if (!tokens[at].IsNumber) return 0;
        var width = 1;
        if (tokens[at].Key.Length == 1)
        {
            while (at + width < tokens.Count && tokens[at + width] is { IsNumber: true, Key.Length: 1 })
                width++;
        }
        return width;
    }

    private readonly record struct Part(PartKind Kind, string Name);
}
