using System.Net.Http.Headers;
using System.Text.Json;
using VoiceGrains.Providers.Audio;
using VoiceGrains.Providers.Http;
using VoiceGrains.Providers.OpenAi;
using VoiceGrains.Providers.Telemetry;

namespace VoiceGrains.Providers.Recognition.OpenAi;

/// <summary>
/// Transcription of an OpenAI-compatible server (<c>POST {BaseUrl}/audio/transcriptions</c>): the turn is collected and sent as one WAV file when it ends.
/// It gives no partial texts.
/// </summary>
/// <param name="model">The transcription model's name there, for example <c>whisper-1</c>.</param>
/// <param name="telemetry">Counts sound that did not fit.</param>
internal sealed class OpenAiRecognizer(OpenAiEndpoint endpoint, string model, ProviderTelemetry telemetry) : IRecognizer
{
    /// <inheritdoc/>
    public IRecognition Start(RecognitionOptions options) => new Turn(endpoint, model, options.LanguageHint, telemetry);

    private sealed class Turn(OpenAiEndpoint endpoint, string model, string? language, ProviderTelemetry telemetry) : IRecognition
    {
        private const int SampleRateHz = 16_000;
        private const int MostSamples = 120 * SampleRateHz;   // 3.8 MB; the newest sound on top is dropped
        private const int MostAnswerBytes = 256 * 1024;

        private readonly Lock _gate = new();
        private short[] _pcm = new short[4 * SampleRateHz];
        private int _length;

        public void Write(ReadOnlySpan<short> pcm)
        {
            lock (_gate)
            {
                if (pcm.Length > MostSamples - _length) telemetry.SoundDropped(endpoint.Provider, pcm.Length - (MostSamples - _length));
                var taken = pcm[..Math.Min(pcm.Length, MostSamples - _length)];
                if (_length + taken.Length > _pcm.Length) Array.Resize(ref _pcm, Math.Min(MostSamples, Math.Max(_pcm.Length * 2, _length + taken.Length)));
                taken.CopyTo(_pcm.AsSpan(_length));
                _length += taken.Length;
            }
        }

        public async Task<string> FinishAsync(CancellationToken cancellationToken)
        {
            byte[] wav;
            lock (_gate)
            {
                if (_length == 0) return "";
                wav = Wav.Encode(_pcm.AsSpan(0, _length), SampleRateHz);
            }
            using var timeout = endpoint.BeginRequest(cancellationToken);
            timeout.Arm("transcript", endpoint.Options.FirstOutputTimeout);
            using var response = await endpoint.PostAsync("/audio/transcriptions", () => Form(wav), timeout).ConfigureAwait(false);
            return ReadText(await ReadBodyAsync(response, timeout).ConfigureAwait(false));
        }

        public ValueTask DisposeAsync()
        {
            lock (_gate)
                (_pcm, _length) = ([], 0);
            return ValueTask.CompletedTask;
        }

        private MultipartFormDataContent Form(byte[] wav)
        {
            var file = new ByteArrayContent(wav) { Headers = { ContentType = new MediaTypeHeaderValue("audio/wav") } };
            var form = new MultipartFormDataContent { { file, "file", "turn.wav" }, { new StringContent(model), "model" }, { new StringContent("json"), "response_format" } };
            if (language is not null) form.Add(new StringContent(language.Split('-')[0].ToLowerInvariant()), "language");   // ISO 639-1
            return form;
        }

        private async Task<ReadOnlyMemory<byte>> ReadBodyAsync(HttpResponseMessage response, PhaseTimeout timeout)
        {
            await using var body = await response.Content.ReadAsStreamAsync(timeout.Token).ConfigureAwait(false);
            var answer = new byte[MostAnswerBytes];
            var length = 0;
            while (await endpoint.ReadAsync(body, answer.AsMemory(length), timeout).ConfigureAwait(false) is var read and > 0)
            {
                length += read;
                if (length == answer.Length) throw Bad($"a transcript of more than {MostAnswerBytes} bytes", null);
            }
            return answer.AsMemory(0, length);
        }

        private string ReadText(ReadOnlyMemory<byte> answer)
        {
            try
            {
                using var document = JsonDocument.Parse(answer);
                return document.RootElement.GetProperty("text").GetString()?.Trim() ?? "";
            }
            catch (Exception exception) when (exception is JsonException or InvalidOperationException or KeyNotFoundException)
            {
                throw Bad("an answer that is no transcript", exception);
            }
        }

        private ProviderException Bad(string what, Exception? inner) => new(endpoint.Provider, ProviderFault.BadAnswer, $"{endpoint.Provider} sent {what}.", inner);
    }
}
