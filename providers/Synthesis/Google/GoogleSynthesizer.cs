using System.Text.Json;
using VoiceGrains.Providers.Http;
using VoiceGrains.Providers.Synthesis.External;

namespace VoiceGrains.Providers.Synthesis.Google;

/// <summary>
/// Speaks with a voice at Google (https://cloud.google.com/text-to-speech/docs/reference/rest/v1/text/synthesize): a sentence for each request, a WAV file in
/// the answer. The API times no words of plain text, so each sentence's end is told. The key is a service account's; one that is no JSON goes as an API key
/// (https://cloud.google.com/docs/authentication/api-keys-use).
/// </summary>
internal sealed class GoogleSynthesizer(GoogleVoiceDefinition voice, ExternalVoiceServices services, string apiKey)
    : HttpVoice(ProviderName, apiKey, services.Options.Google, services)
{
    public const string ProviderName = "google";
    private readonly GoogleToken? _token = apiKey.TrimStart().StartsWith('{') ? new GoogleToken(apiKey, services.Options.Google.Audience, services.Clock) : null;
    private readonly string _apiKey = apiKey;

    protected override string Path => "/v1/text:synthesize";

    protected override (string Name, string Value) Header => _token is null ? ("X-Goog-Api-Key", _apiKey) : ("Authorization", $"Bearer {_token.Get()}");

    protected override byte[] Body(SynthesisRequest request, string text) => JsonSerializer.SerializeToUtf8Bytes(new
    {
        input = new { text },
        voice = new { languageCode = LanguageOf(voice.VoiceId) ?? request.LanguageHint ?? "en-US", name = voice.VoiceId },
        audioConfig = new { audioEncoding = "LINEAR16", sampleRateHertz = request.PreferredSampleRateHz, speakingRate = voice.SpeakingRate ?? 1 },
    });

    protected override async Task ReadAsync(Answer answer)
        => Read((await BodyReader.ReadAllAsync(answer.ReadAsync, answer.MostBytes).ConfigureAwait(false)).Span, answer);

    private static void Read(ReadOnlySpan<byte> json, Answer answer)
    {
        var reader = JsonMessage.Begin(json);
        while (JsonMessage.NextMember(ref reader))
        {
            if (reader.ValueTextEquals("audioContent"u8)) answer.AddSound(JsonMessage.Base64(ref reader, "audioContent"));
            else reader.Skip();
        }
    }

    /// <summary>Voices are named <c>en-US-Chirp3-HD-Charon</c>, <c>cmn-CN-Wavenet-A</c>; null for a name of another form.</summary>
    internal static string? LanguageOf(string voice)
        => voice.Split('-') is [{ Length: 2 or 3 } language, { Length: 2 } region, _, ..] && language.All(char.IsAsciiLetter) && region.All(char.IsAsciiLetter) ? $"{language}-{region}" : null;
}
