using VoiceGrains.Providers.Synthesis.External;

namespace VoiceGrains.Providers.Synthesis.Cartesia;

internal sealed class CartesiaSynthesizer(CartesiaVoiceDefinition voice, ExternalVoiceServices services, string apiKey) : ISynthesizer
{
    public const string ProviderName = "cartesia";

    /// <inheritdoc/>
    public IAsyncEnumerable<SpeechChunk> SynthesizeAsync(SynthesisRequest request, IAsyncEnumerable<string> text, CancellationToken cancellationToken)
        => throw new ProviderException(ProviderName, ProviderFault.Unavailable, $"Voice {voice.VoiceId} cannot speak yet{(apiKey.Length + services.Options.Cartesia.BaseUrl.Length > 0 ? "." : "")}");
}
