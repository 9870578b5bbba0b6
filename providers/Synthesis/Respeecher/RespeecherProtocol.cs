using VoiceGrains.Providers.Http;
using VoiceGrains.Providers.Synthesis.External;

namespace VoiceGrains.Providers.Synthesis.Respeecher;

/// <summary>
/// Respeecher's WebSocket (https://space.respeecher.com/docs/space/api/tts/web-socket): sentences continue one context, sound comes in base64 until the
/// context is done. It times no words, so they share the sound by their length.
/// </summary>
internal sealed class RespeecherProtocol(RespeecherVoiceDefinition voice, SynthesisRequest request, RespeecherOptions options, string apiKey)
    : SpeechProtocol(ProviderName, apiKey)
{
    public const string ProviderName = "respeecher";

    private const string Context = "utterance";     // each has a connection of its own
    private readonly string _key = apiKey;

    public override int SampleRateHz => request.PreferredSampleRateHz;

    public override Uri Url => IsPath(Model)
        ? new($"{options.BaseUrl.TrimEnd('/')}/{Model.Trim('/')}/tts/websocket")
        : throw Failure(ProviderFault.Rejected, $"The model {Model} does not exist.");

    public override (string Name, string Value)? Header => ("X-API-Key", _key);

    public override IEnumerable<byte[]> Say(string text) => [Generation(text, goesOn: true)];

    public override IEnumerable<byte[]> End() => [Generation("", goesOn: false)];

    public override IEnumerable<byte[]> Cancel() => [Json(new { context_id = Context, cancel = true })];

    public override bool Read(bool isText, ReadOnlySpan<byte> message, SpokenSound sound)
    {
        if (!isText) throw new InvalidDataException("it is not text");
        string? type = null;
        var status = 0.0;
        ReadOnlySpan<byte> audio = default;
        var reader = JsonMessage.Begin(message);
        while (JsonMessage.NextMember(ref reader))
        {
            if (reader.ValueTextEquals("type"u8)) type = JsonMessage.String(ref reader, "type");
            else if (reader.ValueTextEquals("data"u8)) audio = JsonMessage.Base64(ref reader, "data");
            else if (reader.ValueTextEquals("status_code"u8)) status = JsonMessage.Number(ref reader, "status_code");
            else reader.Skip();
        }
        if (type == "error") throw new ProviderException(Provider, ProviderErrors.FaultOf((int)status), Words(message)) { Status = status is >= 400 and < 600 ? (int)status : null };
        if (type == "chunk") sound.AddBase64(audio);
        return type == "done";
    }

    private string Model => !string.IsNullOrEmpty(voice.Model) ? voice.Model : Language(request.LanguageHint) == "en" ? options.EnglishModel : options.DefaultModel;

    /// <summary>The tenant's model is part of the address: names between slashes, and nothing that would lead elsewhere.</summary>
    private static bool IsPath(string model)
        => model.Trim('/').Split('/').All(name => name.Trim('.').Length > 0 && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.'));

    private byte[] Generation(string text, bool goesOn) => Json(new
    {
        transcript = text,
        voice = new { id = voice.VoiceId, sampling_params = Sampling() },
        output_format = new { encoding = "pcm_s16le", sample_rate = SampleRateHz },
        context_id = Context,
        @continue = goesOn,
    });

    private object Sampling() => new
    {
        seed = voice.Seed,
        temperature = voice.Temperature,
        top_k = voice.TopK,
        top_p = voice.TopP,
        min_p = voice.MinP,
        presence_penalty = voice.PresencePenalty,
        repetition_penalty = voice.RepetitionPenalty,
        frequency_penalty = voice.FrequencyPenalty,
    };
}
