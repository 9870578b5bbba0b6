using System.Globalization;

namespace VoiceGrains.Providers.Language.Rules;

/// <summary>English whole numbers in words: what recognizers give ("twenty five") and what is pleasant to hear.</summary>
internal static class NumberWords
{
    private static readonly string[] Small =
    [
        "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen",
        "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
    ];

    private static readonly string[] Tens = ["", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];

    /// <summary>Joins the words of each number into one token: "one hundred and two" is "102"; "four two" stays two numbers.</summary>
    public static List<RuleToken> Merge(List<RuleToken> words)
    {
        var merged = new List<RuleToken>(words.Count);
        for (var i = 0; i < words.Count;)
        {
            var used = Read(words, i, out var value);
            if (used == 0)
            {
                merged.Add(words[i++]);
                continue;
            }
            merged.Add(new(value.ToString(CultureInfo.InvariantCulture), words[i].Start, words[i + used - 1].End, IsNumber: true));
            i += used;
        }
        return merged;
    }

    /// <summary>A number from 0 to 999,999 in words; others in digits.</summary>
    public static string Spell(int number) => number switch
    {
        < 0 or > 999_999 => number.ToString(CultureInfo.InvariantCulture),
        < 20 => Small[number],
        < 100 => number % 10 == 0 ? Tens[number / 10] : $"{Tens[number / 10]} {Small[number % 10]}",
        < 1000 => number % 100 == 0 ? $"{Small[number / 100]} hundred" : $"{Small[number / 100]} hundred and {Spell(number % 100)}",
        _ => number % 1000 == 0 ? $"{Spell(number / 1000)} thousand" : $"{Spell(number / 1000)} thousand {Spell(number % 1000)}",
    };

    /// <summary>Reads the longest number in words at <paramref name="at"/>; gives the words used, 0 where there is none.</summary>
    private static int Read(List<RuleToken> words, int at, out int value)
    {
        var used = ReadBelowThousand(words, at, out value);
        if (used == 0 || value == 0 || at + used >= words.Count || words[at + used].Key != "thousand") return used;
        value *= 1000;
        used++;
        var rest = ReadBelowThousand(words, at + used, out var low);
        if (rest > 0 && low > 0)
        {
            used += rest;
            value += low;
        }
        return used;
    }

    private static int ReadBelowThousand(List<RuleToken> words, int at, out int value)
    {
        var used = ReadBelowHundred(words, at, out value);
        if (used == 0 || value is 0 or > 9 || at + used >= words.Count || words[at + used].Key != "hundred") return used;
        value *= 100;
        used++;
        var and = at + used < words.Count && words[at + used].Key == "and" ? 1 : 0;
        var rest = ReadBelowHundred(words, at + used + and, out var low);
        if (rest > 0 && low > 0)
        {
            used += and + rest;
            value += low;
        }
        return used;
    }

    private static int ReadBelowHundred(List<RuleToken> words, int at, out int value)
    {
        value = -1;
        if (at >= words.Count) return 0;
        value = Array.IndexOf(Small, words[at].Key);
        if (value >= 0) return 1;
        var tens = Array.IndexOf(Tens, words[at].Key, 2);
        if (tens < 0) return 0;
        value = tens * 10;
        var unit = at + 1 < words.Count ? Array.IndexOf(Small, words[at + 1].Key) : -1;
        if (unit is < 1 or > 9) return 1;
        value += unit;
        return 2;
    }
}
