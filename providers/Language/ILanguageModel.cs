namespace VoiceGrains.Providers.Language;

/// <summary>Turns a conversation into the agent's next words and tool calls, as a stream.</summary>
public interface ILanguageModel
{
    /// <summary>Whether user turns may be sent as sound (<see cref="ChatMessage.Audio"/>) instead of recognized text.</summary>
    bool AcceptsAudio { get; }

    /// <summary>
    /// Generates one answer. The stream ends after the last delta; <see cref="ModelDelta.Usage"/> comes last where the provider tells it.
    /// Cancelling stops the request at the provider.
    /// </summary>
    /// <exception cref="ProviderException">The provider refused, broke off, timed out or answered nonsense. Deltas already yielded stay valid.</exception>
    IAsyncEnumerable<ModelDelta> GenerateAsync(ModelRequest request, CancellationToken cancellationToken);
}
