using VoiceGrains.Providers.Synthesis.External;

namespace VoiceGrains.Providers.Synthesis.ElevenLabs;

internal sealed class ElevenLabsSynthesizer(ElevenLabsVoiceDefinition voice, ExternalVoiceServices services, string apiKey) : ISynthesizer
{
    public const string ProviderName = "eleven_labs";

    /// <inheritdoc/>
    public IAsyncEnumerable<SpeechChunk> SynthesizeAsync(SynthesisRequest request, IAsyncEnumerable<string> text, CancellationToken cancellationToken)
        => throw new ProviderException(ProviderName, ProviderFault.Unavailable, $"Voice {voice.VoiceId} cannot speak yet{(apiKey.Length + services.Options.ElevenLabs.BaseUrl.Length > 0 ? "." : "")}");
}
