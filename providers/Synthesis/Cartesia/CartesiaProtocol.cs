using System.Text.Json;
using VoiceGrains.Providers.Http;
using VoiceGrains.Providers.Synthesis.External;

namespace VoiceGrains.Providers.Synthesis.Cartesia;

/// <summary>
/// Cartesia's WebSocket (https://docs.cartesia.ai/api-reference/tts/websocket and .../use-the-api/tts-websocket/contexts): sentences continue one context,
/// sound comes in base64, words with their times from the context's first sample. A context ends by itself a second after its sound; text that comes later
/// begins a new one.
/// </summary>
internal sealed class CartesiaProtocol(CartesiaVoiceDefinition voice, SynthesisRequest request, CartesiaOptions options, TimeProvider clock, string apiKey)
    : SpeechProtocol(ProviderName, apiKey)
{
    public const string ProviderName = "cartesia";

    /// <summary>A context that has been silent for so long, with all of its text spoken, may end before more text reaches it.</summary>
    private static readonly TimeSpan NearItsEnd = TimeSpan.FromSeconds(0.6);

    /// <summary>The last API version that knows the deprecated speed and emotions.</summary>
    private const string OldVersion = "2024-11-13";

    private static readonly int[] Rates = [8_000, 16_000, 22_050, 24_000, 44_100, 48_000];

    private readonly string _key = apiKey;
    private readonly TimedWords _words = new("word_timestamps", "start", "end", "its word_timestamps have lists of different lengths");
    private readonly Lock _gate = new();     // the sender begins contexts, the receiver sees them end
    private string _context = NewContext();
    private bool _isOpen, _ended, _isSpoken, _owesSound;
    private long _lastSound;
    private double? _originSeconds = 0;

    public override int SampleRateHz { get; } = NearestRate(Rates, request.PreferredSampleRateHz);

    public override Uri Url => new($"{options.BaseUrl.TrimEnd('/')}/tts/websocket?cartesia_version={Uri.EscapeDataString(OldControls() is null ? options.Version : OldVersion)}");

    public override (string Name, string Value)? Header => ("X-API-Key", _key);

    public override IEnumerable<byte[]> Say(string text)
    {
        lock (_gate)
        {
            if (!_isOpen || (_isSpoken && clock.GetElapsedTime(_lastSound) > NearItsEnd)) (_context, _isOpen, _originSeconds) = (NewContext(), true, null);
            (_isSpoken, _owesSound) = (false, true);
            return [Generation(text, goesOn: true)];
        }
    }

    public override IEnumerable<byte[]>? End()
    {
        lock (_gate)
        {
            _ended = true;
            return _isOpen ? [Generation("", goesOn: false)] : null;
        }
    }

    public override IEnumerable<byte[]> Cancel()
    {
        lock (_gate)
            return _isOpen ? [Json(new { context_id = _context, cancel = true })] : [];
    }

    public override bool Read(bool isText, ReadOnlySpan<byte> message, SpokenSound sound)
    {
        if (!isText) throw new InvalidDataException("it is not text");
        string? type = null, context = null;
        ReadOnlySpan<byte> audio = default;
        _words.Clear();
        var reader = JsonMessage.Begin(message);
        while (JsonMessage.NextMember(ref reader))
        {
            if (reader.ValueTextEquals("type"u8)) type = JsonMessage.String(ref reader, "type");
            else if (reader.ValueTextEquals("context_id"u8)) context = JsonMessage.String(ref reader, "context_id");
            else if (reader.ValueTextEquals("data"u8)) audio = JsonMessage.Base64(ref reader, "data");
            else if (reader.ValueTextEquals("word_timestamps"u8)) _words.Read(ref reader);
            else reader.Skip();
        }
        if (type == "error") throw Refused(message);
        lock (_gate)
        {
            if (context is not null && context != _context) return false;   // the end of a former one
            return Read(type, audio, sound);
        }
    }

    private bool Read(string? type, ReadOnlySpan<byte> audio, SpokenSound sound)
    {
        _originSeconds ??= sound.Length.TotalSeconds;
        switch (type)
        {
            case "chunk":
                sound.AddBase64(audio);
                (_owesSound, _lastSound) = (false, clock.GetTimestamp());
                return false;
            case "timestamps":
                for (var i = 0; i < _words.Count; i++)
                {
                    var (word, start, end) = _words[i];
                    sound.AddWord(word, _originSeconds.Value + start, _originSeconds.Value + end);
                }
                _isSpoken = sound.HasAllWords;
                return false;
            case "done" when _ended:
                return true;
            case "done":
                if (_owesSound) throw Failure(ProviderFault.BrokeOff, $"{Provider} ended its context before it spoke the last text.");
                _isOpen = false;
                return false;
            default:
                return false;   // flush_done, and what may be added
        }
    }

    private byte[] Generation(string text, bool goesOn) => Json(new
    {
        model_id = Model,
        transcript = text,
        voice = new { mode = "id", id = voice.VoiceId, __experimental_controls = OldControls() },
        language = Language(request.LanguageHint),
        context_id = _context,
        output_format = new { container = "raw", encoding = "pcm_s16le", sample_rate = SampleRateHz },
        generation_config = voice.GenerationConfig is { } g ? new { volume = g.Volume, speed = g.Speed, emotion = g.Emotion } : null,
        pronunciation_dict_id = voice.GenerationConfig?.PronunciationDictId,
        add_timestamps = true,
        max_buffer_delay_ms = 0,             // whole sentences: there is nothing to wait for
        @continue = goesOn,
    });

    private string Model => string.IsNullOrEmpty(voice.Model) ? options.DefaultModel : voice.Model;

    /// <summary>Speed and emotions of models before Sonic 3.</summary>
    private object? OldControls()
    {
        string[] emotions = [.. voice.Emotions, .. voice.Emotion is { Length: > 0 } emotion ? new[] { emotion } : []];
        return voice.Speed is null && emotions.Length == 0 ? null : new { speed = voice.Speed, emotion = emotions.Length == 0 ? null : emotions };
    }

    /// <summary><c>{"status_code": 402, "title": ..., "message": ...}</c>, before version 2026-03-01 <c>{"status_code": 402, "error": "Title: message"}</c>.</summary>
    private ProviderException Refused(ReadOnlySpan<byte> message)
    {
        using var document = JsonDocument.Parse(message.ToArray());
        var status = document.RootElement.TryGetProperty("status_code", out var code) && code.ValueKind == JsonValueKind.Number && code.TryGetInt32(out var number) ? number : 400;
        return new(Provider, ProviderErrors.FaultOf(status), Words(message)) { Status = status };
    }

    private static string NewContext() => Guid.NewGuid().ToString();
}
