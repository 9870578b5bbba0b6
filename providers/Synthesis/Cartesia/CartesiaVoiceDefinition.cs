using VoiceGrains.Providers.Synthesis.External;

namespace VoiceGrains.Providers.Synthesis.Cartesia;

/// <summary>A voice at Cartesia, <c>ultravox.v1.CartesiaVoice</c>.</summary>
public sealed record CartesiaVoiceDefinition : ExternalVoiceDefinition
{
    /// <inheritdoc/>
    public override string Provider => CartesiaProtocol.ProviderName;

    /// <summary>The voice's id there.</summary>
    public required string VoiceId { get; init; }

    /// <summary>Model id, for example <c>sonic-2</c>; null takes <see cref="CartesiaOptions.DefaultModel"/>.</summary>
    public string? Model { get; init; }

    /// <summary>Speaking rate, -1 to 1, for models before Sonic 3; deprecated there.</summary>
    public double? Speed { get; init; }

    /// <summary>Deprecated there, as <see cref="Emotions"/> is: models before Sonic 3 take both as one list.</summary>
    public string? Emotion { get; init; }

    /// <inheritdoc cref="Emotion"/>
    public IReadOnlyList<string> Emotions { get; init; } = [];

    /// <summary>For Sonic 3 and later.</summary>
    public CartesiaGeneration? GenerationConfig { get; init; }

    internal override ISynthesizer CreateSynthesizer(ExternalVoiceServices services, string apiKey)
    {
        var options = services.Options.Cartesia;
        return new StreamedSynthesizer(options, services, request => new CartesiaProtocol(this, request, options, services.Clock, apiKey));
    }
}

/// <summary>How Sonic 3 and later speak, <c>ultravox.v1.CartesiaVoice_CartesiaGenerationConfig</c>.</summary>
/// <param name="Volume">0.5 to 2.</param>
/// <param name="Speed">0.6 to 1.5.</param>
/// <param name="Emotion">For example <c>calm</c>.</param>
/// <param name="PronunciationDictId">A dictionary of the account there.</param>
public sealed record CartesiaGeneration(double? Volume, double? Speed, string? Emotion, string? PronunciationDictId);
