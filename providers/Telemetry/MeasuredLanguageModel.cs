using System.Runtime.CompilerServices;
using VoiceGrains.Providers.Language;

namespace VoiceGrains.Providers.Telemetry;

/// <summary>Measures a language model.</summary>
internal sealed class MeasuredLanguageModel(ILanguageModel inner, string provider, ProviderTelemetry telemetry) : ILanguageModel
{
    public bool AcceptsAudio => inner.AcceptsAudio;

    public async IAsyncEnumerable<ModelDelta> GenerateAsync(ModelRequest request, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var measurement = telemetry.Begin("language", provider);
        await foreach (var delta in MeasuredStream.RunAsync(inner.GenerateAsync(request, cancellationToken), measurement, cancellationToken).ConfigureAwait(false))
        {
            if (delta is ModelDelta.Usage usage) measurement.Tokens(usage.InputTokens, usage.OutputTokens);
            else measurement.Output();
            yield return delta;
        }
    }
}
