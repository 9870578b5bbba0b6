using VoiceGrains.Providers.Synthesis.External;

namespace VoiceGrains.Providers.Synthesis.Respeecher;

/// <summary>A voice at Respeecher, <c>ultravox.v1.RespeecherVoice</c>. What each sampling parameter does: https://space.respeecher.com/docs/api/tts/sampling-params-guide.</summary>
public sealed record RespeecherVoiceDefinition : ExternalVoiceDefinition
{
    /// <inheritdoc/>
    public override string Provider => RespeecherProtocol.ProviderName;

    /// <summary>The voice's id there, for example <c>samantha</c>.</summary>
    public required string VoiceId { get; init; }

    /// <summary>Path of the model, for example <c>/v1/public/tts/en-rt</c>; null goes by the call's language.</summary>
    public string? Model { get; init; }

    public int? Seed { get; init; }

    /// <summary>At least 0.</summary>
    public double? Temperature { get; init; }

    /// <summary>-1 or above 0.</summary>
    public int? TopK { get; init; }

    /// <summary>Above 0, at most 1.</summary>
    public double? TopP { get; init; }

    /// <summary>0 to 1.</summary>
    public double? MinP { get; init; }

    /// <summary>0 to 2.</summary>
    public double? PresencePenalty { get; init; }

    /// <summary>1 to 2.</summary>
    public double? RepetitionPenalty { get; init; }

    /// <summary>0 to 2.</summary>
    public double? FrequencyPenalty { get; init; }

    internal override ISynthesizer CreateSynthesizer(ExternalVoiceServices services, string apiKey)
    {
        var options = services.Options.Respeecher;
        return new StreamedSynthesizer(options, services, request => new RespeecherProtocol(this, request, options, apiKey));
    }
}
