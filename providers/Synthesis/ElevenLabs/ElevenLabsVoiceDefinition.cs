using VoiceGrains.Providers.Synthesis.External;

namespace VoiceGrains.Providers.Synthesis.ElevenLabs;

/// <summary>A voice at ElevenLabs, <c>ultravox.v1.ElevenLabsVoice</c>.</summary>
public sealed record ElevenLabsVoiceDefinition : ExternalVoiceDefinition
{
    /// <inheritdoc/>
    public override string Provider => ElevenLabsProtocol.ProviderName;

    /// <summary>The voice's id there.</summary>
    public required string VoiceId { get; init; }

    /// <summary>Model id, for example <c>eleven_turbo_v2_5</c>; null takes <see cref="ElevenLabsOptions.DefaultModel"/>.</summary>
    public string? Model { get; init; }

    /// <summary>Speaking rate, 0.7 to 1.2.</summary>
    public double? Speed { get; init; }

    public bool? UseSpeakerBoost { get; init; }

    /// <summary>0 to 1.</summary>
    public double? Style { get; init; }

    /// <summary>0 to 1.</summary>
    public double? SimilarityBoost { get; init; }

    /// <summary>0 to 1.</summary>
    public double? Stability { get; init; }

    /// <summary>Dictionaries of the account there, in order.</summary>
    public IReadOnlyList<ElevenLabsPronunciation> PronunciationDictionaries { get; init; } = [];

    /// <summary>0 to 4; deprecated there.</summary>
    public int? OptimizeStreamingLatency { get; init; }

    /// <summary>Highest sample rate to ask for in Hz, as far as the account's tier allows; null knows no bound.</summary>
    public int? MaxSampleRate { get; init; }

    /// <summary>Whether markup in the text is read as SSML.</summary>
    public bool? EnableSsmlParsing { get; init; }

    internal override ISynthesizer CreateSynthesizer(ExternalVoiceServices services, string apiKey)
    {
        var options = services.Options.ElevenLabs;
        return new StreamedSynthesizer(options, services, request => new ElevenLabsProtocol(this, request, options, apiKey));
    }
}

/// <summary>A pronunciation dictionary at ElevenLabs, <c>ultravox.v1.ElevenLabsVoice_PronunciationDictionaryReference</c>.</summary>
/// <param name="VersionId">Null takes its newest version.</param>
public sealed record ElevenLabsPronunciation(string DictionaryId, string? VersionId);
