using VoiceGrains.Providers.Synthesis.Cartesia;
using VoiceGrains.Providers.Synthesis.ElevenLabs;
using VoiceGrains.Providers.Synthesis.Google;
using VoiceGrains.Providers.Synthesis.Inworld;
using VoiceGrains.Providers.Synthesis.Lmnt;
using VoiceGrains.Providers.Synthesis.Respeecher;

namespace VoiceGrains.Providers.Synthesis.External;

/// <summary>Section <c>ExternalVoices</c>: where the providers of tenants' voices are and how patient we are with them.</summary>
public sealed class ExternalVoiceOptions
{
    public ElevenLabsOptions ElevenLabs { get; set; } = new();

    public CartesiaOptions Cartesia { get; set; } = new();

    public LmntOptions Lmnt { get; set; } = new();

    public GoogleOptions Google { get; set; } = new();

    public InworldOptions Inworld { get; set; } = new();

    public RespeecherOptions Respeecher { get; set; } = new();

    /// <summary>Every provider's section by its name, for the checks at start.</summary>
    internal IEnumerable<(string Section, ExternalProviderOptions Options)> All =>
    [
        (nameof(ElevenLabs), ElevenLabs), (nameof(Cartesia), Cartesia), (nameof(Lmnt), Lmnt), (nameof(Google), Google), (nameof(Inworld), Inworld), (nameof(Respeecher), Respeecher),
    ];
}
