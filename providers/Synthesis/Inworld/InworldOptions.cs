using VoiceGrains.Providers.Synthesis.External;

namespace VoiceGrains.Providers.Synthesis.Inworld;

/// <summary>Section <c>ExternalVoices:Inworld</c>.</summary>
public sealed class InworldOptions() : ExternalProviderOptions("https://api.inworld.ai")
{
    /// <summary>For voices that name no model. Default <c>inworld-tts-1.5-max</c>.</summary>
    public string DefaultModel { get; set; } = "inworld-tts-1.5-max";
}
