using VoiceGrains.Providers.Synthesis.External;

namespace VoiceGrains.Providers.Synthesis.Google;

/// <summary>A voice at Google, <c>ultravox.v1.GoogleVoice</c>.</summary>
public sealed record GoogleVoiceDefinition : ExternalVoiceDefinition
{
    /// <inheritdoc/>
    public override string Provider => GoogleSynthesizer.ProviderName;

    /// <summary>The voice's name there, for example <c>en-US-Chirp3-HD-Charon</c>. Its language is taken from it.</summary>
    public required string VoiceId { get; init; }

    /// <summary>0.25 to 2; null is 1.</summary>
    public double? SpeakingRate { get; init; }

    internal override ISynthesizer CreateSynthesizer(ExternalVoiceServices services, string apiKey) => new GoogleSynthesizer(this, services, apiKey);
}
