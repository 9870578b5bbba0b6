using VoiceGrains.Providers.Synthesis.External;

namespace VoiceGrains.Providers.Synthesis.Cartesia;

/// <summary>Speaks with a voice at Cartesia, one connection for each utterance.</summary>
internal sealed class CartesiaSynthesizer(CartesiaVoiceDefinition voice, ExternalVoiceServices services, string apiKey) : ISynthesizer
{
    public const string ProviderName = "cartesia";

    /// <inheritdoc/>
    public IAsyncEnumerable<SpeechChunk> SynthesizeAsync(SynthesisRequest request, IAsyncEnumerable<string> text, CancellationToken cancellationToken)
    {
        var options = services.Options.Cartesia;
        return new StreamedSpeech(new CartesiaProtocol(voice, request, options, services.Clock, apiKey), options, services).SpeakAsync(text, cancellationToken);
    }
}
