using VoiceGrains.Providers.Recognition;

namespace VoiceGrains.Providers.Telemetry;

/// <summary>Measures a recognizer from the end of a turn's audio to its text.</summary>
internal sealed class MeasuredRecognizer(IRecognizer inner, string provider, ProviderTelemetry telemetry) : IRecognizer
{
    public IRecognition Start(RecognitionOptions options) => new Measured(inner.Start(options), provider, telemetry);

    private sealed class Measured(IRecognition inner, string provider, ProviderTelemetry telemetry) : IRecognition
    {
        public void Write(ReadOnlySpan<short> pcm) => inner.Write(pcm);

        public async Task<string> FinishAsync(CancellationToken cancellationToken)
        {
            using var measurement = telemetry.Begin("recognition", provider);
            try
            {
                var text = await inner.FinishAsync(cancellationToken).ConfigureAwait(false);
                measurement.Output();
                return text;
            }
            catch (Exception exception)
            {
                measurement.Failed(exception);
                throw;
            }
        }

        public ValueTask DisposeAsync() => inner.DisposeAsync();
    }
}
