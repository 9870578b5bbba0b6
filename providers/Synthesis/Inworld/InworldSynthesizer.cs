using System.Text.Json;
using System.Text.Json.Serialization;
using VoiceGrains.Providers.Http;
using VoiceGrains.Providers.Synthesis.External;

namespace VoiceGrains.Providers.Synthesis.Inworld;

/// <summary>
/// Speaks with a voice at Inworld (https://docs.inworld.ai/api-reference/ttsAPI/texttospeech/synthesize-speech-stream): a sentence for each request, answered
/// by lines of JSON as the sound is made. Each line has a WAV of its own and the words in it
/// (https://docs.inworld.ai/tts/capabilities/timestamps), timed from the sentence's first sample.
/// </summary>
internal sealed class InworldSynthesizer(InworldVoiceDefinition voice, ExternalVoiceServices services, string apiKey)
    : HttpVoice(ProviderName, apiKey, services.Options.Inworld, services)
{
    public const string ProviderName = "inworld";
    private static readonly JsonSerializerOptions Wire = new() { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };
    private readonly string _model = string.IsNullOrEmpty(voice.ModelId) ? services.Options.Inworld.DefaultModel : voice.ModelId;

    protected override string Path => "/tts/v1/voice:stream";

    protected override (string Name, string Value) Header { get; } = ("Authorization", $"Basic {apiKey}");

    protected override byte[] Body(SynthesisRequest request, string text) => JsonSerializer.SerializeToUtf8Bytes(new
    {
        text,
        voiceId = voice.VoiceId,
        modelId = _model,
        audioConfig = new { audioEncoding = "LINEAR16", sampleRateHertz = request.PreferredSampleRateHz, speakingRate = voice.SpeakingRate },
        temperature = voice.Temperature,
        applyTextNormalization = voice.ApplyTextNormalization switch { true => "ON", false => "OFF", null => null },
        timestampType = "WORD",
    }, Wire);

    protected override Task ReadAsync(Answer answer) => BodyReader.ReadLinesAsync(answer.ReadAsync, answer.MostBytes, line =>
    {
        ReadLine(line.Span, answer);
        return answer.PassOnAsync();
    });

    private void ReadLine(ReadOnlySpan<byte> line, Answer answer)
    {
        var reader = JsonMessage.Begin(line);
        while (JsonMessage.NextMember(ref reader))
        {
            if (reader.ValueTextEquals("result"u8)) ReadResult(ref reader, answer);
            else if (!reader.ValueTextEquals("error"u8)) reader.Skip();
            else if (JsonMessage.IsThere(ref reader)) throw Refused(line);
        }
    }

    private static void ReadResult(ref Utf8JsonReader reader, Answer answer)
    {
        var words = new TimedWords("wordAlignment", "wordStartTimeSeconds", "wordEndTimeSeconds", "its wordAlignment has lists of different lengths");
        if (!JsonMessage.Enters(ref reader, JsonTokenType.StartObject, "result")) return;
        while (JsonMessage.NextMember(ref reader))
        {
            if (reader.ValueTextEquals("audioContent"u8)) answer.AddSound(JsonMessage.Base64(ref reader, "audioContent"));
            else if (reader.ValueTextEquals("timestampInfo"u8)) ReadTimes(ref reader, words);
            else reader.Skip();
        }
        for (var i = 0; i < words.Count; i++)
        {
            var (word, start, end) = words[i];
            answer.AddWord(word, start, end);
        }
    }

    private static void ReadTimes(ref Utf8JsonReader reader, TimedWords words)
    {
        if (!JsonMessage.Enters(ref reader, JsonTokenType.StartObject, "timestampInfo")) return;
        while (JsonMessage.NextMember(ref reader))
        {
            if (reader.ValueTextEquals("wordAlignment"u8)) words.Read(ref reader);
            else reader.Skip();
        }
    }

    /// <summary>An error amid the stream: <c>{"error": {"code": 8, "message": ...}}</c>, with a code of gRPC's (https://grpc.io/docs/guides/status-codes).</summary>
    private ProviderException Refused(ReadOnlySpan<byte> line)
    {
        using var document = JsonDocument.Parse(line.ToArray());
        var error = document.RootElement.GetProperty("error");
        var code = error.ValueKind == JsonValueKind.Object && error.TryGetProperty("code", out var number) && number.ValueKind == JsonValueKind.Number && number.TryGetInt32(out var known) ? known : 0;
        var fault = code switch { 4 => ProviderFault.TimedOut, 8 => ProviderFault.RateLimited, 3 or 5 or 7 or 9 or 16 => ProviderFault.Rejected, _ => ProviderFault.ServerError };
        return Failure(fault, ProviderErrors.Read(line, secret: null));
    }
}
