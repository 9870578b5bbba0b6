using System.Text.Json;
using System.Text.Json.Serialization;
using VoiceGrains.Providers.Synthesis.External;

namespace VoiceGrains.Providers.Synthesis.Lmnt;

/// <summary>
/// LMNT's speech sessions (https://docs.lmnt.com/api-reference/speech/streaming): the key in the first message, binary sound, and beside each sound a message
/// of "extras" with when its words begin, counted from that sound's first sample. The documentation does not say which of both comes first, so either may.
/// </summary>
internal sealed class LmntProtocol(LmntVoiceDefinition voice, SynthesisRequest request, LmntOptions options, string apiKey) : SpeechProtocol(ProviderName, apiKey)
{
    public const string ProviderName = "lmnt";

    private static readonly int[] Rates = [8_000, 16_000, 24_000];

    private readonly string _key = apiKey;
    private readonly List<(string Text, double Start, double Duration)> _durations = [];
    private bool? _extrasComeFirst;
    private double? _untimedSeconds;
    private bool _isBufferEmpty = true;
    private volatile bool _ended;

    public override int SampleRateHz { get; } = NearestRate(Rates, request.PreferredSampleRateHz);

    public override Uri Url => new(options.BaseUrl.TrimEnd('/') + "/v1/ai/speech/stream");

    /// <summary>After the end of the text, closing means that all was spoken, unless they said that they still had some.</summary>
    public override bool EndsByClosing => _ended && _isBufferEmpty;

    public override IEnumerable<byte[]> Begin() =>
    [
        Json(new Opening(_key, voice.VoiceId, "pcm_s16le", SampleRateHz, true, voice.Model, voice.Speed, voice.Conversational)),
    ];

    /// <summary>A sentence is flushed, or it would wait for the next one.</summary>
    public override IEnumerable<byte[]> Say(string text) => [Json(new { text }), Json(new { flush = true })];

    public override IEnumerable<byte[]> End()
    {
        _ended = true;
        return [Json(new { eof = true })];
    }

    public override bool Read(bool isText, ReadOnlySpan<byte> message, SpokenSound sound)
    {
        if (isText)
        {
            ReadExtras(message, sound);
            return false;
        }
        _untimedSeconds ??= sound.Length.TotalSeconds;
        sound.Add(message);
        return false;
    }

    private void ReadExtras(ReadOnlySpan<byte> message, SpokenSound sound)
    {
        _durations.Clear();
        var hasDurations = false;
        var reader = JsonMessage.Begin(message);
        while (JsonMessage.NextMember(ref reader))
        {
            if (reader.ValueTextEquals("durations"u8)) hasDurations = ReadDurations(ref reader);
            else if (reader.ValueTextEquals("buffer_empty"u8)) _isBufferEmpty = JsonMessage.Flag(ref reader, "buffer_empty");
            else if (!reader.ValueTextEquals("error"u8)) reader.Skip();
            else if (JsonMessage.IsThere(ref reader)) throw Refused(message);
        }
        if (!hasDurations) return;
        _extrasComeFirst ??= sound.Samples == 0;
        var origin = _extrasComeFirst.Value ? sound.Length.TotalSeconds : _untimedSeconds ?? sound.Length.TotalSeconds;
        _untimedSeconds = null;
        foreach (var (text, start, duration) in _durations) sound.AddWord(text, origin + start, origin + start + duration);
    }

    private bool ReadDurations(ref Utf8JsonReader reader)
    {
        if (!JsonMessage.Enters(ref reader, JsonTokenType.StartArray, "durations")) return false;
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (reader.TokenType != JsonTokenType.StartObject) throw new InvalidDataException("its durations hold no objects");
            var (text, start, duration) = ("", 0.0, 0.0);
            while (JsonMessage.NextMember(ref reader))
            {
                if (reader.ValueTextEquals("text"u8)) text = JsonMessage.String(ref reader, "text") ?? "";
                else if (reader.ValueTextEquals("start"u8)) start = JsonMessage.Number(ref reader, "start");
                else if (reader.ValueTextEquals("duration"u8)) duration = JsonMessage.Number(ref reader, "duration");
                else reader.Skip();
            }
            _durations.Add((text, start, duration));
        }
        return true;
    }

    /// <summary><c>{"error": their words}</c>, in newer versions <c>{"error": {"message": their words, "type": "rate_limit_error"}}</c>.</summary>
    private ProviderException Refused(ReadOnlySpan<byte> message)
    {
        using var document = JsonDocument.Parse(message.ToArray());
        var error = document.RootElement.GetProperty("error");
        var type = error.ValueKind == JsonValueKind.Object && error.TryGetProperty("type", out var slug) && slug.ValueKind == JsonValueKind.String ? slug.GetString() : null;
        var fault = type switch
        {
            "rate_limit_error" => ProviderFault.RateLimited,
            "internal_server_error" => ProviderFault.ServerError,
            _ => ProviderFault.Rejected,
        };
        return Failure(fault, Words(message));
    }

    /// <summary>The first message.</summary>
    private sealed record Opening(
        [property: JsonPropertyName("X-API-Key")] string Key, [property: JsonPropertyName("voice")] string Voice, [property: JsonPropertyName("format")] string Format,
        [property: JsonPropertyName("sample_rate")] int SampleRate, [property: JsonPropertyName("return_extras")] bool ReturnExtras,
        [property: JsonPropertyName("model")] string? Model, [property: JsonPropertyName("speed")] double? Speed,
        [property: JsonPropertyName("conversational")] bool? Conversational);
}
