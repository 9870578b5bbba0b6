namespace VoiceGrains.Providers.Synthesis;

/// <summary>Speaks one utterance: text pieces in, sound out, in parallel.</summary>
public interface ISynthesizer
{
    /// <summary>
    /// Speaks <paramref name="text"/> as its pieces arrive (whole sentences or clauses, with their own spacing; the utterance is their concatenation).
    /// Chunks come in playing order. Cancelling stops the request at the provider.
    /// </summary>
    /// <exception cref="ProviderException">The provider failed; chunks already yielded stay valid.</exception>
    IAsyncEnumerable<SpeechChunk> SynthesizeAsync(SynthesisRequest request, IAsyncEnumerable<string> text, CancellationToken cancellationToken);
}

/// <param name="Voice">The provider's own voice name or id.</param>
/// <param name="PreferredSampleRateHz">The rate the listener gets; an engine that can, gives it, others give their own.</param>
/// <param name="LanguageHint">BCP 47 code or null.</param>
public sealed record SynthesisRequest(string Voice, int PreferredSampleRateHz, string? LanguageHint = null);
