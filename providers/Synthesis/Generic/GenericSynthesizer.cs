using System.Buffers;
using System.Text;
using System.Threading.Channels;
using VoiceGrains.Providers.Audio;
using VoiceGrains.Providers.Http;

namespace VoiceGrains.Providers.Synthesis.Generic;

/// <summary>
/// Speaks through any REST API that takes JSON and gives WAV, raw PCM or JSON with audio in it. One request per sentence; sound is passed on as it comes.
/// Errors read as documented: <c>HTTP error: 500 Response:{...} Request:{...}</c>. Headers, which hold the keys, are never part of them.
/// </summary>
internal sealed class GenericSynthesizer(GenericVoiceDefinition voice, ProviderHttpPool pool, OutboundGuard guard, TimeProvider clock) : ISynthesizer
{
    public const string ProviderName = "generic";
    private const int ReadBytes = 16 * 1024;
    private const int MostJsonBytes = 32 * 1024 * 1024;
    private const int MostAudioBytes = 64 * 1024 * 1024;
    private const int MostEchoedCharacters = 2_000;
    private static readonly TimeSpan FirstSoundTimeout = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan StallTimeout = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan RequestTimeout = TimeSpan.FromMinutes(2);

    /// <inheritdoc/>
    public IAsyncEnumerable<SpeechChunk> SynthesizeAsync(SynthesisRequest request, IAsyncEnumerable<string> text, CancellationToken cancellationToken)
        => new PiecewiseSpeaker(ProviderName, SpeakAsync).RunAsync(text, cancellationToken);

    private async Task SpeakAsync(TextPiece piece, ChannelWriter<SpeechChunk> chunks, CancellationToken cancellationToken)
    {
        var body = GenericVoiceRules.FillBody(voice.Body, piece.Text.Trim());
        using var timeout = new PhaseTimeout(ProviderName, RequestTimeout, clock, cancellationToken);
        timeout.Arm("first sound", FirstSoundTimeout);
        try
        {
            using var response = await PostAsync(body, timeout).ConfigureAwait(false);
            var kind = GenericAnswer.KindOf(string.IsNullOrEmpty(voice.ResponseMimeType) ? response.Content.Headers.ContentType?.MediaType : voice.ResponseMimeType);
            var speech = new PieceSpeech(piece, chunks, kind == GenericAnswerKind.Json ? null : voice.ResponseWordsPerMinute);
            await using var stream = await response.Content.ReadAsStreamAsync(timeout.Token).ConfigureAwait(false);
            var sink = new Sink(speech, new PcmDecoder(voice.ResponseSampleRate), timeout, cancellationToken);
            await (kind switch
            {
                GenericAnswerKind.Audio => ReadAudioAsync(stream, sink),
                GenericAnswerKind.Json => ReadJsonAsync(stream, sink),
                GenericAnswerKind.JsonLines => ReadJsonLinesAsync(stream, sink),
                _ => throw new InvalidDataException($"its type {response.Content.Headers.ContentType?.MediaType} is no audio or JSON that we understand; set responseMimeType"),
            }).ConfigureAwait(false);
            sink.Decoder.Complete();
            if (!speech.HasSound) throw new InvalidDataException(kind == GenericAnswerKind.Audio ? "it holds no sound" : $"it has no audio at '{voice.JsonAudioFieldPath}'");
            await speech.FinishAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException exception)
        {
            throw timeout.Translate(exception);
        }
        catch (OutboundBlockedException exception)
        {
            throw new ProviderException(ProviderName, ProviderFault.Rejected, exception.Message, exception);
        }
        catch (InvalidDataException exception)
        {
            throw new ProviderException(ProviderName, ProviderFault.BadAnswer, $"The response cannot be played: {exception.Message}. Request:{Echo(body)}", exception);
        }
        catch (HttpRequestException exception)
        {
            throw exception.InnerException is OutboundBlockedException blocked
                ? new ProviderException(ProviderName, ProviderFault.Rejected, blocked.Message, blocked)
                : new ProviderException(ProviderName, ProviderFault.Unreachable, $"HTTP error: {exception.Message} Request:{Echo(body)}", exception);
        }
        catch (IOException exception)
        {
            throw new ProviderException(ProviderName, ProviderFault.BrokeOff, $"The response broke off: {exception.Message} Request:{Echo(body)}", exception);
        }
    }

    private async Task<HttpResponseMessage> PostAsync(byte[] body, PhaseTimeout timeout)
    {
        var url = new Uri(voice.Url, UriKind.Absolute);
        guard.Check(url);
        using var request = new HttpRequestMessage(HttpMethod.Post, url)
        {
            Content = new ByteArrayContent(body),
            Version = pool.TenantClient.DefaultRequestVersion,
            VersionPolicy = pool.TenantClient.DefaultVersionPolicy,
        };
        request.Content.Headers.TryAddWithoutValidation("Content-Type", "application/json");
        foreach (var (name, value) in voice.Headers)
        {
            if (request.Headers.TryAddWithoutValidation(name, value)) continue;
            request.Content.Headers.Remove(name);                       // one of the body's, such as Content-Type
            request.Content.Headers.TryAddWithoutValidation(name, value);
        }
        var response = await pool.TenantClient.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, timeout.Token).ConfigureAwait(false);
        if (response.IsSuccessStatusCode) return response;
        using (response)
        {
            var status = (int)response.StatusCode;
            var answer = await ReadErrorAsync(response, timeout.Token).ConfigureAwait(false);
            throw new ProviderException(ProviderName, ProviderErrors.FaultOf(status), $"HTTP error: {status} Response:{answer} Request:{Echo(body)}") { Status = status };
        }
    }

    private static async Task<string> ReadErrorAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        try
        {
            var buffer = new byte[MostEchoedCharacters];
            await using var stream = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
            var length = await stream.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
            return Encoding.UTF8.GetString(buffer, 0, length);
        }
        catch (Exception exception) when (exception is IOException or HttpRequestException)
        {
            return "";   // the status says enough
        }
    }

    private static async Task ReadAudioAsync(Stream stream, Sink sink)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(ReadBytes);
        try
        {
            var total = 0L;
            while (await sink.ReadAsync(stream, buffer).ConfigureAwait(false) is var read and > 0)
            {
                if ((total += read) > MostAudioBytes) throw new InvalidDataException($"it is longer than {MostAudioBytes} bytes");
                await sink.AddAsync(buffer.AsMemory(0, read)).ConfigureAwait(false);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private async Task ReadJsonAsync(Stream stream, Sink sink)
    {
        var json = await BodyReader.ReadAllAsync(buffer => sink.ReadAsync(stream, buffer), MostJsonBytes).ConfigureAwait(false);
        await sink.AddAsync(GenericAnswer.ReadAudio(json, voice.JsonAudioFieldPath ?? "", voice.JsonByteEncoding)).ConfigureAwait(false);
    }

    private Task ReadJsonLinesAsync(Stream stream, Sink sink) => BodyReader.ReadLinesAsync(buffer => sink.ReadAsync(stream, buffer), MostJsonBytes, line =>
    {
        sink.Decoder.BeginPart();
        return sink.AddAsync(GenericAnswer.ReadAudio(line, voice.JsonAudioFieldPath ?? "", voice.JsonByteEncoding));
    });

    private static string Echo(byte[] body)
    {
        var text = Encoding.UTF8.GetString(body);
        return text.Length <= MostEchoedCharacters ? text : text[..MostEchoedCharacters] + "...";
    }

    /// <summary>Where decoded sound goes; the provider's clock stands still while the listener is behind.</summary>
    private sealed class Sink(PieceSpeech speech, PcmDecoder decoder, PhaseTimeout timeout, CancellationToken cancellationToken)
    {
        public PcmDecoder Decoder => decoder;

        public ValueTask<int> ReadAsync(Stream stream, Memory<byte> buffer)
        {
            if (speech.HasSound) timeout.Arm("more sound", StallTimeout);
            return stream.ReadAsync(buffer, timeout.Token);
        }

        public async ValueTask AddAsync(ReadOnlyMemory<byte> bytes)
        {
            var samples = decoder.Decode(bytes.Span);
            timeout.Disarm();
            await speech.AddAsync(samples, decoder.SampleRateHz, cancellationToken).ConfigureAwait(false);
            timeout.Arm("more sound", StallTimeout);
        }
    }
}
