using VoiceGrains.Providers.Synthesis.External;

namespace VoiceGrains.Providers.Synthesis.Respeecher;

/// <summary>Section <c>ExternalVoices:Respeecher</c>.</summary>
public sealed class RespeecherOptions() : ExternalProviderOptions("wss://api.respeecher.com")
{
    /// <summary>For voices that name no model, in calls with an English language hint. Default <c>/v1/public/tts/en-rt</c>.</summary>
    public string EnglishModel { get; set; } = "/v1/public/tts/en-rt";

    /// <summary>For voices that name no model, in all other calls. Default <c>/v1/public/tts/ua-rt</c>, as documented.</summary>
    public string DefaultModel { get; set; } = "/v1/public/tts/ua-rt";
}
