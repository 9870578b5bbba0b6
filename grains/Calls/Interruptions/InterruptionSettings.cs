using System.Text.Json;
using System.Text.Json.Nodes;
using VoiceGrains.GrainInterfaces;
using VoiceGrains.GrainInterfaces.Validation;

namespace VoiceGrains.Grains.Calls.Interruptions;

/// <summary>
/// <c>experimentalSettings.interruption</c> of a call or stage: a sound over the agent is weighed before it interrupts. Its presence turns that on;
/// the page <c>docs/interruptions.md</c> has all of it.
/// </summary>
public sealed record InterruptionSettings
{
    private const string Key = "interruption";
    private const int MostBackchannels = 200;
    private const int LongestBackchannel = 64;
    private static readonly TimeSpan ShortestWindow = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestWindow = TimeSpan.FromSeconds(2);

    /// <summary>From the moment the sound could interrupt to the decision. Default 0.4 s; 0.1 s to 2 s.</summary>
    public TimeSpan DecisionWindow { get; init; } = TimeSpan.FromMilliseconds(400);

    /// <summary>The agent's volume meanwhile, as a factor of amplitudes, 0 to 1. Default 0.2 (-14 dB).</summary>
    public double DuckVolume { get; init; } = 0.2;

    /// <summary>The agent stands still meanwhile instead of speaking softly. Default false.</summary>
    public bool Pauses { get; init; }

    /// <summary>Sound that goes on at the end of the window, without a word known of it, interrupts. Default true.</summary>
    public bool UndecidedInterrupts { get; init; } = true;

    /// <summary>Words by which a listener shows to be there; null is the list of the call's language.</summary>
    public IReadOnlyList<string>? Backchannels { get; init; }

    /// <summary>Reads <c>interruption</c> out of experimental settings; null when it is not there. What else they hold is not looked at.</summary>
    /// <param name="errors">The place of <c>experimentalSettings</c>: every problem is told at its field.</param>
    public static InterruptionSettings? Read(JsonNode? experimental, InputErrors errors)
    {
        if (experimental is not JsonObject all || !all.TryGetPropertyValue(Key, out var node) || node is null) return null;
        errors = errors.Field(Key);
        if (node is JsonObject given) return Read(given, errors);
        errors.Add("Expected an object.");
        return null;
    }

    private static InterruptionSettings Read(JsonObject given, InputErrors errors)
    {
        var settings = new InterruptionSettings();
        foreach (var (name, value) in given)
        {
            if (value is null) continue;    // not set, as everywhere
            var at = errors.Field(name);
            settings = name switch
            {
                "decisionWindow" => settings with { DecisionWindow = Window(value, at) },
                "duckVolume" => settings with { DuckVolume = Volume(value, at) },
                "whileDeciding" => settings with { Pauses = IsSecond(value, "duck", "pause", at) },
                "undecided" => settings with { UndecidedInterrupts = !IsSecond(value, "interrupt", "continue", at) },
                "backchannels" => settings with { Backchannels = Words(value, at) },
                _ => Unknown(settings, at),
            };
        }
        return settings;
    }

    private static TimeSpan Window(JsonNode value, InputErrors errors)
    {
        if (!DurationConverter.TryParse(AsText(value), out var window)) errors.Add("Expected a duration such as \"0.4s\".");
        else if (window < ShortestWindow || window > LongestWindow) errors.Add("Must be between 0.1s and 2s.");
        return window;
    }

    private static double Volume(JsonNode value, InputErrors errors)
    {
        if (value.GetValueKind() == JsonValueKind.Number && value.AsValue().TryGetValue<double>(out var volume) && volume is >= 0 and <= 1) return volume;
        errors.Add("Expected a number between 0 and 1.");
        return 0;
    }

    private static bool IsSecond(JsonNode value, string first, string second, InputErrors errors)
    {
        var text = AsText(value);
        if (text != first && text != second) errors.Add($"Expected \"{first}\" or \"{second}\".");
        return text == second;
    }

    private static List<string> Words(JsonNode value, InputErrors errors)
    {
        if (value is not JsonArray list)
        {
            errors.Add("Expected a list of strings.");
            return [];
        }
        if (list.Count > MostBackchannels) errors.Add($"At most {MostBackchannels} are allowed.");
        for (var i = 0; i < Math.Min(list.Count, MostBackchannels); i++)
        {
            if (AsText(list[i]) is not { Length: > 0 and <= LongestBackchannel } text || Interruptions.Backchannels.IsSilent(text))
                errors.Item(i).Add($"Expected a word or phrase of 1 to {LongestBackchannel} characters.");
        }
        return errors.Any ? [] : [.. list.Select(item => AsText(item)!)];
    }

    private static InterruptionSettings Unknown(InterruptionSettings settings, InputErrors errors)
    {
        errors.Add("There is no such setting.");
        return settings;
    }

    private static string? AsText(JsonNode? value) => value is JsonValue json && json.TryGetValue<string>(out var text) ? text : null;
}
