using System.Buffers;
using System.Text.Json;
using System.Threading.Channels;
using VoiceGrains.Providers.Audio;
using VoiceGrains.Providers.OpenAi;

namespace VoiceGrains.Providers.Synthesis.OpenAi;

/// <summary>Speech of an OpenAI-compatible server (<c>POST {BaseUrl}/audio/speech</c>, raw 24 kHz PCM, streamed), one request per sentence.</summary>
/// <param name="model">The speech model's name there, for example <c>tts-1</c>.</param>
internal sealed class OpenAiSynthesizer(OpenAiEndpoint endpoint, string model) : ISynthesizer
{
    /// <summary>What <c>response_format: pcm</c> means.</summary>
    private const int SampleRateHz = 24_000;
    private const int ReadBytes = 16 * 1024;

    /// <inheritdoc/>
    public IAsyncEnumerable<SpeechChunk> SynthesizeAsync(SynthesisRequest request, IAsyncEnumerable<string> text, CancellationToken cancellationToken)
        => new PiecewiseSpeaker(endpoint.Provider, (piece, chunks, cancel) => SpeakAsync(request.Voice, piece, chunks, cancel)).RunAsync(text, cancellationToken);

    private async Task SpeakAsync(string voice, TextPiece piece, ChannelWriter<SpeechChunk> chunks, CancellationToken cancellationToken)
    {
        using var timeout = endpoint.BeginRequest(cancellationToken);
        timeout.Arm("first sound", endpoint.Options.FirstOutputTimeout);
        var body = JsonSerializer.SerializeToUtf8Bytes(new { model, voice, input = piece.Text.Trim(), response_format = "pcm" });
        using var response = await endpoint.PostAsync("/audio/speech", () => OpenAiEndpoint.Json(body), timeout).ConfigureAwait(false);
        if (response.Content.Headers.ContentType?.MediaType is { } type && (type.StartsWith("text/", StringComparison.Ordinal) || type == "application/json"))
            throw Bad($"{type} instead of sound");
        await using var sound = await response.Content.ReadAsStreamAsync(timeout.Token).ConfigureAwait(false);
        var speech = new PieceSpeech(piece, chunks, wordsPerMinute: null);
        var decoder = new PcmDecoder(SampleRateHz);
        var buffer = ArrayPool<byte>.Shared.Rent(ReadBytes);
        try
        {
            while (await endpoint.ReadAsync(sound, buffer, timeout).ConfigureAwait(false) is var read and > 0)
            {
                timeout.Disarm();
                await speech.AddAsync(decoder.Decode(buffer.AsSpan(0, read)), decoder.SampleRateHz, cancellationToken).ConfigureAwait(false);
                timeout.Arm("more sound", endpoint.Options.StallTimeout);
            }
            decoder.Complete();
        }
        catch (InvalidDataException exception)
        {
            throw Bad($"sound that cannot be played: {exception.Message}");
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
        if (!speech.HasSound) throw Bad("no sound");
        await speech.FinishAsync(cancellationToken).ConfigureAwait(false);
    }

    private ProviderException Bad(string what) => new(endpoint.Provider, ProviderFault.BadAnswer, $"{endpoint.Provider} sent {what}.");
}
