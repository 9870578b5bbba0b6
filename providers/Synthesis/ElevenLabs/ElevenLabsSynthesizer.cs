using VoiceGrains.Providers.Synthesis.External;

namespace VoiceGrains.Providers.Synthesis.ElevenLabs;

/// <summary>Speaks with a voice at ElevenLabs, one connection for each utterance.</summary>
internal sealed class ElevenLabsSynthesizer(ElevenLabsVoiceDefinition voice, ExternalVoiceServices services, string apiKey) : ISynthesizer
{
    public const string ProviderName = "eleven_labs";

    /// <inheritdoc/>
    public IAsyncEnumerable<SpeechChunk> SynthesizeAsync(SynthesisRequest request, IAsyncEnumerable<string> text, CancellationToken cancellationToken)
    {
        var options = services.Options.ElevenLabs;
        return new StreamedSpeech(new ElevenLabsProtocol(voice, request, options, apiKey), options, services).SpeakAsync(text, cancellationToken);
    }
}
