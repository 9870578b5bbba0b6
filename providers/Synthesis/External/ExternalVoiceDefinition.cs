namespace VoiceGrains.Providers.Synthesis.External;

/// <summary>
/// A tenant's voice at a provider that we know (voices: bring your own): the typed fields of <c>ultravox.v1.ExternalVoice</c>. Fields that are null keep
/// the provider's own default. A provider is one folder with its definition, its options and its synthesizer, and one line in <see cref="ExternalVoiceOptions"/>.
/// </summary>
public abstract record ExternalVoiceDefinition
{
    /// <summary>The provider's name in the contract, events and metrics, for example <c>eleven_labs</c>.</summary>
    public abstract string Provider { get; }

    /// <summary>Makes the synthesizer. No connection is opened yet.</summary>
    internal abstract ISynthesizer CreateSynthesizer(ExternalVoiceServices services, string apiKey);
}
