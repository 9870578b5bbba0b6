using VoiceGrains.Providers.Synthesis.External;

namespace VoiceGrains.Providers.Synthesis.ElevenLabs;

/// <summary>Section <c>ExternalVoices:ElevenLabs</c>.</summary>
public sealed class ElevenLabsOptions() : ExternalProviderOptions("wss://api.elevenlabs.io")
{
    /// <summary>For voices that name no model. Default <c>eleven_flash_v2_5</c>, the quickest that speaks many languages.</summary>
    public string DefaultModel { get; set; } = "eleven_flash_v2_5";
}
