using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;

namespace VoiceGrains.Cli;

/// <summary>Options that take a number. What is none, or out of its range, is a mistake that names the option and the range.</summary>
internal static class NumberOption
{
    /// <param name="name">With its dashes.</param>
    /// <param name="description">For <c>--help</c>.</param>
    /// <param name="least">Inclusive.</param>
    /// <param name="most">Inclusive.</param>
    /// <param name="usual">Where it is not given; null for none.</param>
    public static Option<int?> Whole(string name, string description, int least, int most, int? usual = null) => Make<int>(
        name, description, text => int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most ? number : null,
        string.Create(CultureInfo.InvariantCulture, $"a whole number from {least} to {most}"), usual);

    /// <inheritdoc cref="Whole"/>
    public static Option<double?> Real(string name, string description, double least, double most, double? usual = null) => Make<double>(
        name, description, text => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most ? number : null,
        string.Create(CultureInfo.InvariantCulture, $"a number from {least} to {most}"), usual);

    /// <summary>Several whole numbers, one after the other.</summary>
    /// <inheritdoc cref="Whole"/>
    public static Option<int[]> Wholes(string name, string description, int least, int most, int[] usual)
    {
        return new Option<int[]>(name) { Description = description, AllowMultipleArgumentsPerToken = true, DefaultValueFactory = _ => usual, CustomParser = Read };

        int[] Read(ArgumentResult given) => [.. given.Tokens.Select(token => ReadOne(given, token.Value))];

        int ReadOne(ArgumentResult given, string text)
        {
            if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most) return number;
            given.AddError(string.Create(CultureInfo.InvariantCulture, $"{name} must be whole numbers from {least} to {most}, not '{text}'."));
            return least;
        }
    }

    private static Option<T?> Make<T>(string name, string description, Func<string, T?> read, string rule, T? usual) where T : struct
    {
        var option = new Option<T?>(name) { Description = description, CustomParser = Read };
        if (usual is not null) option.DefaultValueFactory = _ => usual;
        return option;

        T? Read(ArgumentResult given)
        {
            var text = given.Tokens[0].Value;
            var number = read(text);
            if (number is null) given.AddError($"{name} must be {rule}, not '{text}'.");
            return number;
        }
    }
}
