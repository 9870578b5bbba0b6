using System.Runtime.CompilerServices;
using System.Threading.Channels;

namespace VoiceGrains.Providers.Synthesis;

/// <summary>
/// For providers that take a whole text per request: one request per piece, the next one sent while the former plays, chunks in order.
/// </summary>
/// <param name="provider">Its name, for errors.</param>
/// <param name="speak">Speaks one piece. Its words' times count from its own first sample, their offsets from the utterance's first character.</param>
internal sealed class PiecewiseSpeaker(string provider, Func<TextPiece, ChannelWriter<SpeechChunk>, CancellationToken, Task> speak)
{
    private const int RequestsAtOnce = 2;
    private const int ChunksAhead = 256;   // of one piece; then the provider is slowed down by TCP

    public async IAsyncEnumerable<SpeechChunk> RunAsync(IAsyncEnumerable<string> text, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var slots = new SemaphoreSlim(RequestsAtOnce);
        var pieces = Channel.CreateBounded<ChannelReader<SpeechChunk>>(new BoundedChannelOptions(RequestsAtOnce) { SingleReader = true, SingleWriter = true });
        var running = SendAsync(text, pieces.Writer, slots, stop.Token);
        try
        {
            var (sampleRateHz, samples) = (0, 0L);
            await foreach (var piece in pieces.Reader.ReadAllAsync(cancellationToken).ConfigureAwait(false))
            {
                var before = samples;
                await foreach (var chunk in piece.ReadAllAsync(cancellationToken).ConfigureAwait(false))
                {
                    if (sampleRateHz == 0) sampleRateHz = chunk.SampleRateHz;
                    if (chunk.SampleRateHz != sampleRateHz)
                        throw new ProviderException(provider, ProviderFault.BadAnswer, $"{provider} changed its sample rate from {sampleRateHz} to {chunk.SampleRateHz} Hz.");
                    samples += chunk.Pcm.Length;
                    yield return chunk.Words.Count == 0 || before == 0 ? chunk : Later(chunk, TimeSpan.FromSeconds((double)before / sampleRateHz));
                }
                slots.Release();
            }
        }
        finally
        {
            await stop.CancelAsync().ConfigureAwait(false);
            await running.ConfigureAwait(false);   // never faults: failures travel through the channels
        }
    }

    private static SpeechChunk Later(SpeechChunk chunk, TimeSpan delay)
        => chunk with { Words = [.. chunk.Words.Select(word => word with { Start = word.Start + delay, End = word.End + delay })] };

    private async Task SendAsync(IAsyncEnumerable<string> text, ChannelWriter<ChannelReader<SpeechChunk>> pieces, SemaphoreSlim slots, CancellationToken stop)
    {
        var requests = new List<Task>();
        Exception? failure = null;
        try
        {
            var start = 0;
            await foreach (var words in text.WithCancellation(stop).ConfigureAwait(false))
            {
                var piece = new TextPiece(words, start);
                start = piece.End;
                if (!piece.HasWords) continue;   // its characters are covered by the next piece's end
                await slots.WaitAsync(stop).ConfigureAwait(false);
                var chunks = Channel.CreateBounded<SpeechChunk>(new BoundedChannelOptions(ChunksAhead) { SingleReader = true, SingleWriter = true });
                await pieces.WriteAsync(chunks.Reader, stop).ConfigureAwait(false);
                requests.RemoveAll(r => r.IsCompleted);
                requests.Add(SpeakAsync(piece, chunks.Writer, stop));
            }
        }
        catch (Exception exception)
        {
            failure = exception;
        }
        pieces.Complete(failure);
        await Task.WhenAll(requests).ConfigureAwait(false);
    }

    private async Task SpeakAsync(TextPiece piece, ChannelWriter<SpeechChunk> chunks, CancellationToken stop)
    {
        try
        {
            await speak(piece, chunks, stop).ConfigureAwait(false);
            chunks.Complete();
        }
        catch (Exception exception)
        {
            chunks.Complete(exception);
        }
    }
}
