using VoiceGrains.Providers.Synthesis.External;

namespace VoiceGrains.Providers.Synthesis.Lmnt;

/// <summary>Speaks with a voice at LMNT, one connection for each utterance.</summary>
internal sealed class LmntSynthesizer(LmntVoiceDefinition voice, ExternalVoiceServices services, string apiKey) : ISynthesizer
{
    public const string ProviderName = "lmnt";

    /// <inheritdoc/>
    public IAsyncEnumerable<SpeechChunk> SynthesizeAsync(SynthesisRequest request, IAsyncEnumerable<string> text, CancellationToken cancellationToken)
    {
        var options = services.Options.Lmnt;
        return new StreamedSpeech(new LmntProtocol(voice, request, options, apiKey), options, services).SpeakAsync(text, cancellationToken);
    }
}
