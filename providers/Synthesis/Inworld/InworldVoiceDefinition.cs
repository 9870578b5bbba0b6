using VoiceGrains.Providers.Synthesis.External;

namespace VoiceGrains.Providers.Synthesis.Inworld;

/// <summary>A voice at Inworld, <c>ultravox.v1.InworldVoice</c>.</summary>
public sealed record InworldVoiceDefinition : ExternalVoiceDefinition
{
    /// <inheritdoc/>
    public override string Provider => InworldSynthesizer.ProviderName;

    /// <summary>The voice's id there, for example <c>Dennis</c>.</summary>
    public required string VoiceId { get; init; }

    /// <summary>For example <c>inworld-tts-1.5-max</c>; null takes <see cref="InworldOptions.DefaultModel"/>.</summary>
    public string? ModelId { get; init; }

    /// <summary>0.5 to 1.5.</summary>
    public double? SpeakingRate { get; init; }

    /// <summary>Randomness of the sound, 0 to 2.</summary>
    public double? Temperature { get; init; }

    /// <summary>Whether numbers, dates and abbreviations are read out as words.</summary>
    public bool? ApplyTextNormalization { get; init; }

    internal override ISynthesizer CreateSynthesizer(ExternalVoiceServices services, string apiKey) => new InworldSynthesizer(this, services, apiKey);
}
