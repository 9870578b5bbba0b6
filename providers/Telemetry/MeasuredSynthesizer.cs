using System.Runtime.CompilerServices;
using VoiceGrains.Providers.Synthesis;

namespace VoiceGrains.Providers.Telemetry;

/// <summary>Measures a synthesizer. The clock starts with the first piece of text, so that a slow model is not blamed on the voice.</summary>
internal sealed class MeasuredSynthesizer(ISynthesizer inner, string provider, ProviderTelemetry telemetry) : ISynthesizer
{
    public async IAsyncEnumerable<SpeechChunk> SynthesizeAsync(
        SynthesisRequest request, IAsyncEnumerable<string> text, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var began = new StrongBox<ProviderTelemetry.Measurement?>();
        try
        {
            await using var chunks = inner.SynthesizeAsync(request, BeginWithText(text, began, cancellationToken), cancellationToken).GetAsyncEnumerator(cancellationToken);
            while (true)
            {
                try
                {
                    if (!await chunks.MoveNextAsync().ConfigureAwait(false)) break;
                }
                catch (Exception exception)
                {
                    began.Value?.Failed(exception);
                    throw;
                }
                if (!chunks.Current.Pcm.IsEmpty) began.Value?.Output();
                yield return chunks.Current;
            }
        }
        finally
        {
            began.Value?.Dispose();
        }
    }

    private async IAsyncEnumerable<string> BeginWithText(
        IAsyncEnumerable<string> text, StrongBox<ProviderTelemetry.Measurement?> began, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var piece in text.WithCancellation(cancellationToken).ConfigureAwait(false))
        {
            began.Value ??= telemetry.Begin("synthesis", provider);
            yield return piece;
        }
    }
}
