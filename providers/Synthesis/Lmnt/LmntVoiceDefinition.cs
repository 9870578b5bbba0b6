using VoiceGrains.Providers.Synthesis.External;

namespace VoiceGrains.Providers.Synthesis.Lmnt;

/// <summary>A voice at LMNT, <c>ultravox.v1.LmntVoice</c>.</summary>
public sealed record LmntVoiceDefinition : ExternalVoiceDefinition
{
    /// <inheritdoc/>
    public override string Provider => LmntProtocol.ProviderName;

    /// <summary>The voice's id there.</summary>
    public required string VoiceId { get; init; }

    /// <summary>Model, for example <c>blizzard</c>; null takes LMNT's default.</summary>
    public string? Model { get; init; }

    /// <summary>Speaking rate, 0.25 to 2.</summary>
    public double? Speed { get; init; }

    /// <summary>Conversational rather than reading style.</summary>
    public bool? Conversational { get; init; }

    internal override ISynthesizer CreateSynthesizer(ExternalVoiceServices services, string apiKey)
    {
        var options = services.Options.Lmnt;
        return new StreamedSynthesizer(options, services, request => new LmntProtocol(this, request, options, apiKey));
    }
}
