using System.Runtime.CompilerServices;

namespace VoiceGrains.Providers.Telemetry;

/// <summary>Passes a stream on and tells its failure to a measurement.</summary>
internal static class MeasuredStream
{
    public static async IAsyncEnumerable<T> RunAsync<T>(
        IAsyncEnumerable<T> stream, ProviderTelemetry.Measurement measurement, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await using var items = stream.GetAsyncEnumerator(cancellationToken);
        while (true)
        {
            try
            {
                if (!await items.MoveNextAsync().ConfigureAwait(false)) break;
            }
            catch (Exception exception)
            {
                measurement.Failed(exception);
                throw;
            }
            yield return items.Current;
        }
    }
}
