using System.Globalization;

namespace VoiceGrains.Grains.Calls.Interruptions;

/// <summary>
/// Tells the sounds by which a listener shows to be there ("uh-huh", "yeah") from words that mean something. Case, punctuation and drawn-out letters
/// ("Yeahhh!") make no difference; a text that consists of several such sounds is one too.
/// </summary>
internal sealed class Backchannels
{
    private static readonly string[] Anywhere = ["mm", "mhm", "mm-hmm", "hm", "uh-huh", "aha", "ah", "oh", "uh", "um", "ok", "okay"];

    private static readonly Dictionary<string, string[]> ByLanguage = new(StringComparer.OrdinalIgnoreCase)
    {
        ["en"] = ["yeah", "yep", "yup", "ya", "yes", "right", "sure", "alright", "all right", "i see", "got it", "er", "huh"],
        ["de"] = ["ja", "jap", "genau", "gut", "alles klar", "klar", "stimmt", "richtig", "verstehe", "ach so", "äh", "ähm"],
        ["fr"] = ["oui", "ouais", "d'accord", "bien", "très bien", "voilà", "je vois", "euh", "hein"],
        ["es"] = ["sí", "claro", "vale", "ya", "bueno", "bien", "entiendo", "ajá", "eh"],
        ["pt"] = ["sim", "certo", "tá", "tá bom", "claro", "entendi", "pois", "pois é", "é", "aham"],
        ["it"] = ["sì", "certo", "va bene", "bene", "capisco", "esatto", "già", "eh"],
        ["nl"] = ["ja", "jazeker", "precies", "goed", "klopt", "oké", "zeker", "eh"],
        ["pl"] = ["tak", "no", "dobrze", "jasne", "rozumiem", "yhy", "aha"],
        ["ru"] = ["да", "угу", "ага", "так", "хорошо", "понятно", "ясно", "ну", "мм"],
        ["ja"] = ["はい", "ええ", "うん", "うんうん", "そう", "そうですね", "なるほど", "へえ", "あ"],
        ["zh"] = ["嗯", "对", "是", "好", "好的", "哦", "啊", "知道了", "明白"],
        ["ko"] = ["네", "예", "응", "음", "맞아요", "그렇군요", "아"],
    };

    private readonly HashSet<string> _phrases;
    private readonly int _longest;

    private Backchannels(IEnumerable<string> phrases)
    {
        var split = phrases.Select(Tokens).ToArray();
        _phrases = [.. split.Select(tokens => string.Join(' ', tokens))];
        _longest = split.Length == 0 ? 0 : split.Max(tokens => tokens.Count);
    }

    /// <param name="own">Takes the place of the lists that are built in.</param>
    /// <param name="languageHint">BCP 47 code; null, or a language without a list, is English.</param>
    public static Backchannels For(IReadOnlyList<string>? own, string? languageHint)
    {
        if (own is not null) return new(own);
        var language = languageHint?.Split('-', '_')[0] ?? "";
        return new([.. Anywhere, .. ByLanguage.GetValueOrDefault(language) ?? ByLanguage["en"]]);
    }

    /// <summary>Whether a recognizer's text holds no word: it is empty, or punctuation and marks such as <c>[noise]</c>.</summary>
    public static bool IsSilent(string text) => Tokens(text).Count == 0;

    public SoundKind Judge(string text)
    {
        var tokens = Tokens(text);
        if (tokens.Count == 0) return SoundKind.Noise;
        // ends[i]: the first i tokens are made of phrases.
        var ends = new bool[tokens.Count + 1];
        ends[0] = true;
        for (var i = 0; i < tokens.Count; i++)
        {
            for (var length = 1; ends[i] && length <= Math.Min(_longest, tokens.Count - i); length++)
                ends[i + length] |= _phrases.Contains(string.Join(' ', tokens.GetRange(i, length)));
        }
        return ends[^1] ? SoundKind.Backchannel : SoundKind.Words;
    }

    private static List<string> Tokens(string text)
    {
        var tokens = new List<string>();
        var word = new System.Text.StringBuilder();
        var (bracket, last) = ('\0', '\0');
        foreach (var raw in text.Normalize())
        {
            var c = char.ToLowerInvariant(raw);
            if (bracket != '\0')
            {
                if (c == bracket) bracket = '\0';
                continue;
            }
            bracket = c switch { '[' => ']', '(' => ')', '<' => '>', _ => '\0' };
            if (c is '\'' or '’' || CharUnicodeInfo.GetUnicodeCategory(c) == UnicodeCategory.NonSpacingMark) continue;
            if (!char.IsLetterOrDigit(c)) End();
            else if (IsWordByItself(c))
            {
                End();
                tokens.Add(c.ToString());
            }
            else if (c != last || char.IsDigit(c)) word.Append(c);      // drawn-out and doubled letters alike count once
            last = c;
        }
        End();
        return tokens;

        void End()
        {
            if (word.Length > 0) tokens.Add(word.ToString());
            word.Clear();
            last = '\0';
        }
    }

    /// <summary>Scripts that put no spaces between words.</summary>
    private static bool IsWordByItself(char c) => c is (>= '\u3040' and <= '\u30ff') or (>= '\u3400' and <= '\u9fff');
}

/// <summary>What a sound of the user's is.</summary>
internal enum SoundKind : byte { Undecided, Noise, Backchannel, Words }
