using System.Text;
using System.Text.Json;
using VoiceGrains.Providers.Synthesis;
using VoiceGrains.Providers.Synthesis.Cartesia;
using VoiceGrains.Providers.Synthesis.ElevenLabs;
using VoiceGrains.Providers.Synthesis.External;
using VoiceGrains.Providers.Synthesis.Lmnt;
using VoiceGrains.Tests.Shared;

namespace VoiceGrains.Providers.Tests.Synthesis.External;

/// <summary>The very messages of each protocol, as its documentation has them.</summary>
public sealed class SpeechProtocolTests
{
    private const string Key = "key-1";

    [Fact]
    public void ElevenLabs_GetsAllThatTheVoiceSays()
    {
        var voice = new ElevenLabsVoiceDefinition
        {
            VoiceId = "a/b", Model = "eleven_turbo_v2_5", Speed = 1.1, UseSpeakerBoost = true, Style = 0.25, SimilarityBoost = 0.5, Stability = 0.75,
            PronunciationDictionaries = [new("d1", "v1"), new("d2", null)], OptimizeStreamingLatency = 3, MaxSampleRate = 22_050, EnableSsmlParsing = true,
        };
        var protocol = ElevenLabs(voice, 48_000, "de-AT");
        Assert.Equal(
            "wss://api.elevenlabs.io/v1/text-to-speech/a%2Fb/stream-input?model_id=eleven_turbo_v2_5&output_format=pcm_22050&inactivity_timeout=180&auto_mode=true&sync_alignment=true" +
            "&enable_ssml_parsing=true&optimize_streaming_latency=3&language_code=de", protocol.Url.AbsoluteUri);
        Assert.Equal(("xi-api-key", Key), protocol.Header);
        Assert.Equal(
            ["""{"text":" ","voice_settings":{"stability":0.75,"similarity_boost":0.5,"style":0.25,"use_speaker_boost":true,"speed":1.1},"pronunciation_dictionary_locators":[{"pronunciation_dictionary_id":"d1","version_id":"v1"},{"pronunciation_dictionary_id":"d2"}]}"""],
            Texts(protocol.Begin()));
        Assert.Equal(["""{"text":"Grüß \"dich\". "}"""], Texts(protocol.Say("Grüß \"dich\".")));
        Assert.Equal(["""{"text":""}"""], Texts(protocol.End()));
    }

    [Fact]
    public void ElevenLabs_GetsNothingThatTheVoiceLeavesOpen()
    {
        var protocol = ElevenLabs(new() { VoiceId = "v", Model = "eleven_multilingual_v2" }, 16_000, "de");
        Assert.Equal("?model_id=eleven_multilingual_v2&output_format=pcm_16000&inactivity_timeout=180&auto_mode=true&sync_alignment=true", protocol.Url.Query);
        Assert.Equal(["""{"text":" "}"""], Texts(protocol.Begin()));
    }

    [Fact]
    public void ElevenLabs_TimesCharactersFromTheirOwnMessage()
    {
        var (protocol, sound) = (ElevenLabs(new() { VoiceId = "v" }, 8_000), Sound("Oh no.", 8_000));
        var second = Convert.ToBase64String(new byte[16_000]).Replace("/", "\\/", StringComparison.Ordinal);
        Assert.False(Read(protocol, sound, $$"""{"audio":"{{second}}","isFinal":null,"alignment":{"chars":["O","h"," "],"charStartTimesMs":[100,200,300],"charDurationsMs":[100,100,100]},"normalizedAlignment":null}"""));
        Assert.False(Read(protocol, sound, $$"""{"normalizedAlignment":{"charStartTimesMs":[0,500,900],"charsDurationsMs":[500,400,100],"chars":["n","o","."]},"audio":"{{second}}"}"""));
        Assert.False(Read(protocol, sound, """{"audio":null,"isFinal":true}"""));      // too early: there may be more text
        Assert.NotEmpty(protocol.End());
        Assert.True(Read(protocol, sound, """{"audio":null,"isFinal":true,"more":[{"a":1}]}"""));
        var words = sound.Finish().Words;
        Assert.Equal([(0, 2, 0.1, 0.3), (3, 6, 1.0, 2.0)], words.Select(w => (w.TextStart, w.TextEnd, w.Start.TotalSeconds, w.End.TotalSeconds)));
    }

    [Fact]
    public void Cartesia_GetsAllThatTheVoiceSays()
    {
        var voice = new CartesiaVoiceDefinition { VoiceId = "v", GenerationConfig = new(1.5, 0.8, "calm", "dict") };
        var protocol = Cartesia(voice, 24_000, "de-AT");
        Assert.Equal("wss://api.cartesia.ai/tts/websocket?cartesia_version=2025-04-16", protocol.Url.AbsoluteUri);
        Assert.Equal(("X-API-Key", Key), protocol.Header);
        Assert.Empty(protocol.Begin());
        var said = Texts(protocol.Say("Hallo. "))[0];
        var context = JsonDocument.Parse(said).RootElement.GetProperty("context_id").GetString();
        const string Same = """ "voice":{"mode":"id","id":"v"},"language":"de","context_id":"CONTEXT","output_format":{"container":"raw","encoding":"pcm_s16le","sample_rate":24000},"generation_config":{"volume":1.5,"speed":0.8,"emotion":"calm"},"pronunciation_dict_id":"dict","add_timestamps":true,"max_buffer_delay_ms":0, """;
        Assert.Equal(("""{"model_id":"sonic-3","transcript":"Hallo. ",""" + Same.Trim() + "\"continue\":true}").Replace("CONTEXT", context, StringComparison.Ordinal), said);
        Assert.Equal([("""{"model_id":"sonic-3","transcript":"",""" + Same.Trim() + "\"continue\":false}").Replace("CONTEXT", context, StringComparison.Ordinal)], Texts(protocol.End()!));
        Assert.Equal([$$"""{"context_id":"{{context}}","cancel":true}"""], Texts(protocol.Cancel()));
    }

    [Fact]
    public void CartesiasDeprecatedFields_GoToTheVersionThatKnowsThem()
    {
        var protocol = Cartesia(new() { VoiceId = "v", Model = "sonic-2", Speed = -0.5, Emotion = "sadness", Emotions = ["anger:low"] }, 16_000);
        Assert.Equal("?cartesia_version=2024-11-13", protocol.Url.Query);
        Assert.Contains("""{"mode":"id","id":"v","__experimental_controls":{"speed":-0.5,"emotion":["anger:low","sadness"]}}""", Texts(protocol.Say("Hi."))[0], StringComparison.Ordinal);
    }

    [Fact]
    public void ACartesiaContextThatEndedMeanwhile_IsFollowedByANewOneWithItsOwnTime()
    {
        var (protocol, sound) = (Cartesia(new() { VoiceId = "v" }, 8_000), Sound("One. Two.", 8_000));
        var first = ContextOf(protocol.Say("One. "));
        var second = Convert.ToBase64String(new byte[16_000]);
        Read(protocol, sound, Chunk(first, second));
        Read(protocol, sound, Words(first, "One.", 0.25, 0.75));
        Assert.False(Read(protocol, sound, Done(first)));
        Assert.Empty(protocol.Cancel());
        var next = ContextOf(protocol.Say("Two."));
        Assert.NotEqual(first, next);
        Read(protocol, sound, Done(first));                          // of the former one: told late, and nothing to us
        Read(protocol, sound, Words(next, "Two.", 0.25, 0.5));
        Read(protocol, sound, Chunk(next, second));
        Assert.NotNull(protocol.End());
        Assert.True(Read(protocol, sound, Done(next)));
        Assert.Equal([(0, 4, 0.25), (5, 9, 1.25)], sound.Finish().Words.Select(w => (w.TextStart, w.TextEnd, w.Start.TotalSeconds)));
    }

    [Fact]
    public void ACartesiaContextNearItsEnd_IsNotWaitedFor()
    {
        var clock = new ManualClock();
        var protocol = new CartesiaProtocol(new() { VoiceId = "v" }, new("", 8_000), new CartesiaOptions(), clock, Key);
        var sound = Sound("One.", 8_000);
        var first = ContextOf(protocol.Say("One. "));
        Read(protocol, sound, Chunk(first, "AAAA"));
        clock.Advance(TimeSpan.FromSeconds(0.7));
        Assert.Equal(first, ContextOf(protocol.Say("One and a half. ")));   // not all was spoken: it must go on
        Read(protocol, sound, Chunk(first, "AAAA"));
        Read(protocol, sound, Words(first, "One.", 0, 1));
        clock.Advance(TimeSpan.FromSeconds(0.5));
        Assert.Equal(first, ContextOf(protocol.Say("Two. ")));
        Read(protocol, sound, Chunk(first, "AAAA"));
        Read(protocol, sound, Words(first, "Two.", 1, 2));
        clock.Advance(TimeSpan.FromSeconds(0.7));
        Assert.NotEqual(first, ContextOf(protocol.Say("Three. ")));
    }

    [Fact]
    public void ACartesiaContextThatEndsWithoutItsText_IsAFailure()
    {
        var (protocol, sound) = (Cartesia(new() { VoiceId = "v" }, 8_000), Sound("One.", 8_000));
        var context = ContextOf(protocol.Say("One."));
        var failure = Assert.Throws<ProviderException>(() => Read(protocol, sound, Done(context)));
        Assert.Equal((ProviderFault.BrokeOff, "cartesia ended its context before it spoke the last text."), (failure.Fault, failure.Message));
    }

    [Fact]
    public void ACartesiaThatHasSaidAll_OwesNothingAtTheEnd()
    {
        var (protocol, sound) = (Cartesia(new() { VoiceId = "v" }, 8_000), Sound("One.", 8_000));
        var context = ContextOf(protocol.Say("One."));
        Read(protocol, sound, Chunk(context, "AAAA"));
        Read(protocol, sound, Done(context));
        Assert.Null(protocol.End());
    }

    [Theory]
    [InlineData("""{"type":"error","done":true,"status_code":429,"error_code":"concurrency_limited","title":"Too many","message":"You have exceeded your plan."}""", ProviderFault.RateLimited, 429, "You have exceeded your plan.")]
    [InlineData("""{"type":"error","done":true,"error":"Invalid model: The model is not valid.","status_code":400,"context_id":"other"}""", ProviderFault.Rejected, 400, "Invalid model: The model is not valid.")]
    [InlineData("""{"type":"error","status_code":500,"error":"key-1 broke it"}""", ProviderFault.ServerError, 500, "*** broke it")]
    public void CartesiasErrors_KeepTheirWordsAndLoseTheKey(string message, ProviderFault fault, int status, string words)
    {
        var failure = Assert.Throws<ProviderException>(() => Read(Cartesia(new() { VoiceId = "v" }, 8_000), Sound("", 8_000), message));
        Assert.Equal((fault, status, words), (failure.Fault, failure.Status, failure.Message));
    }

    [Fact]
    public void Lmnt_GetsAllThatTheVoiceSays()
    {
        var protocol = Lmnt(new() { VoiceId = "lily", Model = "blizzard", Speed = 1.25, Conversational = true }, 48_000);
        Assert.Equal(("wss://api.lmnt.com/v1/ai/speech/stream", null), (protocol.Url.AbsoluteUri, protocol.Header));
        Assert.Equal(
            ["""{"X-API-Key":"key-1","voice":"lily","format":"pcm_s16le","sample_rate":24000,"return_extras":true,"model":"blizzard","speed":1.25,"conversational":true}"""], Texts(protocol.Begin()));
        Assert.Equal(["""{"X-API-Key":"key-1","voice":"l","format":"pcm_s16le","sample_rate":8000,"return_extras":true}"""], Texts(Lmnt(new() { VoiceId = "l" }, 8_000).Begin()));
        Assert.Equal(["""{"text":"Hi. "}""", """{"flush":true}"""], Texts(protocol.Say("Hi. ")));
        Assert.False(protocol.EndsByClosing);
        Assert.Equal(["""{"eof":true}"""], Texts(protocol.End()!));
        Assert.True(protocol.EndsByClosing);
        Read(protocol, Sound("", 8_000), """{"buffer_empty":false}""");
        Assert.False(protocol.EndsByClosing);
    }

    [Theory]
    [InlineData("""{"error":"Invalid key-1."}""", ProviderFault.Rejected, "Invalid ***.")]
    [InlineData("""{"type":"error","error":{"message":"Slow down.","type":"rate_limit_error"},"request_id":"r"}""", ProviderFault.RateLimited, "Slow down.")]
    [InlineData("""{"error":{"message":"Sorry.","type":"internal_server_error"}}""", ProviderFault.ServerError, "Sorry.")]
    public void LmntsErrors_KeepTheirWordsAndLoseTheKey(string message, ProviderFault fault, string words)
    {
        var failure = Assert.Throws<ProviderException>(() => Read(Lmnt(new() { VoiceId = "v" }, 8_000), Sound("", 8_000), message));
        Assert.Equal((fault, words), (failure.Fault, failure.Message));
    }

    [Theory]
    [InlineData("{\"message\":\"We are busy.\",\"error\":\"system_busy\",\"code\":1008}", ProviderFault.RateLimited, "We are busy.")]
    [InlineData("{\"error\":\"quota_exceeded\",\"code\":1008}", ProviderFault.Rejected, "quota_exceeded")]
    [InlineData("{\"error\":{\"message\":\"odd\"}}", ProviderFault.Rejected, "odd")]
    public void ElevenLabsErrors_KeepTheirWords(string message, ProviderFault fault, string words)
    {
        var failure = Assert.Throws<ProviderException>(() => Read(ElevenLabs(new() { VoiceId = "v" }, 8_000), Sound("", 8_000), message));
        Assert.Equal((fault, words), (failure.Fault, failure.Message));
    }

    /// <summary>Whatever bytes come, they are understood or refused in words; sound is never longer than what came.</summary>
    [Fact]
    public void AnyBytes_AreReadOrRefused()
    {
        var random = new Random(20261121);
        string[] seeds =
        [
            """{"audio":"AAAAAAAA","isFinal":false,"alignment":{"chars":["H","i"],"charStartTimesMs":[0,1e3],"charDurationsMs":[5,6]},"error":null,"message":"m"}""",
            """{"type":"chunk","data":"AAAA\/+==","word_timestamps":{"words":["a","\ud800"],"start":[0,-1],"end":[1e300,2]},"status_code":206,"context_id":null}""",
            """{"type":"timestamps","word_timestamps":{"words":["a b c"],"start":[0.5],"end":[0.25]}}""", """{"type":"error","status_code":"x","error":[1]}""",
            """{"durations":[{"text":"Hi","start":0.1,"duration":0.2},{"text":null}],"buffer_empty":true,"warning":"w","error":{"type":3}}""",
        ];
        for (var round = 0; round < 6_000; round++)
        {
            var bytes = Encoding.UTF8.GetBytes(seeds[random.Next(seeds.Length)]).ToList();
            for (var n = random.Next(4); n > 0 && bytes.Count > 0; n--) Mutate(bytes, random, seeds);
            SpeechProtocol protocol = (round % 3) switch { 0 => ElevenLabs(new() { VoiceId = "v" }, 8_000), 1 => Cartesia(new() { VoiceId = "v" }, 8_000), _ => Lmnt(new() { VoiceId = "v" }, 8_000) };
            var sound = Sound("Hi a b c", 8_000);
            try
            {
                for (var again = 0; again < 2; again++) protocol.Read(isText: random.Next(20) > 0, bytes.ToArray(), sound);
            }
            catch (Exception exception) when (exception is JsonException or InvalidDataException or ProviderException)
            {
                Assert.NotEqual("", exception.Message);
            }
            Assert.InRange(sound.Samples, 0, bytes.Count);
            SpokenUtterance.AssertForward(sound.Finish().Words, 8, TimeSpan.FromDays(1) + TimeSpan.FromSeconds(1));
        }
    }

    private static void Mutate(List<byte> bytes, Random random, string[] seeds)
    {
        var at = random.Next(bytes.Count);
        switch (random.Next(5))
        {
            case 0: bytes[at] = (byte)random.Next(256); break;
            case 1: bytes.RemoveRange(at, Math.Min(random.Next(1, 20), bytes.Count - at)); break;
            case 2: bytes.Insert(at, (byte)"{}[]\",:0\\"[random.Next(9)]); break;
            case 3: bytes.InsertRange(at, Encoding.UTF8.GetBytes(seeds[random.Next(seeds.Length)])); break;
            default: bytes.RemoveRange(at, bytes.Count - at); break;
        }
    }

    private static ElevenLabsProtocol ElevenLabs(ElevenLabsVoiceDefinition voice, int rateHz, string? language = null) => new(voice, new("", rateHz, language), new ElevenLabsOptions(), Key);

    private static CartesiaProtocol Cartesia(CartesiaVoiceDefinition voice, int rateHz, string? language = null)
        => new(voice, new("", rateHz, language), new CartesiaOptions(), TimeProvider.System, Key);

    private static LmntProtocol Lmnt(LmntVoiceDefinition voice, int rateHz) => new(voice, new("", rateHz), new LmntOptions(), Key);

    private static SpokenSound Sound(string text, int rateHz)
    {
        var words = new WordAligner();
        words.AppendText(text);
        return new(rateHz, words);
    }

    private static bool Read(SpeechProtocol protocol, SpokenSound sound, string message) => protocol.Read(isText: true, Encoding.UTF8.GetBytes(message), sound);

    private static string[] Texts(IEnumerable<byte[]> messages) => [.. messages.Select(Encoding.UTF8.GetString)];

    private static string ContextOf(IEnumerable<byte[]> messages) => JsonDocument.Parse(messages.Single()).RootElement.GetProperty("context_id").GetString()!;

    private static string Chunk(string context, string data) => $$"""{"type":"chunk","data":"{{data}}","done":false,"status_code":206,"context_id":"{{context}}"}""";

    private static string Done(string context) => $$"""{"type":"done","done":true,"status_code":200,"context_id":"{{context}}"}""";

    private static string Words(string context, string word, double start, double end)
        => FormattableString.Invariant($$"""{"type":"timestamps","word_timestamps":{"words":["{{word}}"],"start":[{{start}}],"end":[{{end}}]},"context_id":"{{context}}"}""");
}
