using VoiceGrains.Providers.Synthesis.External;

namespace VoiceGrains.Providers.Synthesis.Lmnt;

internal sealed class LmntSynthesizer(LmntVoiceDefinition voice, ExternalVoiceServices services, string apiKey) : ISynthesizer
{
    public const string ProviderName = "lmnt";

    /// <inheritdoc/>
    public IAsyncEnumerable<SpeechChunk> SynthesizeAsync(SynthesisRequest request, IAsyncEnumerable<string> text, CancellationToken cancellationToken)
        => throw new ProviderException(ProviderName, ProviderFault.Unavailable, $"Voice {voice.VoiceId} cannot speak yet{(apiKey.Length + services.Options.Lmnt.BaseUrl.Length > 0 ? "." : "")}");
}
