using VoiceGrains.Providers.Synthesis.External;

namespace VoiceGrains.Providers.Synthesis.Cartesia;

/// <summary>Section <c>ExternalVoices:Cartesia</c>.</summary>
public sealed class CartesiaOptions() : ExternalProviderOptions("wss://api.cartesia.ai")
{
    /// <summary>For voices that name no model. Default <c>sonic-3</c>.</summary>
    public string DefaultModel { get; set; } = "sonic-3";

    /// <summary>The API's version that is asked for, but for voices with deprecated fields, which need 2024-11-13. Default 2025-04-16; newer ones tell errors in
    /// another form, which is understood as well.</summary>
    public string Version { get; set; } = "2025-04-16";
}
