using VoiceGrains.Providers.Synthesis.External;

namespace VoiceGrains.Providers.Synthesis.Respeecher;

/// <summary>Speaks with a voice at Respeecher, one connection for each utterance.</summary>
internal sealed class RespeecherSynthesizer(RespeecherVoiceDefinition voice, ExternalVoiceServices services, string apiKey) : ISynthesizer
{
    public const string ProviderName = "respeecher";

    /// <inheritdoc/>
    public IAsyncEnumerable<SpeechChunk> SynthesizeAsync(SynthesisRequest request, IAsyncEnumerable<string> text, CancellationToken cancellationToken)
    {
        var options = services.Options.Respeecher;
        return new StreamedSpeech(new RespeecherProtocol(voice, request, options, apiKey), options, services).SpeakAsync(text, cancellationToken);
    }
}
