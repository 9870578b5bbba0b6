using System.Globalization;
using System.Text;
using System.Text.Json;
using VoiceGrains.Providers.Synthesis.External;

namespace VoiceGrains.Providers.Synthesis.ElevenLabs;

/// <summary>
/// ElevenLabs' streamed text to speech (https://elevenlabs.io/docs/api-reference/text-to-speech/v-1-text-to-speech-voice-id-stream-input): text in JSON,
/// sound in base64 with the time of each character of the text, counted from the message's own first sample.
/// </summary>
internal sealed class ElevenLabsProtocol(ElevenLabsVoiceDefinition voice, SynthesisRequest request, ElevenLabsOptions options, string apiKey)
    : SpeechProtocol(ProviderName, apiKey)
{
    public const string ProviderName = "eleven_labs";

    /// <summary>The longest pause between sentences that they allow; 20 s unless asked for.</summary>
    private const int InactivitySeconds = 180;

    private static readonly int[] Rates = [8_000, 16_000, 22_050, 24_000, 44_100, 48_000];

    private readonly string _key = apiKey;
    private readonly Alignment _original = new(), _normalized = new();
    private volatile bool _ended;

    public override int SampleRateHz { get; } = NearestRate(Rates, request.PreferredSampleRateHz, voice.MaxSampleRate ?? int.MaxValue);

    public override Uri Url
    {
        get
        {
            if (voice.VoiceId.AsSpan().Trim('.').IsEmpty) throw Failure(ProviderFault.Rejected, $"A voice with voice_id {voice.VoiceId} does not exist.");   // would be another path
            var model = string.IsNullOrEmpty(voice.Model) ? options.DefaultModel : voice.Model;
            var url = new StringBuilder(options.BaseUrl.TrimEnd('/'))
                .Append("/v1/text-to-speech/").Append(Uri.EscapeDataString(voice.VoiceId)).Append("/stream-input?model_id=").Append(Uri.EscapeDataString(model))
                .Append(CultureInfo.InvariantCulture, $"&output_format=pcm_{SampleRateHz}&inactivity_timeout={InactivitySeconds}")
                .Append("&auto_mode=true&sync_alignment=true");     // whole sentences come in: each is spoken at once, each sound with its own times
            if (voice.EnableSsmlParsing is { } ssml) url.Append(ssml ? "&enable_ssml_parsing=true" : "&enable_ssml_parsing=false");
            if (voice.OptimizeStreamingLatency is { } latency) url.Append(CultureInfo.InvariantCulture, $"&optimize_streaming_latency={latency}");
            // Other models refuse a language, since they hear it from the text.
            if (Language(request.LanguageHint) is { } language && model.EndsWith("_v2_5", StringComparison.Ordinal)) url.Append("&language_code=").Append(language);
            return new Uri(url.ToString());
        }
    }

    public override (string Name, string Value)? Header => ("xi-api-key", _key);

    public override IEnumerable<byte[]> Begin() =>
    [
        Json(new
        {
            text = " ",
            voice_settings = Settings(),
            pronunciation_dictionary_locators = voice.PronunciationDictionaries.Count == 0
                ? null
                : voice.PronunciationDictionaries.Select(d => new { pronunciation_dictionary_id = d.DictionaryId, version_id = d.VersionId }),
        }),
    ];

    /// <summary>Each text must end with a space there.</summary>
    public override IEnumerable<byte[]> Say(string text) => [Json(new { text = char.IsWhiteSpace(text[^1]) ? text : text + " " })];

    public override IEnumerable<byte[]> End()
    {
        _ended = true;
        return [Json(new { text = "" })];
    }

    public override bool Read(bool isText, ReadOnlySpan<byte> message, SpokenSound sound)
    {
        if (!isText) throw new InvalidDataException("it is not text");
        var origin = sound.Length.TotalSeconds;
        var isFinal = false;
        ReadOnlySpan<byte> audio = default;
        _original.Clear();
        _normalized.Clear();
        var reader = JsonMessage.Begin(message);
        while (JsonMessage.NextMember(ref reader))
        {
            if (reader.ValueTextEquals("audio"u8)) audio = JsonMessage.Base64(ref reader, "audio");
            else if (reader.ValueTextEquals("isFinal"u8)) isFinal = JsonMessage.Flag(ref reader, "isFinal");
            else if (reader.ValueTextEquals("alignment"u8)) _original.Read(ref reader);
            else if (reader.ValueTextEquals("normalizedAlignment"u8)) _normalized.Read(ref reader);
            else if (!reader.ValueTextEquals("error"u8)) reader.Skip();
            else if (JsonMessage.IsThere(ref reader)) throw Refused(message);
        }
        sound.AddBase64(audio);
        (_original.IsEmpty ? _normalized : _original).Tell(sound, origin);
        return isFinal && _ended;     // before the end of the text it would be a break: the close tells
    }

    private object? Settings()
        => voice is { Speed: null, UseSpeakerBoost: null, Style: null, SimilarityBoost: null, Stability: null }
            ? null
            : new { stability = voice.Stability, similarity_boost = voice.SimilarityBoost, style = voice.Style, use_speaker_boost = voice.UseSpeakerBoost, speed = voice.Speed };

    /// <summary><c>{"message": their words, "error": "quota_exceeded", "code": 1008}</c>.</summary>
    private ProviderException Refused(ReadOnlySpan<byte> message)
    {
        using var document = JsonDocument.Parse(message.ToArray());
        var root = document.RootElement;
        var kind = root.GetProperty("error") is { ValueKind: JsonValueKind.String } name ? name.GetString()! : "";
        var words = root.TryGetProperty("message", out var text) && text.ValueKind == JsonValueKind.String ? text.GetString()! : kind.Length > 0 ? kind : Words(message);
        var fault = kind switch
        {
            "rate_limit_exceeded" or "too_many_concurrent_requests" or "concurrent_limit_exceeded" or "system_busy" => ProviderFault.RateLimited,
            "internal_server_error" or "internal_error" => ProviderFault.ServerError,
            _ => ProviderFault.Rejected,
        };
        return Failure(fault, words);
    }

    /// <summary>The time of each character, in milliseconds from the message's first sample.</summary>
    private sealed class Alignment
    {
        private readonly List<string> _characters = [];
        private readonly List<double> _starts = [], _durations = [];

        public bool IsEmpty => _characters.Count == 0;

        public void Clear() => _characters.Clear();

        public void Read(ref Utf8JsonReader reader)
        {
            _starts.Clear();
            _durations.Clear();
            if (!JsonMessage.Enters(ref reader, JsonTokenType.StartObject, "alignment")) return;
            while (JsonMessage.NextMember(ref reader))
            {
                if (reader.ValueTextEquals("chars"u8)) JsonMessage.Strings(ref reader, _characters, "chars");
                else if (reader.ValueTextEquals("charStartTimesMs"u8)) JsonMessage.Numbers(ref reader, _starts, "charStartTimesMs");
                else if (reader.ValueTextEquals("charDurationsMs"u8) || reader.ValueTextEquals("charsDurationsMs"u8)) JsonMessage.Numbers(ref reader, _durations, "charDurationsMs");
                else reader.Skip();
            }
            if (_starts.Count != _characters.Count || _durations.Count != _characters.Count) throw new InvalidDataException("its alignment has lists of different lengths");
        }

        public void Tell(SpokenSound sound, double originSeconds)
        {
            for (var i = 0; i < _characters.Count; i++)
            {
                var start = originSeconds + _starts[i] / 1000;
                sound.AddCharacter(_characters[i], start, start + _durations[i] / 1000);
            }
            sound.PauseCharacters();
        }
    }
}
