namespace VoiceGrains.Providers.Language.Rules;

/// <summary>Pace of the rules model. Both delays are zero by default: it answers at once.</summary>
public sealed class RulesModelOptions
{
    /// <summary>Wait before the first word. Default zero.</summary>
    public TimeSpan FirstWordDelay { get; set; }

    /// <summary>Wait between words, to play a model of a given speed. Default zero.</summary>
    public TimeSpan WordDelay { get; set; }
}
