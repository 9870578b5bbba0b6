using System.Runtime.InteropServices;
using System.Text.Json;
using System.Threading.Channels;
using VoiceGrains.Providers.Audio;
using VoiceGrains.Providers.Http;

namespace VoiceGrains.Providers.Synthesis.External;

/// <summary>
/// What differs between providers that take a sentence for each HTTP request: the request and how its answer reads. The next sentence is asked for while
/// one plays; cancelling aborts the requests.
/// </summary>
/// <param name="provider">Its name, for errors.</param>
/// <param name="apiKey">Cut out of whatever the provider says.</param>
internal abstract class HttpVoice(string provider, string apiKey, ExternalProviderOptions options, ExternalVoiceServices services) : ISynthesizer
{
    private static readonly TimeSpan LongestRequest = TimeSpan.FromMinutes(2), ErrorBodyTimeout = TimeSpan.FromSeconds(2), RetryDelay = TimeSpan.FromSeconds(0.05);

    /// <inheritdoc/>
    public IAsyncEnumerable<SpeechChunk> SynthesizeAsync(SynthesisRequest request, IAsyncEnumerable<string> text, CancellationToken cancellationToken)
        => new PiecewiseSpeaker(provider, (piece, chunks, cancel) => SpeakAsync(request, piece, chunks, cancel)).RunAsync(text, cancellationToken);

    /// <summary>Where sentences are posted, below <see cref="ExternalProviderOptions.BaseUrl"/>.</summary>
    protected abstract string Path { get; }

    /// <summary>The header that holds the key. A key that cannot be used is a <see cref="ProviderException"/>.</summary>
    protected abstract (string Name, string Value) Header { get; }

    /// <summary>The body of a request.</summary>
    protected abstract byte[] Body(SynthesisRequest request, string text);

    /// <summary>Reads an answer to its end.</summary>
    /// <exception cref="InvalidDataException">It is not what the API says, in words that complete "sent an answer that cannot be played: ".</exception>
    /// <exception cref="JsonException">It is no JSON.</exception>
    protected abstract Task ReadAsync(Answer answer);

    /// <summary>An error in the provider's own words.</summary>
    protected ProviderException Failure(ProviderFault fault, string words, Exception? inner = null) => new(provider, fault, ProviderErrors.Clean(words, apiKey), inner);

    private async Task SpeakAsync(SynthesisRequest request, TextPiece piece, ChannelWriter<SpeechChunk> chunks, CancellationToken cancellationToken)
    {
        using var timeout = new PhaseTimeout(provider, LongestRequest, services.Clock, cancellationToken);
        timeout.Arm("sound", options.FirstSoundTimeout);
        try
        {
            using var response = await PostAsync(Body(request, piece.Text.Trim()), timeout.Token).ConfigureAwait(false);
            await using var stream = await response.Content.ReadAsStreamAsync(timeout.Token).ConfigureAwait(false);
            var answer = new Answer(stream, piece, request.PreferredSampleRateHz, options, timeout, chunks, cancellationToken);
            await ReadAsync(answer).ConfigureAwait(false);
            await answer.FinishAsync().ConfigureAwait(false);
        }
        catch (OperationCanceledException exception)
        {
            throw timeout.Translate(exception);
        }
        catch (Exception exception) when (exception is InvalidDataException or JsonException)
        {
            var why = exception is JsonException ? "it is no JSON" : exception.Message;
            throw Failure(ProviderFault.BadAnswer, $"{provider} sent an answer that cannot be played: {why}.", exception);
        }
        catch (HttpRequestException exception)
        {
            throw Failure(ProviderFault.Unreachable, $"{provider} could not be reached: {exception.Message}", exception);
        }
        catch (IOException exception)
        {
            throw Failure(ProviderFault.BrokeOff, $"{provider} broke off its answer: {exception.Message}", exception);
        }
    }

    /// <summary>Sends a request, a second time where a moment may help: nothing of its sentence has been heard yet.</summary>
    private async Task<HttpResponseMessage> PostAsync(byte[] body, CancellationToken cancellationToken)
    {
        for (var isFirst = true; ; isFirst = false)
        {
            try
            {
                var response = await SendAsync(body, cancellationToken).ConfigureAwait(false);
                if (response.IsSuccessStatusCode) return response;
                using (response)
                {
                    if (!isFirst || (int)response.StatusCode < 500) throw await ReadErrorAsync(response, cancellationToken).ConfigureAwait(false);
                }
            }
            catch (HttpRequestException) when (isFirst)
            {
                // Tried again below.
            }
            await Task.Delay(RetryDelay, services.Clock, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task<HttpResponseMessage> SendAsync(byte[] body, CancellationToken cancellationToken)
    {
        var client = services.Http.OperatorClient;
        using var request = new HttpRequestMessage(HttpMethod.Post, options.BaseUrl.TrimEnd('/') + Path)
        {
            Content = new ByteArrayContent(body) { Headers = { { "Content-Type", "application/json" } } },
            Version = client.DefaultRequestVersion,
            VersionPolicy = client.DefaultVersionPolicy,
        };
        request.Headers.TryAddWithoutValidation(Header.Name, Header.Value);
        return await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken).ConfigureAwait(false);
    }

    private async Task<ProviderException> ReadErrorAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        var status = (int)response.StatusCode;
        var body = await ProviderErrors.ReadBodyAsync(response, ErrorBodyTimeout, services.Clock, cancellationToken).ConfigureAwait(false);
        var words = ProviderErrors.Read(body, apiKey);
        return new(provider, ProviderErrors.FaultOf(status), words.Length > 0 ? words : $"{provider} answered {status}.")
        {
            Status = status,
            RetryAfter = ProviderErrors.RetryAfter(response, services.Clock),
        };
    }

    /// <summary>One sentence's answer: what comes in, and the sound and words that were found in it.</summary>
    protected sealed class Answer(
        Stream stream, TextPiece piece, int sampleRateHz, ExternalProviderOptions options, PhaseTimeout timeout, ChannelWriter<SpeechChunk> chunks, CancellationToken cancellationToken)
    {
        private readonly WordAligner _words = CreateAligner(piece);
        private readonly PcmDecoder _decoder = new(sampleRateHz);
        private SpokenSound? _sound;

        /// <summary>Most bytes of one message.</summary>
        public int MostBytes => options.MaxMessageBytes;

        /// <summary>Reads a part; 0 at the end.</summary>
        public ValueTask<int> ReadAsync(Memory<byte> buffer)
        {
            if (_sound is not null) timeout.Arm("more sound", options.StallTimeout);
            return stream.ReadAsync(buffer, timeout.Token);
        }

        /// <summary>WAV, with a header of its own, or raw samples, as base64 in a JSON string.</summary>
        public void AddSound(ReadOnlySpan<byte> base64)
        {
            if (base64.IsEmpty) return;
            var bytes = new byte[System.Buffers.Text.Base64.GetMaxDecodedFromUtf8Length(base64.Length)];
            if (System.Buffers.Text.Base64.DecodeFromUtf8(base64, bytes, out var consumed, out var written) != System.Buffers.OperationStatus.Done || consumed != base64.Length)
                throw new InvalidDataException("its sound is no base64");
            _decoder.BeginPart();
            var samples = _decoder.Decode(bytes.AsSpan(0, written));
            if (samples.Length == 0) return;
            _sound ??= new SpokenSound(_decoder.SampleRateHz, _words);
            if (_decoder.SampleRateHz != _sound.SampleRateHz) throw new InvalidDataException("its sample rate changes");
            _sound.Add(MemoryMarshal.AsBytes(samples.AsSpan()));
        }

        /// <summary>When a word of it sounds, in seconds from the sentence's first sample.</summary>
        public void AddWord(string word, double startSeconds, double endSeconds) => _sound?.AddWord(word, startSeconds, endSeconds);

        /// <summary>Passes on what has come; waits while the listener is far behind, which is not the provider's time.</summary>
        public async ValueTask PassOnAsync()
        {
            if (_sound?.Take() is not { } chunk) return;
            timeout.Disarm();
            await chunks.WriteAsync(Place(chunk), cancellationToken).ConfigureAwait(false);
        }

        public async Task FinishAsync()
        {
            _decoder.Complete();
            if (_sound is null) throw new InvalidDataException("it holds no sound");
            await chunks.WriteAsync(Place(_sound.Finish()) with { TextEnd = piece.End }, cancellationToken).ConfigureAwait(false);
        }

        private SpeechChunk Place(SpeechChunk chunk)
            => chunk with { Words = [.. chunk.Words.Select(word => word with { TextStart = word.TextStart + piece.Start, TextEnd = word.TextEnd + piece.Start })] };

        private static WordAligner CreateAligner(TextPiece piece)
        {
            var aligner = new WordAligner();
            aligner.AppendText(piece.Text);
            return aligner;
        }
    }
}
