using System.Globalization;
using System.Text;

namespace VoiceGrains.Providers.Synthesis.Embedded;

/// <summary>
/// Text cleaned for an embedded engine, with the way back: every character knows which stretch of the original it stands for.
/// Control characters, markup that language models like to write, emoji and (for ASCII engines) foreign scripts become spaces;
/// no run without a space is longer than <see cref="MaxRun"/>, since the engines read endless "words" letter by letter in quadratic time.
/// </summary>
internal sealed class SpokenText
{
    public const int MaxRun = 60;

    // U+00C0 to U+017F without their accents; a space stands for the entries of Expansions.
    private const string Latin =
        "AAAAAA CEEEEIIIIDNOOOOO OUUUUY  aaaaaa ceeeeiiiidnooooo ouuuuy yAaAaAaCcCcCcCcDdDdEeEeEeEeEeGgGgGgGgHhHhIiIiIiIiIi  JjKkkLlLlLlLlLlNnNnNn NnOoOoOo  RrRrRrSsSsSsSsTtTtTtUuUuUuUuUuUuWwYyYZzZzZzs";

    private static readonly Dictionary<char, string> Expansions = new()
    {
        ['Æ'] = "AE", ['æ'] = "ae", ['Þ'] = "Th", ['þ'] = "th", ['ß'] = "ss", ['Ĳ'] = "IJ", ['ĳ'] = "ij", ['ŉ'] = "'n", ['Œ'] = "OE", ['œ'] = "oe",
        ['×'] = " times ", ['÷'] = " divided by ", ['‘'] = "'", ['’'] = "'", ['‚'] = "'", ['“'] = "\"", ['”'] = "\"", ['„'] = "\"", ['«'] = "\"", ['»'] = "\"",
        ['–'] = "-", ['‐'] = "-", ['‑'] = "-", ['−'] = "-", ['—'] = ", ", ['…'] = "...", ['€'] = " euro ", ['£'] = " pound ", ['¥'] = " yen ", ['¢'] = " cent ",
        ['°'] = " degrees ", ['§'] = " section ", ['½'] = " one half ", ['¼'] = " one quarter ", ['¾'] = " three quarters ", ['©'] = " copyright ", ['™'] = " trademark ",
        ['¿'] = "", ['¡'] = "", ['\u00AD'] = "", ['\u200B'] = "", ['\uFEFF'] = "",
    };

    private readonly List<int> starts = [], ends = [];

    private SpokenText(string original, bool ascii)
    {
        var builder = new StringBuilder(original.Length);
        var run = 0;
        for (var at = 0; at < original.Length;)
        {
            Rune.DecodeFromUtf16(original.AsSpan(at), out var rune, out var length);
            foreach (var c in Spoken(rune, ascii))
            {
                run = c == ' ' ? 0 : run + 1;
                if (run > MaxRun && !char.IsLowSurrogate(c))
                {
                    Add(' ', at, at);
                    run = 1;
                }
                Add(c, at, at + length);
            }
            at += length;
        }
        Text = builder.ToString();

        void Add(char c, int start, int end)
        {
            builder.Append(c);
            starts.Add(start);
            ends.Add(end);
        }
    }

    /// <summary>What the engine gets.</summary>
    public string Text { get; }

    /// <summary>For an engine that reads English letters only.</summary>
    public static SpokenText Ascii(string original) => new(original, ascii: true);

    /// <summary>For an engine that reads every script.</summary>
    public static SpokenText Unicode(string original) => new(original, ascii: false);

    /// <summary>The original stretch that a non-empty stretch of <see cref="Text"/> stands for.</summary>
    public (int Start, int End) Original(int start, int end) => (starts[start], ends[end - 1]);

    private static string Spoken(Rune rune, bool ascii)
    {
        if (rune.Value is < 0x20 or 0x7F)
            return rune.Value == '\n' ? "\n" : " ";
        if (rune.Value < 0x7F)
            return "*_`~^|\\<>[]{}".Contains((char)rune.Value) ? " " : ((char)rune.Value).ToString();
        if (rune.IsBmp && Expansions.TryGetValue((char)rune.Value, out var expansion))
            return ascii || char.IsPunctuation((char)rune.Value) || expansion.Length == 0 ? expansion : rune.ToString();
        if (ascii)
            return rune.Value is >= 0xC0 and < 0x180 ? Latin[rune.Value - 0xC0].ToString() : IsMark(rune) ? "" : " ";
        return Rune.IsLetterOrDigit(rune) || IsMark(rune) || (Rune.IsPunctuation(rune) && rune.IsBmp) ? rune.ToString() : " ";
    }

    private static bool IsMark(Rune rune)
        => Rune.GetUnicodeCategory(rune) is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark;
}
