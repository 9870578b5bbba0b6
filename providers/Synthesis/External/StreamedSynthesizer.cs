namespace VoiceGrains.Providers.Synthesis.External;

/// <summary>Speaks with a voice at a provider that takes text and gives sound over a WebSocket, one connection for each utterance.</summary>
/// <param name="options">The provider's.</param>
/// <param name="services">What all external voices share.</param>
/// <param name="protocol">Makes the protocol of one utterance.</param>
internal sealed class StreamedSynthesizer(ExternalProviderOptions options, ExternalVoiceServices services, Func<SynthesisRequest, SpeechProtocol> protocol) : ISynthesizer
{
    /// <inheritdoc/>
    public IAsyncEnumerable<SpeechChunk> SynthesizeAsync(SynthesisRequest request, IAsyncEnumerable<string> text, CancellationToken cancellationToken)
        => new StreamedSpeech(protocol(request), options, services).SpeakAsync(text, cancellationToken);
}
